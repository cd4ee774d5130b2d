// Makes a component of index.js: `npm run build`.

import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { componentize } from "@bytecodealliance/componentize-js";

const { component } = await componentize({
  sourcePath: resolve("index.js"),
  witPath: resolve("wit"),
  worldName: "extension",
  // Left out to make the component smaller.
  disableFeatures: ["http", "fetch-event"],
});
await mkdir("build", { recursive: true });
await writeFile("build/@NAME@.wasm", component);

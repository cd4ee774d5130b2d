// Makes a component of @SOURCE@: `npm run build`.

import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { componentize } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";

// One file with all modules and packages. The interfaces of the host stay imports.
await build({
  entryPoints: ["@SOURCE@"],
  outfile: "build/bundle.js",
  bundle: true,
  format: "esm",
  target: "es2024",
  external: ["open-sesame:*", "wasi:*"],
  logLevel: "warning",
});
const { component } = await componentize({
  sourcePath: resolve("build/bundle.js"),
  witPath: resolve("wit"),
  worldName: "extension",
  // Left out to make the component smaller.
  disableFeatures: ["http", "fetch-event"],
});
await mkdir("build", { recursive: true });
await writeFile("build/@NAME@.wasm", component);

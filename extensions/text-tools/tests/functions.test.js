// The functions agree with those of another implementation: `npm test`.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { decode, encode } from "../src/base64.js";
import { formatJson, minifyJson } from "../src/json.js";
import { sha256 } from "../src/sha256.js";

const bytes = Uint8Array.from({ length: 200 }, (_, at) => (at * 37) & 255);

test("sha256 agrees with node at every length", async () => {
  for (let length = 0; length <= bytes.length; length += 1) {
    const part = bytes.subarray(0, length);
    assert.equal(await sha256(part), createHash("sha256").update(part).digest("hex"));
  }
});

test("base64 agrees with node at every length", () => {
  for (let length = 0; length <= bytes.length; length += 1) {
    const part = bytes.subarray(0, length);
    const encoded = Buffer.from(part).toString("base64");
    assert.equal(encode(part), encoded);
    assert.deepEqual(decode(encoded), Uint8Array.from(part));
    assert.deepEqual(decode(Buffer.from(part).toString("base64url")), Uint8Array.from(part));
  }
  assert.throws(() => decode("A"));
  assert.throws(() => decode("AA="));
});

test("JSON is laid out as JSON.stringify does", () => {
  const value = { a: [1, [], {}, [[{}]]], 'q"\\': "\\", b: { c: null, d: [true, '\\\\"x'] } };
  for (const text of [
    JSON.stringify(value),
    JSON.stringify(value, null, "\t"),
    " [ ] ",
    "1",
    '"x"',
  ]) {
    const parsed = JSON.parse(text);
    assert.equal(formatJson(text), JSON.stringify(parsed, null, 2));
    assert.equal(minifyJson(text), JSON.stringify(parsed));
  }
});

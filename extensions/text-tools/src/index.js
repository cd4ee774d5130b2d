// Everyday tools for text: what `sesame call text-tools FUNCTION` calls.

import { decode, encode } from "./base64.js";
import * as program from "./program.js";
import { sha256 as digest } from "./sha256.js";

export { formatJson, minifyJson } from "./json.js";
export { changeCase } from "./words.js";

/** The program, which `sesame run text-tools` starts. */
export const run = { run: program.run };

export function encodeBase64(/** @type {string} */ text) {
  return encode(new TextEncoder().encode(text));
}

export function decodeBase64(/** @type {string} */ text) {
  const bytes = decode(text);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw "it decodes to bytes that are not text: sesame run text-tools -- base64-decode";
  }
}

export function sha256(/** @type {string} */ text) {
  return digest(new TextEncoder().encode(text));
}

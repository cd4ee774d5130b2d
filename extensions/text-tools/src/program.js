// The program: `sesame run text-tools -- COMMAND [STYLE]` reads standard input.

import { getArguments } from "wasi:cli/environment@0.2.10";
import { getStderr } from "wasi:cli/stderr@0.2.10";
import { getStdin } from "wasi:cli/stdin@0.2.10";
import { getStdout } from "wasi:cli/stdout@0.2.10";
import { decode, encode } from "./base64.js";
import { formatJson, minifyJson } from "./json.js";
import { sha256 } from "./sha256.js";
import { changeCase, STYLES } from "./words.js";

const HELP = `Usage: sesame run text-tools -- COMMAND < FILE

Commands:
  case STYLE      Write the text in another case
  json            Indent JSON
  minify          Remove the blanks of JSON
  base64          Encode any bytes
  base64-decode   Decode to bytes
  sha256          Print the SHA-256 of any bytes
  help            Show this help

Styles: ${STYLES.join(", ")}
`;

/** The most that a stream takes at once, by its interface. */
const MAX_WRITE = 4096;

const toText = (/** @type {Uint8Array} */ bytes) => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw "standard input is not UTF-8 text";
  }
};
const toBytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
const toLine = (/** @type {string} */ text) => toBytes(text.endsWith("\n") ? text : `${text}\n`);

/** @typedef {(bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>} Command */

/** @type {Record<string, Command>} */
const COMMANDS = {
  json: (bytes) => toLine(formatJson(toText(bytes))),
  minify: (bytes) => toLine(minifyJson(toText(bytes))),
  base64: (bytes) => toLine(encode(bytes)),
  "base64-decode": (bytes) => decode(toText(bytes)),
  sha256: async (bytes) => toLine(await sha256(bytes)),
};

/** Reads standard input to its end. */
function read() {
  const stream = getStdin();
  /** @type {Uint8Array[]} */
  const chunks = [];
  for (;;) {
    try {
      chunks.push(stream.blockingRead(1n << 16n));
    } catch (error) {
      if (/** @type {any} */ (error).payload?.tag === "closed") break;
      throw "cannot read standard input";
    }
  }
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * Writes bytes to a stream.
 *
 * @param {ReturnType<typeof getStdout>} stream
 * @param {Uint8Array} bytes
 */
function write(stream, bytes) {
  for (let at = 0; at < bytes.length; at += MAX_WRITE) {
    stream.blockingWriteAndFlush(bytes.subarray(at, at + MAX_WRITE));
  }
}

/**
 * Returns the function that a command line names.
 *
 * @param {string[]} line
 * @returns {Command}
 */
function chosen([command, style]) {
  if (command === "case") {
    if (!STYLES.includes(style)) throw `\`${style ?? ""}\` is not a style: ${STYLES.join(", ")}`;
    return (bytes) => toBytes(changeCase(toText(bytes), style));
  }
  if (command in COMMANDS) return COMMANDS[command];
  throw `\`${command}\` is not a command: sesame run text-tools -- help`;
}

/** Does what the command line says. */
export async function run() {
  // The first argument is the name of the program.
  const line = getArguments().slice(1);
  if (["help", "--help", "-h", undefined].includes(line[0])) {
    write(getStdout(), toBytes(HELP));
    return;
  }
  try {
    write(getStdout(), await chosen(line)(read()));
  } catch (error) {
    write(getStderr(), toLine(`text-tools: ${error}`));
    throw undefined;
  }
}

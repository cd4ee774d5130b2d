// Base64 of bytes, as RFC 4648 defines it.

/** A multiple of three, so that no padding comes into the middle; functions take as many arguments. */
const CHUNK = 3 * 4096;

/**
 * Encodes bytes, with padding.
 *
 * @param {Uint8Array} bytes
 */
export function encode(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    out += btoa(
      String.fromCharCode.apply(null, /** @type {any} */ (bytes.subarray(at, at + CHUNK))),
    );
  }
  return out;
}

/**
 * Decodes either alphabet, with or without padding, over several lines or in one.
 *
 * @param {string} text
 */
export function decode(text) {
  const digits = text.replace(/\s/gu, "").replaceAll("-", "+").replaceAll("_", "/");
  const wrong = digits.replace(/=+$/u, "").match(/[^A-Za-z0-9+/]/u);
  if (wrong) throw `not base64: it contains \`${wrong[0]}\``;
  let decoded = "";
  try {
    decoded = atob(digits);
  } catch {
    throw "not base64: it ends too early";
  }
  const bytes = new Uint8Array(decoded.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = decoded.charCodeAt(at);
  return bytes;
}

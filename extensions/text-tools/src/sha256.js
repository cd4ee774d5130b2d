// SHA-256 of bytes, by the engine.

/**
 * Returns the digest in hexadecimal. A component waits for the promises of its functions.
 *
 * @param {Uint8Array} bytes
 */
export async function sha256(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", /** @type {any} */ (bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// JSON that is laid out anew. Its parts are copied, never computed: `1.0` and numbers of twenty
// digits stay as they are written, and so do equal keys.

/**
 * Makes sure that a text is JSON.
 *
 * @param {string} text
 */
function check(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw `not JSON: ${why.replace(/^JSON\.parse: /u, "")}`;
  }
}

/**
 * Returns the end of a string of JSON.
 *
 * @param {string} text
 * @param {number} start the place of its first quote
 */
function endOfString(text, start) {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return end + 1;
  }
}

/**
 * Returns the end of a number or a word of JSON.
 *
 * @param {string} text
 * @param {number} start
 */
function endOfWord(text, start) {
  let end = start + 1;
  while (end < text.length && !' \t\r\n,:]}"'.includes(text[end])) end += 1;
  return end;
}

/**
 * Lays valid JSON out anew. The engine interprets, so this is one loop over the text.
 *
 * @param {string} text
 * @param {string} colon what stands between a key and its value
 * @param {(depth: number) => string} line what stands between the parts of a list or an object
 */
function layOut(text, colon, line) {
  const out = [];
  let isEmpty = false;
  for (let at = 0, depth = 0, end = 0; at < text.length; at = end) {
    const char = text[at];
    end = at + 1;
    if (char === " " || char === "\n" || char === "\t" || char === "\r") continue;
    if (char === "]" || char === "}") {
      depth -= 1;
      out.push(isEmpty ? char : line(depth) + char);
      isEmpty = false;
      continue;
    }
    if (isEmpty) out.push(line(depth));
    isEmpty = char === "[" || char === "{";
    if (isEmpty) {
      depth += 1;
      out.push(char);
    } else if (char === ",") {
      out.push(char + line(depth));
    } else if (char === ":") {
      out.push(colon);
    } else {
      end = char === '"' ? endOfString(text, at) : endOfWord(text, at);
      out.push(text.slice(at, end));
    }
  }
  return out.join("");
}

/**
 * Removes the blanks between the parts of JSON.
 *
 * @param {string} text
 */
export function minifyJson(text) {
  check(text);
  return layOut(text, ":", () => "");
}

/**
 * Indents JSON by two spaces a level.
 *
 * @param {string} text
 */
export function formatJson(text) {
  check(text);
  /** @type {string[]} */
  const lines = [];
  return layOut(text, ": ", (depth) => {
    lines[depth] ??= `\n${"  ".repeat(depth)}`;
    return lines[depth];
  });
}

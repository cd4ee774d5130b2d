// Words of a text, and the ways to write them.

/** Marks, arrows and other characters beyond ASCII that are not letters. */
const MARKS = /[\s\u0080-\u00bf\u00d7\u00f7\u2000-\u2bff\u3000-\u303f\ufe30-\ufe6f\uff00-\uff0f]/u;

/**
 * Returns the sort of a character. The engine is built without the tables of Unicode for regular
 * expressions, but it knows both cases of each letter.
 *
 * @param {string} char
 */
function sort(char) {
  if (/[0-9]/u.test(char)) return "digit";
  if (char !== char.toLowerCase()) return "upper";
  if (char !== char.toUpperCase()) return "lower";
  // Letters without a case, such as those of Hebrew and Chinese.
  return char > "\u007f" && !MARKS.test(char) ? "other" : "mark";
}

/**
 * Whether a word ends between two characters.
 *
 * @param {string} before
 * @param {string} here
 * @param {string | undefined} next the one behind
 */
function isBorder(before, here, next) {
  if (before === here) return here === "upper" && next === "lower";
  return !(before === "upper" && here === "lower");
}

/**
 * Returns the words of a text: `parseHTTPRequest 2` has `parse`, `HTTP`, `Request` and `2`.
 *
 * @param {string} text
 * @returns {string[]}
 */
export function words(text) {
  const chars = [...text];
  const sorts = chars.map(sort);
  /** @type {string[]} */
  const found = [];
  chars.forEach((char, at) => {
    if (sorts[at] === "mark") return;
    if (at === 0 || isBorder(sorts[at - 1], sorts[at], sorts[at + 1])) found.push("");
    found[found.length - 1] += char;
  });
  return found;
}

/**
 * Returns a word with its first letter in upper case and the others in lower case.
 *
 * @param {string} word
 */
export function capitalize(word) {
  const [first = "", ...rest] = word;
  return first.toUpperCase() + rest.join("").toLowerCase();
}

/**
 * Returns a text with a capital at the beginning of each word and everything between them.
 *
 * @param {string} text
 */
function title(text) {
  let isInWord = false;
  const written = [...text].map((char) => {
    const wasInWord = isInWord;
    // An apostrophe is a part of `don't`.
    isInWord = sort(char) !== "mark" || (wasInWord && /['\u2019]/u.test(char));
    return wasInWord ? char.toLowerCase() : char.toUpperCase();
  });
  return written.join("");
}

/**
 * Returns a text in lower case with a capital at its beginning.
 *
 * @param {string} text
 */
function sentence(text) {
  const chars = [...text.toLowerCase()];
  const first = chars.findIndex((char) => sort(char) === "lower");
  if (first >= 0) chars[first] = chars[first].toUpperCase();
  return chars.join("");
}

/** @type {Record<string, (text: string) => string>} */
const WRITERS = {
  // These four keep everything between the words.
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  title,
  sentence,
  camel: (text) => {
    const [first = "", ...rest] = words(text);
    return first.toLowerCase() + rest.map(capitalize).join("");
  },
  pascal: (text) => words(text).map(capitalize).join(""),
  snake: (text) => words(text).join("_").toLowerCase(),
  constant: (text) => words(text).join("_").toUpperCase(),
  kebab: (text) => words(text).join("-").toLowerCase(),
};

/** The names of the styles. */
export const STYLES = Object.keys(WRITERS);

/**
 * Writes a text in another case.
 *
 * @param {string} text
 * @param {string} style one of `STYLES`
 */
export function changeCase(text, style) {
  return WRITERS[style](text);
}

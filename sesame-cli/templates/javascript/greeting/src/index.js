// Greets people.

import { get } from "open-sesame:host/config-read@0.1.1";

/**
 * Greets a person.
 *
 * @param {string} name
 */
export function greet(name) {
  const template = get("greeting.template") ?? "Hello, {}!";
  return template.replace("{}", () => name);
}

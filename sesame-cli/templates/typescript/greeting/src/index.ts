// Greets people.

import { get } from "open-sesame:host/config-read@0.1.1";

/** Greets a person. */
export function greet(name: string): string {
  const template = get("greeting.template") ?? "Hello, {}!";
  return template.replace("{}", () => name);
}

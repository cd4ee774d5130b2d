// Greets people.

import { get } from "open-sesame:host/config-read@0.1.0";

export function greet(name) {
  const template = get("greeting.template") ?? "Hello, {}!";
  return template.replace("{}", name);
}

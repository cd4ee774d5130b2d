// Greets people.

import { configured } from "./host";

/** Greets a person. */
export function greet(name: string): string {
  const template = configured("greeting.template");
  return (template ? template : "Hello, {}!").replace("{}", name);
}

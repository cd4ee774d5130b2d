// Labels a workload with the greeting that it is configured with.

import { addLabel, configured, give, invalid, owner, spec } from "./runtime";
export { free, malloc } from "./runtime";

/** Says what is wrong with a workload. 0 is a new one, 1 a changed one, 2 one that is removed. */
export function Validate(type: i32): void {
  if (type != 2 && spec().indexOf('"rude"') >= 0) invalid("spec", "be polite", "rude");
}

/** Gives back JSON that is merged into the workload, or 0. */
export function Defaulting(): u64 {
  return spec().indexOf('"greeting"') < 0 ? give('{"spec":{"greeting":"Hello"}}') : 0;
}

/** Adds what the workload is to have. */
export function Sync(): void {
  addLabel("greeting", configured("GREETING", "Hello") + "-" + owner(2));
}

/** Cleans up after the workload. */
export function Delete(): u64 {
  return 0;
}

// Labels a workload with the configured greeting.

import { addLabel, configured, give, invalid, owner, spec } from "./runtime";
export { free, malloc } from "./runtime";

/** Reports the errors of a workload: a created (0), changed (1) or deleted (2) one. */
export function Validate(type: i32): void {
  if (type != 2 && spec().indexOf('"rude"') >= 0) invalid("spec", "be polite", "rude");
}

/** Returns JSON that is merged into the workload, or 0. */
export function Defaulting(): u64 {
  return spec().indexOf('"greeting"') < 0 ? give('{"spec":{"greeting":"Hello"}}') : 0;
}

/** Adds the label to the workload. */
export function Sync(): void {
  addLabel("greeting", configured("GREETING", "Hello") + "-" + owner(2));
}

/** Cleans up after the workload. */
export function Delete(): u64 {
  return 0;
}

// The exports of wit/world.wit, in the form that the host calls.

import { lift, lower } from "./abi";
import * as extension from "./index";

export { cabi_realloc } from "./abi";

export function greet(name: usize, units: i32): usize {
  return lower(extension.greet(lift(name, units)));
}

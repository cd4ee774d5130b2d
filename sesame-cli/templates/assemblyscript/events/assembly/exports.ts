// The exports of wit/world.wit, in the form that the host calls; interfaces.mjs names them.

import { area, lift } from "./abi";
import { Event } from "./event";
import * as extension from "./index";

export { cabi_realloc } from "./abi";

export function handle(
  name: usize,
  units: i32,
  values: usize,
  count: i32,
  time: u64,
  missed: u32,
): usize {
  const event = new Event(lift(name, units), values, count, time, missed);
  const error = extension.handle(event);
  const result = area(12);
  store<u8>(result, error ? 1 : 0);
  if (error) {
    store<usize>(result, changetype<usize>(error), 4);
    store<i32>(result, error.length, 8);
  }
  return result;
}

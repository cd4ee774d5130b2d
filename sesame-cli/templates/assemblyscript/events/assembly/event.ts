// An event, as wit/deps/open-sesame-extension describes it.

import { lift } from "./abi";

/** The bytes of a name with its value: a text, the type of the value, and the value. */
const VALUE: i32 = 24;

/** Something that happened. */
export class Event {
  constructor(
    /** Such as `power.battery`. */
    public name: string,
    private values: usize,
    private count: i32,
    /** When the host learned of it, in milliseconds since 1970. */
    public time: u64,
    /** How many of the same name were left out before this one. */
    public missed: u32,
  ) {}

  /** Puts the values into a text: `{percent}` stands for that of `percent`. */
  filled(text: string): string {
    for (let i = 0; i < this.count; i++) {
      const place = this.values + i * VALUE;
      const name = lift(load<usize>(place), load<i32>(place, 4));
      text = text.replaceAll("{" + name + "}", inWords(place + 8));
    }
    return text;
  }
}

/** Returns a value in words: a text, a whole number, a number or a truth. */
function inWords(place: usize): string {
  switch (load<u8>(place)) {
    case 0:
      return lift(load<usize>(place, 8), load<i32>(place, 12));
    case 1:
      return load<i64>(place, 8).toString();
    case 2:
      return load<f64>(place, 8).toString();
    default:
      return load<u8>(place, 8) ? "true" : "false";
  }
}

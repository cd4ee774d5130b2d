// The imports of wit/world.wit.

import { area, lift } from "./abi";

@external("open-sesame:host/config-read@0.1.1", "get")
declare function getConfig(key: usize, units: i32, result: usize): void;

/** Returns the value of a setting, or nothing where it has none. */
export function configured(key: string): string | null {
  const result = area(12);
  getConfig(changetype<usize>(key), key.length, result);
  return load<u8>(result) ? lift(load<usize>(result, 4), load<i32>(result, 8)) : null;
}

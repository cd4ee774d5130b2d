// The imports of wit/world.wit.

import { area } from "./abi";

@external("open-sesame:host/notification@0.1.1", "show")
declare function show(
  summary: usize,
  summaryUnits: i32,
  body: usize,
  bodyUnits: i32,
  urgency: i32,
  result: usize,
): void;

/** The urgency of an ordinary notification. */
const NORMAL: i32 = 1;

/** Shows a notification. Returns an error, or nothing. */
export function notify(title: string, text: string): string | null {
  const result = area(24);
  const summary = changetype<usize>(title);
  const body = changetype<usize>(text);
  show(summary, title.length, body, text.length, NORMAL, result);
  return load<u8>(result) ? "the notification is not shown" : null;
}

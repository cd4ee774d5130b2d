// @DESCRIPTION@.

import { Event } from "./event";
import { notify } from "./host";

/** Handles an event. Returns an error for the log, or nothing. */
export function handle(event: Event): string | null {
@EVENT_ARMS@
  // One that this version does not know.
  return null;
}

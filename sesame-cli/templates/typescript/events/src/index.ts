// @DESCRIPTION@.

import type { Event } from "open-sesame:extension/events@0.1.0";
import { show } from "open-sesame:host/notification@0.1.1";

/** What it says of each event: a title, and a text with the values of the event. */
const TEXTS: Record<string, { title: string; text: string }> = {
@EVENT_ARMS@
};

export const events = {
  /** Handles an event. What it throws goes to the log of the extension. */
  handle(event: Event) {
    const said = TEXTS[event.name];
    if (!said) return; // One that this version does not know.
    let text = said.text;
    for (const [name, value] of event.values) {
      text = text.replaceAll(`{${name}}`, () => String(value.val));
    }
    try {
      show(said.title, text, "normal");
    } catch {
      throw "the notification is not shown";
    }
  },
};

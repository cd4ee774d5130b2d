// @DESCRIPTION@.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/extension.h"

typedef exports_open_sesame_extension_events_event_t event_t;
typedef exports_open_sesame_extension_events_value_t value_t;

// What it says of each event: a title, and a text with the values of the event.
static const struct {
  const char *event, *title, *text;
} TEXTS[] = {
@EVENT_ARMS@
};

static bool is(const extension_string_t *text, const char *other, size_t len) {
  return text->len == len && memcmp(text->ptr, other, len) == 0;
}

static void put_value(FILE *out, const value_t *value) {
  switch (value->tag) {
  case EXPORTS_OPEN_SESAME_EXTENSION_EVENTS_VALUE_TEXT:
    fwrite(value->val.text.ptr, 1, value->val.text.len, out);
    break;
  case EXPORTS_OPEN_SESAME_EXTENSION_EVENTS_VALUE_WHOLE:
    fprintf(out, "%" PRId64, value->val.whole);
    break;
  case EXPORTS_OPEN_SESAME_EXTENSION_EVENTS_VALUE_NUMBER:
    fprintf(out, "%g", value->val.number);
    break;
  default:
    fputs(value->val.truth ? "true" : "false", out);
  }
}

// Puts the values of an event into a text: `{percent}` stands for that of `percent`.
static void fill(FILE *out, const char *text, const event_t *event) {
  for (; *text; text++) {
    const char *end = *text == '{' ? strchr(text, '}') : NULL;
    if (!end) {
      fputc(*text, out);
      continue;
    }
    for (size_t i = 0; i < event->values.len; i++) {
      if (is(&event->values.ptr[i].f0, text + 1, (size_t)(end - text - 1))) {
        put_value(out, &event->values.ptr[i].f1);
      }
    }
    text = end;
  }
}

static bool notify(const char *title, const char *text, const event_t *event) {
  char *said = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&said, &len);
  fill(out, text, event);
  fclose(out);
  extension_string_t summary, body = {(uint8_t *)said, len};
  extension_string_set(&summary, title);
  open_sesame_host_notification_error_t error;
  bool is_shown = open_sesame_host_notification_show(
      &summary, &body, OPEN_SESAME_HOST_NOTIFICATION_URGENCY_NORMAL, &error);
  free(said);
  return is_shown;
}

bool exports_open_sesame_extension_events_handle(event_t *event, extension_string_t *error) {
  bool is_handled = true; // So is an event that this version does not know.
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    if (is(&event->name, TEXTS[i].event, strlen(TEXTS[i].event))) {
      is_handled = notify(TEXTS[i].title, TEXTS[i].text, event);
    }
  }
  if (!is_handled) {
    extension_string_dup(error, "the notification is not shown");
  }
  exports_open_sesame_extension_events_event_free(event);
  return is_handled;
}

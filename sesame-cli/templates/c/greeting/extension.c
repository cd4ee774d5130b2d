// Greets people.

#include <stdlib.h>
#include <string.h>

#include "gen/extension.h"

static const char DEFAULT[] = "Hello, {}!";

void exports_extension_greet(extension_string_t *name, extension_string_t *greeting) {
  extension_string_t key, template;
  extension_string_set(&key, "greeting.template");
  if (!open_sesame_host_config_read_get(&key, &template)) {
    extension_string_dup(&template, DEFAULT);
  }
  uint8_t *hole = memmem(template.ptr, template.len, "{}", 2);
  size_t before = hole ? (size_t)(hole - template.ptr) : template.len;
  size_t after = hole ? template.len - before - 2 : 0;
  size_t middle = hole ? name->len : 0;
  greeting->len = before + middle + after;
  greeting->ptr = malloc(greeting->len + 1);
  memcpy(greeting->ptr, template.ptr, before);
  memcpy(greeting->ptr + before, name->ptr, middle);
  memcpy(greeting->ptr + before + middle, template.ptr + template.len - after, after);
  extension_string_free(&template);
  extension_string_free(name);
}

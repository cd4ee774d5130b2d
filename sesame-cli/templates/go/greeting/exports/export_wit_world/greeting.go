// Package export_wit_world has the exports of wit/world.wit; the generator chose its name.
package export_wit_world

import (
	"strings"

	config "local/@NAME@/imports/open_sesame_host_config_read"
)

// Greet greets a person.
func Greet(name string) string {
	template := config.Get("greeting.template").SomeOr("Hello, {}!")
	return strings.Replace(template, "{}", name, 1)
}

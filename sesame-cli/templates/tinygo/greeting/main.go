// Greets people.
package main

import "strings"

// greet greets a person.
func greet(name string) string {
	template := configured("greeting.template", "Hello, {}!")
	return strings.Replace(template, "{}", name, 1)
}

func main() {}

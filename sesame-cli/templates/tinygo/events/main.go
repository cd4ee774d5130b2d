// @DESCRIPTION@.
package main

// handle handles an event. It returns an error for the log, or an empty text.
func handle(event event) string {
	var title, text string
	switch event.name {
@EVENT_ARMS@
	default: // One that this version does not know.
		return ""
	}
	return notify(title, event.filled(text))
}

func main() {}

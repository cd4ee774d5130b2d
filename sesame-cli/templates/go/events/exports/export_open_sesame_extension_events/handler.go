// Package export_open_sesame_extension_events has the exported interface of wit/world.wit; the
// generator chose its name.
package export_open_sesame_extension_events

import (
	"fmt"
	"strings"

	wit "go.bytecodealliance.org/pkg/wit/types"

	events "local/@NAME@/imports/open_sesame_extension_events"
	notification "local/@NAME@/imports/open_sesame_host_notification"
)

// Handle handles an event. An error goes to the log of the extension.
func Handle(event events.Event) wit.Result[wit.Unit, string] {
	var title, text string
	switch event.Name {
@EVENT_ARMS@
	default: // One that this version does not know.
		return wit.Ok[wit.Unit, string](wit.Unit{})
	}
	for _, value := range event.Values {
		text = strings.ReplaceAll(text, "{"+value.F0+"}", inWords(value.F1))
	}
	if notification.Show(title, text, notification.Urgency_Normal).IsErr() {
		return wit.Err[wit.Unit, string]("the notification is not shown")
	}
	return wit.Ok[wit.Unit, string](wit.Unit{})
}

func inWords(value events.Value) string {
	switch value.Tag() {
	case events.Value_Text:
		return value.Text()
	case events.Value_Whole:
		return fmt.Sprint(value.Whole())
	case events.Value_Number:
		return fmt.Sprint(value.Number())
	default:
		return fmt.Sprint(value.Truth())
	}
}

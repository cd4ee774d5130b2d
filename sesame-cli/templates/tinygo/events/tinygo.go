// The imports and exports of wit/world.wit, in the form that the host calls.

package main

import (
	"strconv"
	"strings"
	"unsafe"
)

// event is something that happened.
type event struct {
	name   string
	values []namedValue
	// When the host learned of it, in milliseconds since 1970.
	time uint64
	// How many of the same name were left out before this one.
	missed uint32
}

// namedValue is a name with its value: a text, a whole number, a number or a truth.
type namedValue struct {
	name text
	kind uint32
	_    uint32
	// A number, or the place of a text.
	value uint64
}

// filled puts the values of an event into a text: `{percent}` stands for that of `percent`.
func (event event) filled(text string) string {
	for i := range event.values {
		value := &event.values[i]
		name := lift(value.name.bytes, value.name.size)
		text = strings.ReplaceAll(text, "{"+name+"}", value.inWords())
	}
	return text
}

func (value *namedValue) inWords() string {
	place := unsafe.Pointer(&value.value)
	switch value.kind & 0xff {
	case 0:
		written := (*text)(place)
		return lift(written.bytes, written.size)
	case 1:
		return strconv.FormatInt(*(*int64)(place), 10)
	case 2:
		return strconv.FormatFloat(*(*float64)(place), 'g', -1, 64)
	default:
		return strconv.FormatBool(*(*uint8)(place) != 0)
	}
}

// The urgency of an ordinary notification.
const normal = 1

//go:wasmimport open-sesame:host/notification@0.1.1 show
func hostShow(summary unsafe.Pointer, summarySize uint32, body unsafe.Pointer, bodySize uint32, urgency uint32, result unsafe.Pointer)

// notify shows a notification. It returns an error, or an empty text.
func notify(title, body string) string {
	var result [3]uint64
	summary, said := unsafe.StringData(title), unsafe.StringData(body)
	place := unsafe.Pointer(&result)
	hostShow(unsafe.Pointer(summary), uint32(len(title)), unsafe.Pointer(said), uint32(len(body)), normal, place)
	if result[0]&0xff != 0 {
		return "the notification is not shown"
	}
	return ""
}

// failure is a result with an error, or without one.
type failure struct {
	isError uint32
	error   text
}

//go:wasmexport open-sesame:extension/events@0.1.0#handle
func exportHandle(name unsafe.Pointer, size uint32, values unsafe.Pointer, count uint32, time uint64, missed uint32) unsafe.Pointer {
	named := unsafe.Slice((*namedValue)(values), int(count))
	said := handle(event{lift(name, size), named, time, missed})
	result := &failure{}
	if said != "" {
		result.isError = 1
		result.error = text{unsafe.Pointer(unsafe.StringData(said)), uint32(len(said))}
		keep(result.error.bytes)
	}
	return keep(unsafe.Pointer(result))
}

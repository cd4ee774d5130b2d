// The imports and exports of wit/world.wit, in the form that the host calls.

package main

import "unsafe"

// optionalText is that of one that may be missing.
type optionalText struct {
	isThere uint32
	text    text
}

//go:wasmimport open-sesame:host/config-read@0.1.1 get
func hostConfig(key unsafe.Pointer, size uint32, result unsafe.Pointer)

// configured returns the value of a setting, or another text where it has none.
func configured(key, otherwise string) string {
	var found optionalText
	hostConfig(unsafe.Pointer(unsafe.StringData(key)), uint32(len(key)), unsafe.Pointer(&found))
	if found.isThere&1 == 0 {
		return otherwise
	}
	return lift(found.text.bytes, found.text.size)
}

//go:wasmexport greet
func exportGreet(name unsafe.Pointer, size uint32) unsafe.Pointer {
	return lower(greet(lift(name, size)))
}

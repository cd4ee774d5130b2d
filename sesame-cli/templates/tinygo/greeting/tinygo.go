// The imports and exports of wit/world.wit, as components pass texts: an address and a length.

package main

import "unsafe"

// text is the place of a text in memory.
type text struct {
	bytes unsafe.Pointer
	size  uint32
}

// optionalText is that of one that may be missing.
type optionalText struct {
	isThere uint32
	text    text
}

// Memory that the host has yet to read. Each call has an instance of its own, so nothing is freed.
var kept []unsafe.Pointer

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

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	// Words are aligned for every type of a component.
	words := make([]uint64, (size+7)/8+1)
	memory := unsafe.Pointer(&words[0])
	if old != nil {
		copy(unsafe.Slice((*byte)(memory), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return keep(memory)
}

func lift(bytes unsafe.Pointer, size uint32) string {
	return unsafe.String((*byte)(bytes), int(size))
}

func lower(value string) unsafe.Pointer {
	place := &text{unsafe.Pointer(unsafe.StringData(value)), uint32(len(value))}
	keep(place.bytes)
	return keep(unsafe.Pointer(place))
}

func keep(memory unsafe.Pointer) unsafe.Pointer {
	kept = append(kept, memory)
	return memory
}

// Texts as components pass them: an address and a length.

package main

import "unsafe"

// text is the place of a text in memory.
type text struct {
	bytes unsafe.Pointer
	size  uint32
}

// Memory that the host has yet to read. Each call has an instance of its own, so nothing is freed.
var kept []unsafe.Pointer

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

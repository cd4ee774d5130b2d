//go:build !tinygo

package main

import "unsafe"

// The memory that the host allocated, kept alive. TinyGo has these two functions by itself.
var kept = map[uint32][]byte{}

//go:wasmexport malloc
func malloc(size uint32) uint32 {
	bytes := make([]byte, size+1)
	address := uint32(uintptr(unsafe.Pointer(&bytes[0])))
	kept[address] = bytes
	return address
}

//go:wasmexport free
func free(address uint32) { delete(kept, address) }

package main

import "unsafe"

//go:wasmimport suffiks AddLabel
func hostAddLabel(ptr, size uint32)

//go:wasmimport suffiks ValidationError
func hostValidationError(ptr, size uint32)

//go:wasmimport suffiks GetSpec
func hostGetSpec() uint64

//go:wasmimport suffiks GetOwner
func hostGetOwner() uint64

// The bytes that the host has yet to read.
var given []byte

func address(bytes []byte) (uint32, uint32) {
	if len(bytes) == 0 {
		return 0, 0
	}
	return uint32(uintptr(unsafe.Pointer(&bytes[0]))), uint32(len(bytes))
}

// message encodes a protobuf message of texts, with fields numbered from 1.
func message(fields ...string) []byte {
	var out []byte
	for i, field := range fields {
		out = append(out, byte((i+1)<<3|2))
		length := len(field)
		for length >= 128 {
			out = append(out, byte(length)|128)
			length >>= 7
		}
		out = append(append(out, byte(length)), field...)
	}
	return out
}

func bytesOf(packed uint64) []byte {
	if packed == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(packed>>32))), uint32(packed))
}

// spec returns the part of the workload's spec for this extension, as JSON.
func spec() string { return string(bytesOf(hostGetSpec())) }

// owner returns a text field of the message about the workload: 2 is its name, 3 its namespace.
func owner(field byte) string {
	bytes := bytesOf(hostGetOwner())
	for len(bytes) > 1 {
		tag, length := bytes[0], int(bytes[1])
		if tag>>3 == field {
			return string(bytes[2 : 2+length])
		}
		bytes = bytes[2+length:]
	}
	return ""
}

func addLabel(name, value string) { hostAddLabel(address(message(name, value))) }

func invalid(path, detail, value string) { hostValidationError(address(message(path, detail, value))) }

// give returns the result of Defaulting: JSON that is merged into the workload.
func give(json string) uint64 {
	given = []byte(json)
	ptr, size := address(given)
	return uint64(ptr)<<32 | uint64(size)
}

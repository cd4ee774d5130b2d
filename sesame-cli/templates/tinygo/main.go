// Labels a workload with the greeting that it is configured with.
package main

import (
	"os"
	"strings"
)

// Validate says what is wrong with a workload: 0 is a new one, 1 a changed one, 2 one that is removed.
//
//go:wasmexport Validate
func Validate(kind int32) {
	if kind != 2 && strings.Contains(spec(), `"rude"`) {
		invalid("spec", "be polite", "rude")
	}
}

// Defaulting gives back JSON that is merged into the workload, or 0.
//
//go:wasmexport Defaulting
func Defaulting() uint64 {
	if strings.Contains(spec(), `"greeting"`) {
		return 0
	}
	return give(`{"spec":{"greeting":"Hello"}}`)
}

// Sync adds what the workload is to have.
//
//go:wasmexport Sync
func Sync() {
	greeting := os.Getenv("GREETING")
	if greeting == "" {
		greeting = "Hello"
	}
	addLabel("greeting", greeting+"-"+owner(2))
}

// Delete cleans up after the workload.
//
//go:wasmexport Delete
func Delete() uint64 { return 0 }

func main() {}

// Labels a workload with the configured greeting.
package main

import (
	"os"
	"strings"
)

// Validate reports the errors of a workload: a created (0), changed (1) or deleted (2) one.
//
//go:wasmexport Validate
func Validate(kind int32) {
	if kind != 2 && strings.Contains(spec(), `"rude"`) {
		invalid("spec", "be polite", "rude")
	}
}

// Defaulting returns JSON that is merged into the workload, or 0.
//
//go:wasmexport Defaulting
func Defaulting() uint64 {
	if strings.Contains(spec(), `"greeting"`) {
		return 0
	}
	return give(`{"spec":{"greeting":"Hello"}}`)
}

// Sync adds the label to the workload.
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

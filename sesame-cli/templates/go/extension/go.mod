module local/@NAME@

go 1.27.1

// The types of the bindings in imports and exports.
require go.bytecodealliance.org/pkg v0.4.0

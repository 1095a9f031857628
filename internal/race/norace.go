//go:build !race

// Package race reports whether the race detector is on. Tests that count
// allocations need to know: the detector allocates where the program does not.
package race

// Enabled reports whether the program was built with -race.
const Enabled = false

//go:build race

package chanx_test

// raceEnabled tells allocation tests to stand aside: the race detector
// allocates where the program does not.
const raceEnabled = true

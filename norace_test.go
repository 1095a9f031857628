//go:build !race

package chanx_test

const raceEnabled = false

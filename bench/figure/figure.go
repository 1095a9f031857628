// Package figure writes measured numbers for people: three significant digits
// at most, and a unit that suits them.
package figure

import (
	"fmt"
	"math"
)

// None stands in a cell that a contestant cannot fill.
const None = "–"

// Time writes nanoseconds.
func Time(ns float64) string {
	return scaled(ns, 1000, "ns", "µs", "ms", "s")
}

// Bytes writes a number of bytes, in powers of 1,000.
func Bytes(n float64) string {
	return scaled(n, 1000, "B", "kB", "MB", "GB")
}

// Rate writes a number per second.
func Rate(perSecond float64) string {
	return scaled(perSecond, 1000, "/s", "k/s", "M/s", "G/s")
}

// Ratio writes how many times the second one the first is.
func Ratio(ours, theirs float64) string {
	if theirs == 0 {
		return None
	}
	return fmt.Sprintf("%.2fx", ours/theirs)
}

// Percent writes a share of one.
func Percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// Number writes a plain number.
func Number(v float64) string {
	switch {
	case math.Abs(v) >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func scaled(v, step float64, units ...string) string {
	unit := 0
	// 999.7 would be written as 1000, hence the half.
	for unit < len(units)-1 && math.Abs(v) >= step-0.5 {
		v /= step
		unit++
	}
	return Number(v) + " " + units[unit]
}

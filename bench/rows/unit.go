package rows

import (
	"fmt"
	"math"
	"strings"
)

// A Unit is the unit of a figure.
type Unit string

const (
	Time    Unit = "ns"
	Bytes   Unit = "B"
	Rate    Unit = "/s"
	Percent Unit = "%"
	Ratios  Unit = "x"
	Plain   Unit = ""
)

var scales = map[Unit][]string{
	Time: {"ns", "µs", "ms", "s"}, Bytes: {"B", "kB", "MB", "GB"},
	Rate: {"/s", "k/s", "M/s", "G/s"},
}

// Format writes v with three digits at most.
func (u Unit) Format(v float64) string {
	if u == Ratios {
		return fmt.Sprintf("%.2f", v)
	}
	names, ok := scales[u]
	if !ok {
		return strings.TrimSpace(digits(v) + " " + string(u))
	}
	at := 0
	for at < len(names)-1 && math.Abs(v) >= 999.5 {
		v /= 1000
		at++
	}
	return digits(v) + " " + names[at]
}

// Span writes an interval, its unit once if it is the same.
func (u Unit) Span(i Interval) string {
	m, low, high := u.Format(i.Median), u.Format(i.Low), u.Format(i.High)
	if low == high {
		return m
	}
	_, unit, _ := strings.Cut(m, " ")
	trim := func(s string) string {
		if before, after, _ := strings.Cut(s, " "); after == unit {
			return before
		}
		return s
	}
	if trim(low) != low && trim(high) != high {
		low, high = trim(low), trim(high)
	}
	return fmt.Sprintf("%s (%s–%s)", m, low, high)
}

func digits(v float64) string {
	switch a := math.Abs(v); {
	case a >= 99.95 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 9.995:
		return fmt.Sprintf("%.1f", v)
	case a < 0.01:
		return fmt.Sprintf("%.1g", v)
	}
	return fmt.Sprintf("%.2f", v)
}

package growth

import (
	"fmt"
	"math"
)

// exponent returns the b of y = a·x^b that lies closest to the points, by the
// least squares of the logarithms. Fewer than two different x have none: NaN.
func exponent(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(x))
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(max(y[i], 1e-9))
		sx, sy = sx+lx, sy+ly
		sxx, sxy = sxx+lx*lx, sxy+lx*ly
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// largeEnd is the exponent of the upper half of the points, the middle one
// included. What costs a + b·x looks flat where a is what counts, and is
// linear nevertheless: the large end tells.
func largeEnd(x, y []float64) float64 {
	from := (len(x) - 1) / 2
	return exponent(x[from:], y[from:])
}

// Exponents this close count as equal: a doubling of x then costs 15 % more or
// less than it should, which is the noise of a measurement.
const tolerance = 0.2

// shape names an exponent.
func shape(b float64) string {
	switch {
	case math.IsNaN(b):
		return "unknown"
	case b < -tolerance:
		return "falling"
	case b <= tolerance:
		return "flat"
	case b < 1-tolerance:
		return fmt.Sprintf("below linear, x^%.1f", b)
	case b <= 1+tolerance:
		return "linear"
	}
	return fmt.Sprintf("above linear, x^%.1f", b)
}

// bound is how fast a cost may grow.
type bound float64

const (
	flat   bound = 0
	linear bound = 1
)

func (b bound) String() string {
	if b == flat {
		return "flat"
	}
	return "at most linear"
}

// holds says whether a cost that grows with exponent b keeps to the bound.
func (limit bound) holds(b float64) bool {
	return b <= float64(limit)+tolerance
}

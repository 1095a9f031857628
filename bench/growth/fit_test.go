package growth

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFit(t *testing.T) {
	x := []float64{1, 10, 100, 1000, 10_000}
	of := func(f func(float64) float64) (y []float64) {
		for _, v := range x {
			y = append(y, f(v))
		}
		return y
	}
	for _, c := range []struct {
		f            func(float64) float64
		all, large   float64
		shape        string
		flat, atMost bool
	}{
		{func(float64) float64 { return 7 }, 0, 0, "flat", true, true},
		{func(x float64) float64 { return 3 * x }, 1, 1, "linear", false, true},
		{func(x float64) float64 { return x * x / 9 }, 2, 2,
			"above linear, x^2.0", false, false},
		{math.Sqrt, 0.5, 0.5, "below linear, x^0.5", false, true},
		{func(x float64) float64 { return 1 / x }, -1, -1, "falling", true, true},
		{func(x float64) float64 { return 100 + x }, 0.46, 0.87, "linear",
			false, true},
	} {
		y := of(c.f)
		assert.InDelta(t, c.all, exponent(x, y), 0.05, c.shape)
		large := largeEnd(x, y)
		assert.InDelta(t, c.large, large, 0.05, c.shape)
		assert.Equal(t, c.shape, shape(large))
		assert.Equal(t, c.flat, flat.holds(large), c.shape)
		assert.Equal(t, c.atMost, linear.holds(large), c.shape)
	}
	assert.Equal(t, "unknown", shape(exponent([]float64{2}, []float64{2})))
	assert.False(t, flat.holds(math.NaN()), "what is unknown does not hold")
}

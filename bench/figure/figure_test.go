package figure

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFigures(t *testing.T) {
	for _, c := range []struct{ want, got string }{
		{"0 ns", Time(0)},
		{"7.25 ns", Time(7.25)},
		{"45.3 ns", Time(45.26)},
		{"1 µs", Time(1000)},
		{"1.00 µs", Time(999.7)},
		{"12.5 ms", Time(12.5e6)},
		{"3600 s", Time(3600e9)},
		{"200 MB", Bytes(200e6)},
		{"9.70 M/s", Rate(9.7e6)},
		{"0.50x", Ratio(1, 2)},
		{None, Ratio(1, 0)},
		{"99.5 %", Percent(0.995)},
	} {
		assert.Equal(t, c.want, c.got)
	}
}

package growth

import (
	"time"

	"example.com/chanx/bench/dump"
	"example.com/chanx/bench/figure"
)

func byDump() []series {
	return []series{{
		"goroutines in a dump", []int{1000, 10_000, 100_000, 1_000_000}, 2,
		[]cost{
			{"doctor.Parse: time", linear, figure.Time},
			{"doctor.Parse: memory", linear, figure.Bytes},
		},
		func(goroutines int, _ time.Duration) ([]float64, error) {
			ns, bytes, err := dump.Reading(goroutines)
			return []float64{ns, max(bytes, 1)}, err
		},
	}}
}

package growth

import (
	"time"

	"example.com/chanx/bench/dump"
	"example.com/chanx/bench/figure"
)

func byDump() []series {
	at := []int{1000, 10_000, 100_000, 1_000_000}
	return []series{
		{"doctor.Parse: time", "goroutines in a dump", at, 2, linear,
			figure.Time,
			func(goroutines int, _ time.Duration) (float64, error) {
				ns, _, err := dump.Reading(goroutines)
				return ns, err
			}},
		{"doctor.Parse: memory", "goroutines in a dump", at, 2, linear,
			figure.Bytes,
			func(goroutines int, _ time.Duration) (float64, error) {
				_, bytes, err := dump.Reading(goroutines)
				return max(bytes, 1), err
			}},
	}
}

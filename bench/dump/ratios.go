package dump

import (
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// Ratios returns what the rows on the doctor ask for. Quick, the dump has a
// thousandth of the goroutines, and its memory is scaled up.
func Ratios(o plan.Options) (map[string]float64, error) {
	s := size{1_000_000, o, []parser{ours, panicparse}}
	s.o.Rounds = 1
	parked := 100_000
	if o.Quick {
		s.goroutines, parked = 1000, 2000
	}
	read, err := parseAll(s)
	if err != nil {
		return nil, err
	}
	o.Rounds = 3 * round.Rounds(o)
	stop, err := samples(o, parked, samplers[:2])
	if err != nil {
		return nil, err
	}
	scale := 1_000_000 / float64(s.goroutines)
	return map[string]float64{
		"time, panicparse": read[0][0] / read[1][0],
		"megabytes":        read[0][1] * scale / 1e6,
		"stop, pprof":      stop[0][stopped] / stop[1][stopped],
		"gap, pprof":       stop[0][gap] / stop[1][gap],
	}, nil
}

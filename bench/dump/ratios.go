package dump

import (
	"runtime"

	"example.com/chanx/bench/plan"
)

// Ratios returns what the rows on the doctor ask for, from a million
// goroutines, read once: panicparse needs most of a minute and 6 GB for them.
// Quick, both dumps are smaller: a thousandth for the time, and a tenth for the
// memory, which is scaled up: fixed costs must not count a thousand times.
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
	own, theirs := read[0].Medians(), read[1].Medians()
	memory := own[1]
	if o.Quick {
		tenth, err := parse(ours, 100_000)
		if err != nil {
			return nil, err
		}
		memory = 10 * tenth[1]
	}
	stop, err := samples(o, parked, fivefold(samplers[:2]))
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"time, panicparse": own[0] / theirs[0],
		"megabytes":        memory / 1e6,
		"stops, pprof":     stop[0][stops] / stop[1][stops],
		"stopped, pprof":   stop[0][stopped] / stop[1][stopped],
	}, nil
}

// fivefold takes five samples at a time: two stops of 50 microseconds, whose
// length is known to an eighth, are too little to compare. A collection that
// is under way makes a stop ten times as long, hence each has its own before.
func fivefold(of []sampler) (all []sampler) {
	for _, s := range of {
		all = append(all, sampler{s.name, func() {
			for range 5 {
				runtime.GC()
				s.take()
			}
		}})
	}
	return all
}

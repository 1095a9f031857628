// Package round measures contestants in turns, so that what else the machine
// does meets all of them, and returns medians.
package round

import (
	"slices"

	"example.com/chanx/bench/plan"
)

// Robin measures each of the named contestants once in every round, and
// returns the median of each of their figures. A measurement takes what it
// needs; it is told which contestant by its index. A nil result, which must
// then be nil in every round, means that this one cannot take part. The first
// error ends it.
func Robin(o plan.Options, what string, names []string,
	measure func(i int) ([]float64, error)) ([][]float64, error) {
	all, err := Turns(o, what, names, measure)
	medians := make([][]float64, len(all))
	for i, one := range all {
		medians[i] = one.Medians()
	}
	return medians, err
}

// Samples are what the rounds gave for each figure of one contestant.
type Samples [][]float64

// Medians returns the median of each figure.
func (s Samples) Medians() (m []float64) {
	for _, v := range s {
		m = append(m, Median(v))
	}
	return m
}

// Turns is Robin without the medians.
func Turns(o plan.Options, what string, names []string,
	measure func(i int) ([]float64, error)) ([]Samples, error) {
	seen := make([]Samples, len(names))
	for round := range Rounds(o) {
		for _, i := range order(round, len(names)) {
			if o.Step != nil {
				o.Step(what + ": " + names[i])
			}
			figures, err := measure(i)
			if err != nil {
				return nil, err
			}
			if seen[i] == nil {
				seen[i] = make(Samples, len(figures))
			}
			for f, v := range figures {
				seen[i][f] = append(seen[i][f], v)
			}
		}
	}
	return seen, nil
}

// order is the other way in every other round, so that nobody has the same one
// before it each time.
func order(round, contestants int) []int {
	turns := make([]int, contestants)
	for i := range turns {
		turns[i] = i
	}
	if round%2 == 1 {
		slices.Reverse(turns)
	}
	return turns
}

// Rounds is at least one.
func Rounds(o plan.Options) int { return max(o.Rounds, 1) }

// Announce says how many measurements there will be in all, given how many a
// round has.
func Announce(o plan.Options, inARound int) {
	if o.Steps != nil {
		o.Steps(inARound * Rounds(o))
	}
}

// Median returns the middle of v, or the mean of its two middles. It panics if
// v is empty.
func Median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[n/2] + v[(n-1)/2]) / 2
}

// Spread returns half of what the least and the largest of v lie apart, by the
// median: the v of "100 ± v". It is 0 if the median is.
func Spread(v []float64) float64 {
	m := Median(v)
	if m == 0 {
		return 0
	}
	return (slices.Max(v) - slices.Min(v)) / 2 / m
}

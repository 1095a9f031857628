package queue

import (
	"strconv"

	"example.com/chanx/bench/round"
)

// figure is a column of the tables: a number that a measurement gives.
type figure struct {
	name string
	want better
	of   func(*result) float64
	show func(float64) string

	spread bool // a column beside it says how far the rounds lay apart
	paced  bool // it wins something only where all are offered the same
	spaced bool // it is shown only where calls are spaced, see the text
}

type better int

const (
	neither better = iota
	less
	more
)

var figures = []figure{
	{name: "ns/op", want: less, show: tenths, spread: true,
		of: func(r *result) float64 { return r.perOp }},
	{name: "allocs/op", want: less, show: hundredths,
		of: func(r *result) float64 { return r.allocs }},
	{name: "delivered/s", want: more, show: whole, spread: true,
		of: func(r *result) float64 { return r.delivered }},
	// Who sends more slowly has less to drop.
	{name: "dropped %", want: less, show: tenths, paced: true,
		of: func(r *result) float64 { return 100 * r.dropped }},
	{name: "p50 ns", want: less, show: whole, spaced: true,
		of: quantile(50)},
	{name: "p99 ns", want: less, show: whole, spaced: true,
		of: quantile(99)},
	{name: "p99.9 ns", want: less, show: whole, spaced: true,
		of: quantile(99.9)},
	// The largest is one event, most often the scheduler's.
	{name: "max ns", show: whole, spaced: true, of: quantile(100)},
	{name: "held KiB", want: less, show: whole,
		of: func(r *result) float64 { return r.memory / 1024 }},
}

// shown returns the figures of a table.
func shown(paced bool) (all []figure) {
	for _, f := range figures {
		if paced || !f.spaced {
			all = append(all, f)
		}
	}
	return all
}

func quantile(q float64) func(*result) float64 {
	return func(r *result) float64 {
		return float64(r.latency.ValueAtPercentile(q))
	}
}

// cells are those of the figure in the row of r, and what its rounds gave.
func (f figure) cells(r result) (cells []string, rounds [][]float64) {
	var values []float64
	for i := range r.rounds {
		values = append(values, f.of(&r.rounds[i]))
	}
	cells, rounds = []string{f.show(f.of(&r))}, [][]float64{values}
	if f.spread {
		cells = append(cells, whole(100*round.Spread(values)))
		rounds = append(rounds, nil)
	}
	return cells, rounds
}

// columns are the heads of what cells returns.
func (f figure) columns() []string {
	if f.spread {
		return []string{f.name, "± %"}
	}
	return []string{f.name}
}

func tenths(f float64) string     { return fixed(f, 1) }
func hundredths(f float64) string { return fixed(f, 2) }

func fixed(f float64, digits int) string {
	return strconv.FormatFloat(max(0, f), 'f', digits, 64)
}

// whole parts thousands by commas.
func whole(f float64) string {
	s := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

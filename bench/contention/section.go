// Package contention measures the Ring where its senders meet each other, a
// receiver, or a processor that they share with a descheduled holder of the
// lock, and the waiting of the timeout functions, against channels.
package contention

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

const text = `The Ring under contention, against a channel used by hand. Contestants of one
situation run in turn, in the opposite order every other round. A figure is the
median of the rounds. The interval behind it covers the middle 80 % of the
rounds, or all of them if there are fewer than ten. A ratio is taken within each
round. Both sides use the values they receive. Evict and retry is a send with a
default case that takes a value out of the full channel, in a loop.`

// A table compares contestants in several situations by the same figures.
type table struct {
	title   string
	heads   []string // of the situation and the contestant
	figures []column
	bouts   []bout
	notes   []string
}

// A column shows one figure of a measurement. NaN shows as a dash.
type column struct {
	name     string
	show     func(float64) string
	interval bool
	against  string // not empty: a column of ratios to the base follows
}

// A bout measures contestants in one situation. Ratios are to the contestant
// at index base.
type bout struct {
	situation []string
	names     []string
	base      int
	measure   func(contestant int) ([]float64, error)
}

// Run measures all tables.
func Run(o plan.Options) (plan.Section, error) {
	s := plan.Section{Title: "Contention", Text: text}
	inside, err := buildWoven()
	if err != nil {
		return s, err
	}
	defer inside.remove()
	tables := []table{floods(o, inside), oneCPU(o), neighbors(o), handOffs(o),
		timeouts(o), longSections(o)}
	n := 0
	for _, t := range tables {
		for _, b := range t.bouts {
			n += len(b.names)
		}
	}
	round.Announce(o, n)
	for _, t := range tables {
		found, err := t.run(o)
		if err != nil {
			return s, fmt.Errorf("%s: %w", t.title, err)
		}
		s.Tables = append(s.Tables, found)
	}
	return s, nil
}

func (t table) run(o plan.Options) (plan.Table, error) {
	found := plan.Table{Title: t.title, Columns: slices.Clone(t.heads),
		Notes: t.notes}
	for _, c := range t.figures {
		found.Columns = append(found.Columns, c.name)
		if c.against != "" {
			found.Columns = append(found.Columns, "against "+c.against)
		}
	}
	for _, b := range t.bouts {
		seen, err := round.Turns(o, t.title, b.names, b.measure)
		if err != nil {
			return found, err
		}
		for i, name := range b.names {
			cells := append(slices.Clone(b.situation), name)
			for f, c := range t.figures {
				cells = append(cells, c.cells(seen[i][f], seen[b.base][f])...)
			}
			found.Rows = append(found.Rows, cells)
		}
	}
	return found, nil
}

func (c column) cells(rounds, base []float64) []string {
	all := []string{cell(rounds, c.show, c.interval)}
	if c.against != "" {
		ratios := make([]float64, len(rounds))
		for i := range rounds {
			ratios[i] = rounds[i] / base[i]
		}
		all = append(all, cell(ratios, times, true))
	}
	return all
}

// cell shows the median of the rounds and, if asked for, their interval.
func cell(rounds []float64, show func(float64) string, interval bool) string {
	v := slices.Sorted(slices.Values(rounds))
	n := len(v)
	m := round.Median(v)
	switch {
	case math.IsNaN(m) || math.IsInf(m, 0):
		return figure.None
	case !interval || n == 1:
		return show(m)
	}
	return span(show(m), show(v[n/10]), show(v[n-1-n/10]))
}

// span writes a median with its interval, and the unit once if it is the same.
func span(median, low, high string) string {
	if low == high {
		return median
	}
	if unit(low) == unit(median) && unit(high) == unit(median) {
		low = strings.TrimSpace(strings.TrimSuffix(low, unit(low)))
		high = strings.TrimSpace(strings.TrimSuffix(high, unit(high)))
	}
	return fmt.Sprintf("%s (%s–%s)", median, low, high)
}

func unit(figure string) string { return strings.TrimLeft(figure, "0123456789. ") }

func times(ratio float64) string { return fmt.Sprintf("%.2fx", ratio) }

// rarely shows a share of one that may be far below a percent.
func rarely(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

func mega(perSecond float64) string {
	if perSecond == 0 {
		return "0"
	}
	return fmt.Sprintf("%.3g M", perSecond/1e6)
}

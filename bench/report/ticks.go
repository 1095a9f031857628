package report

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"

	"example.com/chanx/bench/plan"
)

// ticks labels an axis with 1, 10, 100, 1k and so on, or 1 ns, 1 µs; or with
// the points where it was measured, if they are few.
type ticks struct {
	log, times bool
	at         []float64
}

func (t ticks) Ticks(low, high float64) (all []plot.Tick) {
	switch {
	case t.at != nil:
		for _, v := range t.at {
			if low <= v && v <= high {
				all = append(all, plot.Tick{Value: v, Label: thousands(v)})
			}
		}
		return all
	case t.log:
		return t.decades(low, high)
	}
	all = plot.DefaultTicks{}.Ticks(low, high)
	for i := range all {
		if all[i].Label != "" {
			all[i].Label = t.label(all[i].Value)
		}
	}
	return all
}

// decades labels the powers of ten; an axis that has fewer than two of them
// is labelled at 2 and 5 as well, and one that has less than one at all digits.
func (t ticks) decades(low, high float64) []plot.Tick {
	var all []plot.Tick
	wide := math.Log10(high / low)
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for digit := 1.0; digit < 10; digit++ {
			v := digit * math.Pow(10, e)
			if v < low*0.999 || v > high*1.001 {
				continue
			}
			tick := plot.Tick{Value: v}
			if digit == 1 || wide < 1 || wide < 2 && (digit == 2 || digit == 5) {
				tick.Label = t.label(v)
			}
			all = append(all, tick)
		}
	}
	return all
}

// few returns the X of the lines if all have the same and these are few.
func few(lines []plan.Line) []float64 {
	var at []float64
	for _, l := range lines {
		for _, x := range l.X {
			if !slices.Contains(at, x) {
				at = append(at, x)
			}
		}
	}
	if len(at) < 2 || len(at) > 8 {
		return nil
	}
	slices.Sort(at)
	return at
}

func (t ticks) label(v float64) string {
	if t.times {
		return scaled(v, " ns", []unit{{1e9, " s"}, {1e6, " ms"}, {1e3, " µs"}})
	}
	return scaled(v, "", []unit{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
}

type unit struct {
	size float64
	name string
}

func scaled(v float64, least string, units []unit) string {
	for _, u := range units {
		if math.Abs(v) >= u.size*0.999 {
			return digits(v/u.size) + u.name
		}
	}
	return digits(v) + least
}

func digits(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// thousands parts them by commas, as the tables do.
func thousands(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	for i := len(s) - 3; i > 0 && v >= 1000; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

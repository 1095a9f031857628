package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// ticks labels an axis with 1, 10, 100, 1k and so on.
type ticks struct{ log bool }

func (t ticks) Ticks(low, high float64) []plot.Tick {
	if !t.log {
		all := plot.DefaultTicks{}.Ticks(low, high)
		for i := range all {
			if all[i].Label != "" {
				all[i].Label = short(all[i].Value)
			}
		}
		return all
	}
	return decades(low, high)
}

// decades labels the powers of ten; an axis that has fewer than two of them
// is labelled at 2 and 5 as well.
func decades(low, high float64) []plot.Tick {
	var all []plot.Tick
	few := math.Log10(high/low) < 2
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for digit := 1.0; digit < 10; digit++ {
			v := digit * math.Pow(10, e)
			if v < low*0.999 || v > high*1.001 {
				continue
			}
			tick := plot.Tick{Value: v}
			if digit == 1 || few && (digit == 2 || digit == 5) {
				tick.Label = short(v)
			}
			all = append(all, tick)
		}
	}
	return all
}

func short(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.size*0.999 {
			return digits(v/unit.size) + unit.name
		}
	}
	return digits(v)
}

func digits(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"text/tabwriter"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
	"golang.org/x/perf/benchunit"
)

// figure is one column of one benchmark, such as seconds per operation.
type figure struct{ name, unit string }

// samples are the values that the rounds gave for each figure.
type samples map[figure][]float64

// read adds the figures that the output of a benchmark contains.
func (s samples) read(r io.Reader) error {
	lines := benchfmt.NewReader(r, "")
	for lines.Scan() {
		result, ok := lines.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		for _, v := range result.Values {
			f := figure{string(result.Name.Full()), v.Unit}
			s[f] = append(s[f], v.Value)
		}
	}
	return lines.Err()
}

// compare prints what benchstat prints: medians with their range, and the
// difference where a Mann-Whitney test finds one.
func compare(w io.Writer, ref string, earlier, now samples) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, unit := range []string{"sec/op", "B/op", "allocs/op"} {
		fmt.Fprintf(t, "%s\t%s\tnow\tdifference\t\n", unit, ref)
		var ratios []float64
		for _, f := range common(earlier, now, unit) {
			ratios = append(ratios, row(t, f, earlier[f], now[f]))
		}
		fmt.Fprintf(t, "geometric mean\t\t\t%s\t\n\n", geomean(ratios))
	}
	return t.Flush()
}

func common(earlier, now samples, unit string) []figure {
	var all []figure
	for f := range maps.Keys(now) {
		if f.unit == unit && len(earlier[f]) > 0 {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b figure) int { return cmp.Compare(a.name, b.name) })
	return all
}

// row prints one figure and returns the ratio of now to earlier.
func row(w io.Writer, f figure, earlier, now []float64) float64 {
	thresholds := benchmath.DefaultThresholds
	a := benchmath.NewSample(earlier, &thresholds)
	b := benchmath.NewSample(now, &thresholds)
	test := benchmath.AssumeNothing
	was, is := test.Summary(a, 0.95), test.Summary(b, 0.95)
	c := test.Compare(a, b)
	class := benchunit.ClassOf(f.unit)
	show := func(s benchmath.Summary) string {
		return benchunit.Scale(s.Center, class) + " ± " + s.PctRangeString()
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s (%s)\t\n", f.name, show(was), show(is),
		c.FormatDelta(was.Center, is.Center), c)
	return is.Center / was.Center
}

// geomean leaves out figures of which one is nought.
func geomean(ratios []float64) string {
	sum, n := 0.0, 0
	for _, r := range ratios {
		if r > 0 && !math.IsInf(r, 0) {
			sum += math.Log(r)
			n++
		}
	}
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%+.2f%%", 100*(math.Exp(sum/float64(n))-1))
}

package asynclog

import (
	"fmt"
	"slices"
	"time"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// suspendable are the peers that can be given a sink that hangs.
func suspendable() (all []peer) {
	for _, p := range peers {
		if !p.opensFile {
			all = append(all, p)
		}
	}
	return all
}

// oneIn are the points of the curve: one line in so many waits longer.
var oneIn = []float64{
	2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000,
}

// The figures of an outage, before those of the curve.
const (
	lost = iota
	lossTold
	held
	waited // p50, p99, p99.9 and the maximum
	curve  = waited + 4
)

var outageColumns = []column{
	{name: "p50", figure: waited, show: figure.Time, less: true},
	{name: "± %", figure: spread},
	{name: "p99", figure: waited + 1, show: figure.Time, less: true},
	{name: "p99.9", figure: waited + 2, show: figure.Time, less: true},
	{name: "max", figure: waited + 3, show: figure.Time},
	{name: "lost in the end", figure: lost, show: figure.Percent, less: true},
	{name: "says so", figure: lossTold, show: saysSo},
	{name: "memory held", figure: held, show: figure.Bytes, less: true},
}

// outages measures each peer with a sink that keeps up and one that hangs.
func outages(o plan.Options, all []peer) ([]plan.Table, plan.Plot, error) {
	d := max(o.For, stallAtLeast)
	well, err := steady(o, "log writers, sink keeps up", all, d, false)
	if err != nil {
		return nil, plan.Plot{}, err
	}
	hung, err := steady(o, "log writers, sink stalled", all, d, true)
	if err != nil {
		return nil, plan.Plot{}, err
	}
	return []plan.Table{
		outageTable("The sink keeps up", all, well),
		outageTable("The sink hangs for "+d.String(), all, hung),
	}, outagePlot(all, hung), nil
}

// steady returns what the rounds gave for each peer under a steady load.
func steady(o plan.Options, what string, all []peer, d time.Duration,
	hangs bool) ([]round.Samples, error) {
	return round.Turns(o, what, names(all), func(i int) ([]float64, error) {
		out := offerTo(all[i], d, hangs)
		figures := []float64{out.lost / out.lines, out.told, out.memory}
		figures = append(figures, percentiles(out.latency)...)
		for _, n := range oneIn {
			q := 100 * (1 - 1/n)
			figures = append(figures,
				float64(out.latency.ValueAtPercentile(q)))
		}
		return figures, nil
	})
}

func outageTable(title string, all []peer, found []round.Samples) plan.Table {
	t := compared(title, all, found, outageColumns)
	t.Notes = []string{
		fmt.Sprintf("%d producers offer %d lines a millisecond each; what is "+
			"held then is taken after.", stalledProducers, perMillisecond),
		"A line that waits stands for those its caller would have " +
			"written meanwhile (HDR correction).",
		"asynclog takes all of its budget, 4 MiB, when it is made: in an " +
			"outage it could not be sure to get more.",
		"lumberjack: – because it opens its file itself; it waits with " +
			"the file as the plain one does.",
	}
	row := []string{lumber.name, lumber.full}
	t.Rows = append(t.Rows, append(row,
		slices.Repeat([]string{figure.None}, len(outageColumns))...))
	t.Compare.Rounds = append(t.Compare.Rounds, make([][]float64, len(t.Columns)))
	return t
}

func outagePlot(all []peer, found []round.Samples) plan.Plot {
	p := plan.Plot{
		File:  "log-stalled",
		Title: "What callers of a log writer wait while its sink hangs",
		Under: fmt.Sprintf("%d producers offer %d lines a millisecond each",
			stalledProducers, perMillisecond),
		X: "one line in this many waits longer", Y: "wait",
		LogX: true, LogY: true, Times: true,
	}
	for i, one := range found {
		p.Lines = append(p.Lines, plan.Line{
			Name: all[i].name, Ours: slices.Contains(own(), all[i].name),
			X: oneIn, Y: atLeastOne(one.Medians()[curve:]),
		})
	}
	return p
}

// atLeastOne keeps a logarithm from a clock that has not moved.
func atLeastOne(ns []float64) (out []float64) {
	for _, v := range ns {
		out = append(out, max(v, 1))
	}
	return out
}

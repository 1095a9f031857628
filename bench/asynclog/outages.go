package asynclog

import (
	"fmt"

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

// outages measures each peer with a sink that hangs.
func outages(o plan.Options, all []peer) (plan.Table, plan.Plot, error) {
	d := max(o.For, stallAtLeast)
	medians, err := round.Robin(o, "log writers, sink stalled", names(all),
		func(i int) ([]float64, error) {
			out := stall(all[i], d)
			figures := []float64{out.lost / out.lines, out.told, out.memory}
			figures = append(figures, percentiles(out.latency)...)
			for _, n := range oneIn {
				q := 100 * (1 - 1/n)
				figures = append(figures,
					float64(out.latency.ValueAtPercentile(q)))
			}
			return figures, nil
		})
	if err != nil {
		return plan.Table{}, plan.Plot{}, err
	}
	return outageTable(d.String(), all, medians), outagePlot(all, medians), nil
}

func outageTable(d string, all []peer, medians [][]float64) plan.Table {
	t := plan.Table{
		Title: "The sink hangs for " + d,
		Columns: []string{"writer", "p50", "p99", "p99.9", "max",
			"lost in the end", "says so", "memory held"},
		Notes: []string{
			fmt.Sprintf("%d producers offer %d lines a millisecond each, "+
				"after which the sink takes everything.",
				stalledProducers, perMillisecond),
			"A line that waits stands for those its caller would have " +
				"written meanwhile (HDR correction).",
			"lumberjack: – because it opens its file itself; it waits with " +
				"the file as the plain one does.",
		},
	}
	for i, m := range medians {
		row := []string{all[i].name}
		for _, v := range m[3:7] {
			row = append(row, figure.Time(v))
		}
		t.Rows = append(t.Rows, append(row, figure.Percent(m[0]),
			saysSo(m[1]), figure.Bytes(m[2])))
	}
	t.Rows = append(t.Rows, []string{lumber.name, figure.None, figure.None,
		figure.None, figure.None, figure.None, figure.None, figure.None})
	return t
}

func outagePlot(all []peer, medians [][]float64) plan.Plot {
	p := plan.Plot{
		File:  "log-stalled",
		Title: "What callers of a log writer wait while its sink hangs",
		X:     "one line in so many waits longer",
		Y:     "wait (ns)",
		LogX:  true, LogY: true,
	}
	for i, m := range medians {
		p.Lines = append(p.Lines, plan.Line{
			Name: all[i].name, Ours: all[i].name == ours.name,
			X: oneIn, Y: atLeastOne(m[7:]),
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

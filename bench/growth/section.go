package growth

import (
	"fmt"
	"strconv"
	"strings"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

const text = `How a cost grows is the exponent b of cost = a·x^b that lies closest to
the medians: 0 is flat, 1 linear. The large end is the upper half of the points;
what costs a fixed part and a part for each looks flat before that, and the
verdict is about the large end. The cost of an operation with many producers is
the time by the operations of all of them.`

// Run measures every series.
func Run(o plan.Options) (plan.Section, error) {
	s := plan.Section{Title: "How cost grows", Text: text}
	all := all()
	points := 0
	for i := range all {
		if o.Quick {
			all[i].at = all[i].at[:all[i].quick]
		}
		points += len(all[i].at)
	}
	round.Announce(o, points)
	t := plan.Table{
		Title: "Growth",
		Columns: []string{"cost", "with", "from", "to", "exponent",
			"at the large end", "is", "must be", ""},
	}
	var plots plots
	for _, one := range all {
		medians, err := one.run(o)
		if err != nil {
			return s, err
		}
		for i, c := range one.costs {
			var y []float64
			for _, m := range medians {
				y = append(y, m[i])
			}
			t.Rows = append(t.Rows, one.row(c, y))
			plots.add(one, c, y)
		}
	}
	s.Tables, s.Plots = []plan.Table{t}, plots.all
	return s, nil
}

// run returns the medians of each cost at each point.
func (s series) run(o plan.Options) ([][]float64, error) {
	var names []string
	for _, x := range s.at {
		names = append(names, strconv.Itoa(x)+" "+s.axis)
	}
	return round.Robin(o, s.costs[0].what, names,
		func(i int) ([]float64, error) { return s.measure(s.at[i], o.For) })
}

func (s series) x() (x []float64) {
	for _, at := range s.at {
		x = append(x, float64(at))
	}
	return x
}

func (s series) row(c cost, y []float64) []string {
	large, last := largeEnd(s.x(), y), len(y)-1
	verdict := "holds"
	if !c.must.holds(large) {
		verdict = "**does not hold**"
	}
	return []string{c.what, s.axis,
		fmt.Sprintf("%s at %d", c.unit(y[0]), s.at[0]),
		fmt.Sprintf("%s at %d", c.unit(y[last]), s.at[last]),
		figure.Number(exponent(s.x(), y)), figure.Number(large),
		shape(large), c.must.String(), verdict}
}

// plots has one picture for each axis and kind of figure: times, bytes.
type plots struct{ all []plan.Plot }

func (p *plots) add(s series, c cost, y []float64) {
	kind, scale := "time", 1.0
	if strings.HasSuffix(c.unit(1), "B") {
		kind, scale = "memory (MB)", 1e6
	}
	line := plan.Line{Name: c.what, Ours: true, X: s.x()}
	for _, v := range y {
		line.Y = append(line.Y, v/scale)
	}
	for i := range p.all {
		if p.all[i].X == s.axis && p.all[i].Y == kind {
			p.all[i].Lines = append(p.all[i].Lines, line)
			return
		}
	}
	p.all = append(p.all, plan.Plot{
		File: "growth-" + strings.Fields(kind)[0] + "-" +
			strings.ReplaceAll(s.axis, " ", "-"),
		Title: "Growth of " + strings.Fields(kind)[0] + " with " + s.axis,
		Under: "chanx alone, medians",
		X:     s.axis, Y: kind, LogX: true, LogY: true, Times: scale == 1,
		Lines: []plan.Line{line},
	})
}

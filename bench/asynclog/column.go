package asynclog

import (
	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// column shows one figure of a measurement.
type column struct {
	name   string
	figure int
	show   func(float64) string
	less   bool // is better
	more   bool
}

// spread is not the number of a figure: the column says how far the rounds of
// the figure before it lay apart.
const spread = -1

// compared is a table of peers with the columns for what the rounds gave.
func compared(title string, of []peer, all []round.Samples,
	columns []column) plan.Table {
	t := plan.Table{Title: title, Columns: []string{"writer", "when full"},
		Compare: &plan.Compare{Group: -1, Kind: 1, Ours: own()}}
	for i, c := range columns {
		t.Columns = append(t.Columns, c.name)
		if c.less {
			t.Compare.Less = append(t.Compare.Less, 2+i)
		}
		if c.more {
			t.Compare.More = append(t.Compare.More, 2+i)
		}
	}
	for i, p := range of {
		cells, rounds := []string{p.name, p.full}, make([][]float64, 2)
		for j, c := range columns {
			if c.figure == spread {
				v := all[i][columns[j-1].figure]
				cells = append(cells, figure.Number(100*round.Spread(v)))
				rounds = append(rounds, nil)
				continue
			}
			v := all[i][c.figure]
			cells = append(cells, c.show(round.Median(v)))
			rounds = append(rounds, v)
		}
		t.Rows = append(t.Rows, cells)
		t.Compare.Rounds = append(t.Compare.Rounds, rounds)
	}
	return t
}

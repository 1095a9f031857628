package supervise

import (
	"fmt"
	"math"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

const text = `A worker that ends is run again at once: no backoff, no hook. A loop
restarts nothing, it calls a function again, which is the price of having no
supervision; "for { go f(); wait }" is the least that a run on a stack of its own
costs. Speed is the smaller half of the comparison: see what each survives. Who
keeps a set of workers, which can be added and asked for, is compared with who
does as well.`

// Run measures restarts and herds of workers, and tries every way of ending.
func Run(o plan.Options) (plan.Section, error) {
	s := plan.Section{Title: "Supervision", Text: text}
	sizes := []int{1000, 10_000}
	if o.Quick {
		sizes = []int{1000}
	}
	safe := having(func(p peer) bool { return p.panics })
	herds := having(func(p peer) bool { return p.herd != nil })
	round.Announce(o, len(peers)+len(safe)+len(sizes)*len(herds))
	table, err := restartTable(o, safe)
	if err != nil {
		return s, err
	}
	s.Tables = []plan.Table{table}
	for _, n := range sizes {
		table, err := herdTable(o, n, herds)
		if err != nil {
			return s, err
		}
		s.Tables = append(s.Tables, table)
	}
	s.Tables = append(s.Tables, exitTable(), causeTable())
	return s, nil
}

func restartTable(o plan.Options, safe []peer) (t plan.Table, _ error) {
	failed, err := round.Turns(o, "restart after an error", names(peers),
		func(i int) ([]float64, error) { return restart(peers[i], o.For, fails) })
	if err != nil {
		return t, err
	}
	panicked, err := round.Turns(o, "restart after a panic", names(safe),
		func(i int) ([]float64, error) { return restart(safe[i], o.For, panics) })
	if err != nil {
		return t, err
	}
	t = compared("A restart", "after an error", "± %", "allocs",
		"after a panic", "± %", "allocs")
	t.Compare.Less = []int{2, 4, 5, 7}
	t.Notes = []string{"–: a panic is not caught and ends the process."}
	for _, p := range peers {
		cells, rounds := []string{p.name, p.keeps()}, make([][]float64, 2)
		for _, half := range []round.Samples{
			of(p, peers, failed), of(p, safe, panicked),
		} {
			cells = append(cells, restartCells(half)...)
			rounds = append(rounds, restartRounds(half)...)
		}
		t.Rows = append(t.Rows, cells)
		t.Compare.Rounds = append(t.Compare.Rounds, rounds)
	}
	return t, nil
}

// compared is a table of peers without its rows.
func compared(title string, columns ...string) plan.Table {
	return plan.Table{Title: title,
		Columns: append([]string{"", "keeps"}, columns...),
		Compare: &plan.Compare{Group: -1, Kind: 1,
			Ours: []string{function.name, supervisor.name}}}
}

// of returns what was measured of p; nil: nothing.
func of(p peer, among []peer, found []round.Samples) round.Samples {
	for i, one := range among {
		if one.name == p.name {
			return found[i]
		}
	}
	return nil
}

func restartCells(s round.Samples) []string {
	if s == nil {
		return []string{figure.None, figure.None, figure.None}
	}
	return []string{figure.Time(round.Median(s[0])),
		figure.Number(100 * round.Spread(s[0])),
		figure.Number(round.Median(s[1]))}
}

func restartRounds(s round.Samples) [][]float64 {
	if s == nil {
		return make([][]float64, 3)
	}
	return [][]float64{s[0], nil, s[1]}
}

// The figures are those of bare goroutines, and of the heap alone.
var herdNotes = []string{
	"Memory is heap and stacks. chanx.Supervise is called on a goroutine of " +
		"its own for each worker, as one has to.",
	"chanx.Supervise needs two goroutines, of at least 2 kB each: " +
		"runtime.Goexit ends the one that the worker is on, and only " +
		"another can tell.",
	"Of chanx.Supervisor's memory 0.2 kB more than suture's are the name, " +
		"the policy and the state that Status tells.",
	"chanx.Supervisor stops one worker after the other, as its doc " +
		"promises; the others stop all at once. Bare goroutines that are " +
		"cancelled and waited for in turn take 1.5 µs each.",
}

func herdTable(o plan.Options, n int, herds []peer) (t plan.Table, _ error) {
	found, err := round.Turns(o, fmt.Sprintf("%d workers", n), names(herds),
		func(i int) ([]float64, error) { return herd(herds[i], n), nil })
	t = compared(fmt.Sprintf("%d idle workers", n), "start of one", "± %",
		"memory of one", "goroutines of one", "stop of all")
	t.Compare.Less = []int{2, 4, 5, 6}
	t.Notes = herdNotes
	for i, s := range found {
		m := s.Medians()
		t.Rows = append(t.Rows, []string{herds[i].name, herds[i].keeps(),
			figure.Time(m[starting]),
			figure.Number(100 * round.Spread(s[starting])),
			figure.Bytes(math.Round(m[memory])),
			figure.Number(math.Round(100*m[goroutines]) / 100),
			figure.Time(m[ending])})
		t.Compare.Rounds = append(t.Compare.Rounds, [][]float64{nil, nil,
			s[starting], nil, s[memory], s[goroutines], s[ending]})
	}
	return t, err
}

func exitTable() plan.Table {
	t := plan.Table{
		Title: "What becomes of a worker",
		Columns: []string{"", "that returns an error", "returns nil",
			"panics", "calls runtime.Goexit",
			"returns a foreign context.Canceled", "whose hook hangs"},
		Notes: []string{
			`"panic goes through": it ends the process, unless the caller ` +
				`recovers.`,
			`"loop is gone": nothing runs the worker, and nobody is told.`},
	}
	for _, p := range peers {
		row := []string{p.name}
		for _, exit := range []func() error{fails, returnsNil} {
			row = append(row, after(p, exit, 1, nil))
		}
		panicked := goesThrough
		if !p.unguarded {
			panicked = after(p, panics, 1, nil)
		}
		row = append(row, panicked)
		for _, exit := range []func() error{goexits, foreign} {
			row = append(row, after(p, exit, 1, nil))
		}
		t.Rows = append(t.Rows, append(row, afterHang(p, shortPatience)))
	}
	return t
}

func causeTable() plan.Table {
	t := plan.Table{
		Title: "Who loses the cause",
		Columns: []string{"", "an error, told to a hook", "a panic's value",
			"a panic's stack", "Goexit", "can be asked for later"},
		Notes: []string{`"kept": errors.Is finds it. "as text": only its ` +
			`message is left.`},
	}
	for _, p := range peers {
		failure, panicked, stack, goexit := loses(p)
		t.Rows = append(t.Rows, []string{p.name, failure, panicked, stack,
			goexit, later(p)})
	}
	return t
}

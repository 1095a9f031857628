package dump

import (
	"fmt"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

const text = `The dumps are those of a service whose log is stuck, made up while
they are read: 8 different stacks of 2 to 10 calls, each goroutine with its own
id, minutes and pointers, as /debug/pprof/goroutine?debug=2 writes them. Memory is
the most that the process had beyond what it had before.`

// Run measures the reading of dumps, and what a sample costs its process.
func Run(o plan.Options) (plan.Section, error) {
	s := plan.Section{Title: "Goroutine dumps", Text: text}
	sizes := sizes(o)
	parked := 100_000
	if o.Quick {
		parked = 2000
	}
	announce(o, sizes)
	times := plan.Plot{
		File:  "dump-time",
		Title: "Reading a goroutine dump",
		X:     "goroutines in the dump", Y: "time (s)", LogX: true, LogY: true,
	}
	for _, size := range sizes {
		m, err := parseAll(size)
		if err != nil {
			return s, err
		}
		s.Tables = append(s.Tables, parseTable(size, m))
		addPoints(&times, size, m)
	}
	table, err := stopTable(o, parked)
	if err != nil {
		return s, err
	}
	s.Tables = append(s.Tables, table)
	s.Plots = []plan.Plot{times}
	return s, nil
}

// size is a dump to read, how often, and by whom.
type size struct {
	goroutines int
	o          plan.Options
	by         []parser
}

// sizes has the largest dump read once, and by panicparse without grouping: it
// needs most of a minute and 6 GB, which one row shows well enough.
func sizes(o plan.Options) []size {
	few, once := o, o
	few.Rounds, once.Rounds = min(round.Rounds(o), 3), 1
	if o.Quick {
		return []size{{1000, once, parsers}}
	}
	return []size{
		{10_000, o, parsers},
		{100_000, few, parsers},
		{1_000_000, once, []parser{ours, oursJudged, panicparse, datadog}},
	}
}

func announce(o plan.Options, sizes []size) {
	if o.Steps == nil {
		return
	}
	n := len(samplers) * round.Rounds(o)
	for _, s := range sizes {
		n += len(s.by) * s.o.Rounds
	}
	o.Steps(n)
}

func parseAll(s size) ([]round.Samples, error) {
	var names []string
	for _, p := range s.by {
		names = append(names, p.name)
	}
	return round.Turns(s.o, fmt.Sprintf("dump of %d goroutines", s.goroutines),
		names, func(i int) ([]float64, error) {
			return parse(s.by[i], s.goroutines)
		})
}

func parseTable(s size, all []round.Samples) plan.Table {
	t := plan.Table{
		Title: fmt.Sprintf("A dump of %d goroutines", s.goroutines),
		Columns: []string{"", "time", "memory", "of a goroutine",
			"time, by the first's"},
		Notes: []string{fmt.Sprintf("Rounds: %d.", s.o.Rounds)},
		Compare: &plan.Compare{Group: -1, Kind: -1, Less: []int{1, 2},
			Ours: []string{ours.name, oursJudged.name}},
	}
	first := all[0].Medians()[0]
	for i, p := range s.by {
		m := all[i].Medians()
		t.Rows = append(t.Rows, []string{p.name, figure.Time(m[0]),
			figure.Bytes(m[1]),
			figure.Time(m[0] / float64(s.goroutines)),
			figure.Ratio(m[0], first)})
		t.Compare.Rounds = append(t.Compare.Rounds,
			[][]float64{nil, all[i][0], all[i][1], nil, nil})
	}
	return t
}

func addPoints(p *plan.Plot, s size, all []round.Samples) {
	for i, by := range s.by {
		at := -1
		for j, l := range p.Lines {
			if l.Name == by.name {
				at = j
			}
		}
		if at < 0 {
			at = len(p.Lines)
			p.Lines = append(p.Lines, plan.Line{
				Name: by.name, Ours: by.name == ours.name,
			})
		}
		l := &p.Lines[at]
		l.X = append(l.X, float64(s.goroutines))
		l.Y = append(l.Y, all[i].Medians()[0]/1e9)
	}
}

func stopTable(o plan.Options, parked int) (plan.Table, error) {
	t := plan.Table{
		Title: fmt.Sprintf("A sample of a process with %d goroutines", parked),
		Columns: []string{"", "stops of the world", "in all", "longest gap",
			"took"},
		Notes: []string{
			"The stops are the runtime's own count, which knows their time to " +
				"an eighth. The gap is the longest that a goroutine was kept " +
				"from reading the clock, and includes what else the machine " +
				"did: see nothing.",
			"doctor.Take is what doctor.Watch uses, and debug=1 is what it " +
				"reads: the stops are of the same function of the runtime.",
		},
	}
	m, err := samples(o, parked, samplers)
	for i, v := range m {
		t.Rows = append(t.Rows, []string{samplers[i].name,
			figure.Number(v[stops]), figure.Time(v[stopped]),
			figure.Time(v[gap]), figure.Time(v[took])})
	}
	return t, err
}

func samples(o plan.Options, parked int, of []sampler) ([][]float64, error) {
	var names []string
	for _, s := range of {
		names = append(names, s.name)
	}
	stop := park(parked)
	defer stop()
	return round.Robin(o, fmt.Sprintf("sample of %d goroutines", parked), names,
		func(i int) ([]float64, error) { return sample(of[i]), nil })
}

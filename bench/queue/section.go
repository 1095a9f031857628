package queue

import (
	"fmt"
	"slices"
	"strings"

	"example.com/chanx/bench/plan"
)

const text = `Producers hand values to consumers without waiting for them. Each table
varies one thing from a base point: two producers, one consumer, 1,024 slots,
8 bytes, flooded. Dropping is cheap, so what was delivered stands beside what
the caller paid.

- **drops** says which values a full queue drops.
- **ns/op** is the time of the flood divided by the values sent by all
  producers; the consumer works on the same processors. Where the load has a
  rate it is the time spent in the calls. **±** is half of what the slowest and
  the fastest round lay apart, by the median.
- **delivered/s** counts while the load lasts. **dropped** is what neither came
  out then nor was left in the queue; it wins nothing in a flood, where who
  sends more slowly has less to drop.
- **p50 … max** are of one call in 61, clock reading (some 50 ns) included,
  and only where the load has a rate: in a flood another producer takes the lock
  while the clock is read, and the tail is ten times too long. The section
  Contention counts from inside. The largest is one event, most often the
  scheduler's, and wins nothing. Not corrected for coordinated omission: a call
  that waits stands for itself alone.
- **held** is the heap the queue keeps at the end of the load, in KiB.
- Of 1,024 producers few get a turn while a flood lasts, and all send at least
  one burst of 61 values.
- Capacity is the initial one of smallnest/chanx, which drops nothing and
  grows; its floods end after 64 MiB.
- floatdrop/ringchan is missing: the module proxy in use did not serve it.
- Go-diodes tells the log about collisions; its log goes nowhere here.
- A producer that finds the lock of chanx.Ring held pauses, and parks only if
  the holder has lost its processor. One evicting Send in 4,096 yields, so that
  a consumer gets its turn earlier than on a channel, whose producers leave
  their processors every ten milliseconds.
- The hand-written readers of xsync and go-ringbuf poll: these queues cannot
  wake one.
- go-ringbuf has a power of two of slots, two at least, and keeps one free.
- The pump goroutine of eapache and gammazero makes the producer wait for the
  scheduler, and that waiting is what limits how much they have to drop.`

// heads are the columns before the figures.
const heads = 3

func columns(first string, paced bool) []string {
	all := []string{first, "peer", "drops"}
	for _, f := range shown(paced) {
		all = append(all, f.columns()...)
	}
	return all
}

func section(done []axis, all map[task]result, verdicts []verdict) plan.Section {
	s := plan.Section{Title: "Queues that do not block", Text: text}
	s.Tables = append(s.Tables, verdictTable(verdicts))
	for _, a := range done {
		s.Tables = append(s.Tables, table(a, all))
		if a.plot != nil {
			s.Plots = append(s.Plots, draw(a, all))
		}
	}
	s.MarkFailing(failing(verdicts))
	return s
}

func table(a axis, all map[task]result) plan.Table {
	first, _, _ := strings.Cut(a.name, ",")
	t := plan.Table{Title: a.name, Columns: columns(first, a.paced()),
		Compare: compare(a.paced())}
	for _, at := range a.points {
		for _, p := range peers[[1]uint64]() {
			r := all[task{p.name, at}]
			cells, rounds := row([]string{a.label(at), p.name, p.drops}, r, a.paced())
			t.Rows = append(t.Rows, cells)
			t.Compare.Rounds = append(t.Compare.Rounds, rounds)
			if r.why != "" && !slices.Contains(t.Notes, r.why) {
				t.Notes = append(t.Notes, r.why)
			}
		}
	}
	return t
}

func compare(paced bool) *plan.Compare {
	c := &plan.Compare{Group: 0, Name: 1, Kind: 2, Ours: ours()}
	at := heads
	for _, f := range shown(paced) {
		switch {
		case f.paced && !paced:
		case f.want == less:
			c.Less = append(c.Less, at)
		case f.want == more:
			c.More = append(c.More, at)
		}
		at += len(f.columns())
	}
	return c
}

func row(head []string, r result, paced bool) (
	cells []string, rounds [][]float64) {
	cells, rounds = head, make([][]float64, heads)
	for _, f := range shown(paced) {
		if r.why != "" {
			cells = append(cells, slices.Repeat([]string{"–"}, len(f.columns()))...)
			rounds = append(rounds, make([][]float64, len(f.columns()))...)
			continue
		}
		c, v := f.cells(r)
		cells, rounds = append(cells, c...), append(rounds, v...)
	}
	return cells, rounds
}

func draw(a axis, all map[task]result) plan.Plot {
	p := *a.plot
	for _, name := range names() {
		line := plan.Line{Name: name, Ours: slices.Contains(ours(), name)}
		for _, at := range a.points {
			r := all[task{name, at}]
			if r.why == "" && a.y(r) > 0 {
				line.X = append(line.X, a.x(r))
				line.Y = append(line.Y, a.y(r))
			}
		}
		p.Lines = append(p.Lines, line)
	}
	return p
}

func verdictTable(verdicts []verdict) plan.Table {
	t := plan.Table{Title: "What each keeps of its promises",
		Columns: []string{"peer", "received + dropped = sent",
			"order of each producer", "kept at close", "send after close"}}
	for _, v := range verdicts {
		t.Rows = append(t.Rows, append([]string{v.name}, v.cells()...))
		t.Notes = append(t.Notes, v.notes()...)
	}
	if failed := failing(verdicts); len(failed) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Who fails a check: %s.",
			strings.Join(failed, ", ")))
	}
	return t
}

package queue

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.com/chanx/bench/plan"
)

const text = `Producers hand values to consumers without waiting for them. Each table
varies one thing from a base point: two producers, one consumer, 1,024 slots,
8 bytes, flooded. Dropping is cheap, so what was delivered stands beside what
the caller paid.

- **ns/op** is the time of the flood divided by the values sent by all
  producers; the consumer works on the same processors. Where the load has a
  rate it is the time spent in the calls.
- **delivered/s** counts while the load lasts. **dropped** is what neither came
  out then nor was left in the queue.
- **p50 … max** are of one call in 61, clock reading (some 50 ns) included.
  The largest is one event, most often the scheduler's, and wins nothing.
- **held** is the heap the queue keeps at the end of the load, in KiB.
- Capacity is the initial one of smallnest/chanx, which drops nothing and
  grows; its floods end after 64 MiB.
- Go-diodes tells the log about collisions; its log goes nowhere here.
- The hand-written loop around xsync polls: the queue cannot wake a reader.
- The pump goroutine of eapache and gammazero makes the producer wait for the
  scheduler, and that waiting is what limits how much they have to drop.`

var columns = []string{"", "peer", "ns/op", "allocs/op", "delivered/s",
	"dropped %", "p50 ns", "p99 ns", "p99.9 ns", "max ns", "held KiB"}

func section(done []axis, all map[task]result, verdicts []verdict) plan.Section {
	s := plan.Section{Title: "Queues that do not block", Text: text}
	s.Tables = append(s.Tables, verdictTable(verdicts))
	for _, a := range done {
		s.Tables = append(s.Tables, table(a, all))
		if a.plot != nil {
			s.Plots = append(s.Plots, draw(a, all))
		}
	}
	s.Plots = append(s.Plots, latencyPlot(all))
	return s
}

func table(a axis, all map[task]result) plan.Table {
	t := plan.Table{Title: a.name, Columns: slices.Clone(columns),
		Notes: slices.Clone(absent),
		Compare: &plan.Compare{Group: 0, Name: 1, Ours: ours(),
			Less: []int{2, 3, 5, 6, 7, 8, 10}, More: []int{4}}}
	t.Columns[0], _, _ = strings.Cut(a.name, ",")
	for _, at := range a.points {
		for _, name := range names() {
			r := all[task{name, at}]
			t.Rows = append(t.Rows, row(a.label(at), name, r))
			if r.why != "" {
				t.Notes = append(t.Notes, r.why)
			}
		}
	}
	return t
}

func row(label, name string, r result) []string {
	cells := []string{label, name}
	if r.why != "" {
		for len(cells) < len(columns) {
			cells = append(cells, "–")
		}
		return cells
	}
	return append(cells,
		fixed(r.perOp, 1), fixed(r.allocs, 2), whole(r.delivered),
		fixed(r.dropped*100, 1), quantile(r, 50), quantile(r, 99),
		quantile(r, 99.9), whole(float64(r.latency.Max())), whole(r.memory/1024))
}

func quantile(r result, q float64) string {
	return whole(float64(r.latency.ValueAtPercentile(q)))
}

func fixed(f float64, digits int) string {
	return strconv.FormatFloat(max(0, f), 'f', digits, 64)
}

// whole parts thousands by commas.
func whole(f float64) string {
	s := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
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

// latencyPlot shows what a call costs its caller once nobody receives any
// more: the incident, in one picture.
func latencyPlot(all map[task]result) plan.Plot {
	at := base()
	at.mode = stalled
	p := plan.Plot{File: "latency-stalled",
		Title: "Caller's latency, consumer stalled",
		X:     "one call in this many takes longer",
		Y:     "latency (ns)", LogX: true, LogY: true}
	for _, name := range names() {
		r := all[task{name, at}]
		line := plan.Line{Name: name, Ours: slices.Contains(ours(), name)}
		for _, in := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500,
			1000, 2000, 5000, 10_000} {
			line.X = append(line.X, in)
			line.Y = append(line.Y,
				float64(r.latency.ValueAtPercentile(100-100/in)))
		}
		p.Lines = append(p.Lines, line)
	}
	return p
}

func verdictTable(verdicts []verdict) plan.Table {
	t := plan.Table{Title: "What each keeps of its promises",
		Columns: []string{"peer", "received + dropped = sent",
			"order of each producer", "kept at close", "send after close"},
		Notes: slices.Clone(absent)}
	for _, v := range verdicts {
		t.Rows = append(t.Rows, append([]string{v.name}, v.cells()...))
		t.Notes = append(t.Notes, v.notes()...)
	}
	var failed []string
	for _, v := range verdicts {
		if v.fails() {
			failed = append(failed, v.name)
		}
	}
	if len(failed) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("Who fails a check: %s.",
			strings.Join(failed, ", ")))
	}
	return t
}

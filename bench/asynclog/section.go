package asynclog

import (
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

const text = `Lines of 190 bytes, the sink a file in memory so that the disk is
not what is measured. Dropping is cheap: read the cost of a line beside what
became of it. "Says so" is how many lines the writer says it has lost, by those
that it has lost: 1 is the truth, – has no word for it. asynclog's own reports
of losses are in the stream and counted as delivered, by a few in a million, and
what they allocate, which is on its own goroutine, as of the lines. ± is half of
what the rounds lay apart, in percent. A flood has no schedule to fall behind, so
its percentiles are of one call in a hundred as it was; those of a steady load
are corrected for coordinated omission. phuslu keeps its caller's slice, and is
not charged with the copy that a caller must then make. A writer that drops when
there is no room is compared with others that do.

A flood is not what people run: see the busy service, whose goroutines work for
15 µs between two lines and keep all processors busy. There every call is timed,
in the flood after it as well. The service of net/http and slog shows what a log
costs in requests.`

// Run measures floods of several numbers of producers, busy services, one of
// net/http, an outage of the sink, and the law that each line sent is received
// or counted as lost.
func Run(o plan.Options) (plan.Section, error) {
	defer silence()()
	s := plan.Section{Title: "Log writers", Text: text}
	producers := []int{1, 2, 8, 64, 1024}
	if o.Quick {
		producers = []int{2}
	}
	goroutines := []int{2, 64, 1024}
	if o.Quick {
		goroutines = goroutines[:1]
	}
	stalling := suspendable()
	if o.Steps != nil {
		inARound := len(producers)*len(peers) + 2*len(stalling) +
			len(goroutines)*len(busyKinds)*(len(stalling)+1) + len(logged)
		o.Steps(inARound*round.Rounds(o) + len(stalling)) // once: the law
	}
	for _, n := range producers {
		found, err := floods(o, n)
		if err != nil {
			return s, err
		}
		s.Tables = append(s.Tables, compared(
			"A flood by "+count(n, "producer"), peers, found, floodColumns))
	}
	for _, n := range goroutines {
		found, err := busyTables(o, n, stalling)
		if err != nil {
			return s, err
		}
		s.Tables = append(s.Tables, found...)
	}
	requests, err := serviceTable(o)
	if err != nil {
		return s, err
	}
	s.Tables = append(s.Tables, requests)
	tables, plot, err := outages(o, stalling)
	if err != nil {
		return s, err
	}
	law, broken := lawTable(o)
	s.Tables = append(append(s.Tables, tables...), law)
	s.MarkFailing(broken)
	s.Plots = []plan.Plot{plot}
	return s, nil
}

// silence keeps the diode from telling the standard log about collisions.
func silence() (restore func()) {
	to := log.Writer()
	log.SetOutput(io.Discard)
	return func() { log.SetOutput(to) }
}

// floods returns what the rounds gave for each peer.
func floods(o plan.Options, producers int) ([]round.Samples, error) {
	dir, err := inMemory()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return round.Turns(o, fmt.Sprintf("log writers, %d producers", producers),
		names(peers), func(i int) ([]float64, error) {
			return flood(dir, peers[i], producers, o.For)
		})
}

var floodColumns = []column{
	{name: "cost of a line", figure: perLine, show: figure.Time, less: true},
	{name: "± %", figure: spread},
	{name: "allocs", figure: allocs, show: figure.Number, less: true},
	{name: "delivered", figure: perSecond, show: figure.Rate, more: true},
	{name: "± %", figure: spread},
	// Wins nothing: a slower caller has less to drop.
	{name: "dropped", figure: dropped, show: figure.Percent},
	{name: "says so", figure: told, show: saysSo},
	{name: "p50", figure: p50, show: figure.Time, less: true},
	{name: "p99", figure: p99, show: figure.Time, less: true},
	{name: "p99.9", figure: p999, show: figure.Time, less: true},
	{name: "max", figure: maximum, show: figure.Time},
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

func saysSo(told float64) string {
	if told == untold {
		return figure.None
	}
	return figure.Number(told)
}

func lawTable(o plan.Options) (t plan.Table, broken []string) {
	each := 50_000
	if o.Quick {
		each = 4000 // more in all than the slots of any
	}
	t = plan.Table{
		Title: "The law: sent = received + what the writer says it lost",
		Columns: []string{"writer", "sent", "received", "says it lost", "torn",
			"out of order or twice", "law", "Write after Close"},
		Notes: []string{"lumberjack: – because it opens its file itself.",
			"phuslu keeps the caller's slice, which io.Writer forbids: a " +
				"caller that uses its buffer again finds lines torn or twice."},
	}
	for _, p := range suspendable() {
		if o.Step != nil {
			o.Step("law: " + p.name)
		}
		v := law(p, each)
		holds := "holds"
		if !v.holds() {
			holds = "**broken**"
			broken = append(broken, p.name)
		}
		t.Rows = append(t.Rows, []string{p.name, strconv.Itoa(v.sent),
			strconv.Itoa(v.received), saysSo(v.told), strconv.Itoa(v.torn),
			strconv.Itoa(v.disorder), holds, v.afterClose})
	}
	return t, broken
}

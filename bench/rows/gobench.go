package rows

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
)

// A benchRow is a benchmark of the library's bench_test.go.
type benchRow struct{ name, bench string }

func (b benchRow) title() string { return b.name }

// A benchSet is benchmarks that are compared.
type benchSet struct {
	name string
	rows []benchRow
}

// benchSets are benchmarks of one goroutine or two.
var benchSets = []benchSet{
	{"room, 8 B", []benchRow{
		{"channel", "Pair/size=8/impl=channel"},
		{"channel, once more", "Pair/size=8/impl=channel"},
		{"select with default", "Pair/size=8/impl=select"},
		{"TrySend, TryRecv", "Pair/size=8/impl=TrySend"},
		{"time.After to send", "TimeoutPair/impl=time.After"},
		{"SendTimeout, RecvTimeout", "TimeoutPair/impl=chanx"},
		{"select with ctx.Done() to send", "ContextPair/impl=select"},
		{"context.WithTimeout to send", "ContextPair/impl=WithTimeout"},
		{"SendContext to send", "ContextPair/impl=chanx"},
		{"Ring.Send, TryRecv", "Pair/size=8/impl=Ring"},
	}},
	{"room, 256 B", []benchRow{
		{"channel", "Pair/size=256/impl=channel"},
		{"select with default", "Pair/size=256/impl=select"},
		{"TrySend, TryRecv", "Pair/size=256/impl=TrySend"},
		{"Ring.Send, TryRecv", "Pair/size=256/impl=Ring"},
	}},
	{"1,024 in, then out", []benchRow{
		{"channel", "Drain/impl=channel"},
		{"channel of [256]int", "Drain/impl=chan[256]int"},
		{"Ring.TryRecv", "Drain/impl=TryRecv"},
		{"Ring.RecvBatch", "Drain/impl=RecvBatch"},
	}},
	{"full, the newest is lost", []benchRow{
		{"select with default", "TrySendFull/impl=select"},
		{"TrySend", "TrySendFull/impl=chanx"},
	}},
	{"full, the oldest is lost", []benchRow{
		{"evict and retry", "FullSend/size=8/impl=evict"},
		{"SendDropOldest", "FullSend/size=8/impl=SendDropOldest"},
		{"Ring.Send", "FullSend/size=8/impl=Ring"},
	}},
	{"hand-off, a timeout on the send", handOffRows(1)},
	{"hand-off, timeouts on both sides", handOffRows(2)},
	{"to a parked receiver, GOMAXPROCS 1", []benchRow{
		{"channel", "ParkedReceiver/impl=channel"},
		{"Ring", "ParkedReceiver/impl=Ring"},
	}},
	{"a consumer's value, with its send", []benchRow{
		{"channel", "Consumer/impl=channel"},
		{"select with ctx.Done()", "Consumer/impl=select"},
		{"under Supervise", "Consumer/impl=Supervise"},
		{"RecvContext", "Consumer/impl=RecvContext"},
		{"RecvContext, Beat", "Consumer/impl=Beat"},
		{"Ring.All", "Consumer/impl=All"},
	}},
}

// rows386 are run as a 32-bit program, which an amd64 processor can do.
var rows386 = []benchRow{
	{"channel, 8 B", "Pair/size=8/impl=channel"},
	{"Ring, 8 B", "Pair/size=8/impl=Ring"},
	{"channel, 256 B", "Pair/size=256/impl=channel"},
	{"Ring, 256 B", "Pair/size=256/impl=Ring"},
	{"evict and retry, full", "FullSend/size=8/impl=evict"},
	{"Ring.Send, full", "FullSend/size=8/impl=Ring"},
	{"SendTimeout, RecvTimeout", "TimeoutPair/impl=chanx"},
}

// benchmarks measures each in a separate process.
func benchmarks(e Effort) (all []Contest) {
	var native, bits32 testBinary
	for _, s := range benchSets {
		all = append(all, native.contest(e, s))
	}
	if runtime.GOARCH == "amd64" && !e.Quick {
		bits32.env = []string{"GOARCH=386", "CGO_ENABLED=0"}
		all = append(all, bits32.contest(e,
			benchSet{"GOARCH=386 on this processor", rows386}))
	}
	return all
}

func handOffRows(timeouts int) []benchRow {
	form := fmt.Sprintf("HandOff/timeouts=%d/impl=", timeouts)
	return []benchRow{
		{"channel", form + "channel"}, {"time.After", form + "time.After"},
		{"one timer, reset by hand", form + "Reset"},
		{"SendTimeout, RecvTimeout", form + "chanx"}, {"Timeouts", form + "Timeouts"},
	}
}

// A testBinary is the library's test program.
type testBinary struct {
	program
	env []string
}

func (t *testBinary) contest(e Effort, s benchSet) Contest {
	return Contest{
		Group: "one operation", Name: s.name, Names: namesOf(s.rows), Rounds: e.rounds(21),
		Figures: []Figure{{"time", Time}, {"allocations", Plain}},
		Measure: func(i int) ([]float64, error) {
			err := t.build(".", append(t.env, "GOWORK=off"),
				func(string, string) ([]string, error) {
					return []string{"test", "-c"}, nil
				})
			if err != nil {
				return nil, err
			}
			return t.run(s.rows[i].bench, e.time(20*time.Millisecond))
		},
	}
}

// run returns the nanoseconds and the allocations of an operation.
func (t *testBinary) run(bench string, d time.Duration) ([]float64, error) {
	path := strings.Split("Benchmark"+bench, "/")
	for i, element := range path {
		path[i] = "^" + regexp.QuoteMeta(element) + "$"
	}
	out, err := exec.Command(t.path, "-test.run", "^$", "-test.bench",
		strings.Join(path, "/"), "-test.benchtime", d.String()).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", bench, err, out)
	}
	for lines := benchfmt.NewReader(bytes.NewReader(out), ""); lines.Scan(); {
		if r, ok := lines.Result().(*benchfmt.Result); ok {
			ns, _ := r.Value("sec/op")
			allocs, ok := r.Value("allocs/op")
			if !ok {
				allocs = math.NaN()
			}
			return []float64{ns * 1e9, allocs}, nil
		}
	}
	return nil, fmt.Errorf("%s: no such benchmark\n%s", bench, out)
}

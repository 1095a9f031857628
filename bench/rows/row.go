// Package rows holds the ratios that the library set itself to reach, each
// with the way it is measured, and prints what it is.
package rows

import (
	"fmt"

	"example.com/chanx/bench/asynclog"
	"example.com/chanx/bench/dump"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/supervise"
)

// row is one ratio, or one plain number if there is nothing to divide by.
type row struct {
	what, against string
	want          float64
	atLeast       bool // rather than at most

	from source
	key  string // in what from returns
}

// source measures what several rows need. What it returns is by key.
type source struct {
	name    string
	measure func(plan.Options) (map[string]float64, error)
}

var (
	core       = source{"core", inRoot}
	none       = source{"allocations", allocations}
	supervised = source{"supervision", supervise.Ratios}
	logs       = source{"log writers", asynclog.Ratios}
	dumps      = source{"dumps", dump.Ratios}
)

var sources = []source{core, none, supervised, logs, dumps}

// rows are in the order in which they were asked for.
var rows = append(append(coreRows, logRows...), doctorRows...)

var coreRows = []row{
	{"TrySend + TryRecv", "inline select", 1.05, false, core,
		"TrySend + TryRecv / inline select"},
	{"TrySend on a full channel", "inline select", 1.05, false, core,
		"TrySend full / inline select"},
	{"SendTimeout + RecvTimeout, ready", "raw", 1.15, false, core,
		"SendTimeout + RecvTimeout ready / raw"},
	{"the same, allocations", "", 0, false, none, "SendTimeout"},
	{"Ring.Send on a full ring", "evict-and-retry", 0.50, false, core,
		"Ring.Send full / evict-and-retry"},
	{"the same, allocations", "", 0, false, none, "Ring.Send"},
	{"Ring.Send + TryRecv", "raw pair", 0.80, false, core,
		"Ring.Send + TryRecv / raw pair"},
	{"RecvBatch of 256, per value", "raw receive", 0.25, false, core,
		"RecvBatch of 256, per value / raw receive"},
	{"restart without backoff", "start and join a goroutine", 1.0, false,
		supervised, "restart, goroutine"},
}

var logRows = logRowsOf(2, 64)

// logRowsOf has the same rows for two numbers of producers, of which the first
// is held to the stricter ratios.
func logRowsOf(few, many int) (all []row) {
	for _, n := range []int{few, many} {
		strict := func(a, b float64) float64 {
			if n == few {
				return a
			}
			return b
		}
		at := fmt.Sprintf(", %d producers", n)
		all = append(all,
			row{"caller's cost of a line" + at, "zerolog diode",
				strict(1.0/12, 1.0/6), false, logs, "cost, diode" + at},
			row{"lines written" + at, "zerolog diode", 10, true, logs,
				"lines, diode" + at},
			row{"lines written" + at, "zap buffered", strict(1, 0.8), true,
				logs, "lines, zap" + at},
			row{"lines written" + at, "mutex and bufio", strict(1, 0.8), true,
				logs, "lines, mutex" + at},
			row{"lines written under Wait" + at, "zap buffered", 1, true,
				logs, "lines of Wait, zap" + at},
			row{"p99.9, sink stalled" + at, "p99.9, sink well", 2, false,
				logs, "tail" + at},
			row{"allocations of Write" + at, "", 0, false, logs,
				"allocs" + at})
	}
	return all
}

var doctorRows = []row{
	{"reading 1,000,000 goroutines", "panicparse", 1.0, false, dumps,
		"time, panicparse"},
	{"the same, megabytes", "", 200, false, dumps, "megabytes"},
	{"stops of the world by a sample of 100,000 goroutines", "runtime/pprof",
		1.0, false, dumps, "stops, pprof"},
	// It is the same function of the runtime that stops it, so the ratio is
	// one. Measured on an idle machine were 0.79 to 1.11.
	{"the same, their time, known to a quarter", "runtime/pprof",
		1.0 + 1.0/4, false, dumps, "stopped, pprof"},
}

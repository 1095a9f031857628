package rows

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sink keeps received values from being thrown away.
var sink atomic.Int64

func mallocs() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Mallocs)
}

// liveHeap returns the bytes of the live heap. The second collection frees the
// objects that the first has finalized.
func liveHeap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// inUse adds the stacks.
func inUse() float64 {
	bytes := liveHeap()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return bytes + float64(m.StackInuse)
}

// spin keeps a processor busy.
func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

// together calls a(n) and b(n) at the same time and returns the nanoseconds
// that one of the n took.
func together(n int, a, b func(n int)) float64 {
	var wg sync.WaitGroup
	start := time.Now()
	wg.Go(func() { a(n) })
	wg.Go(func() { b(n) })
	wg.Wait()
	return float64(time.Since(start)) / float64(n)
}

// latencies are those of all calls, not of a sample.
type latencies []time.Duration

// at returns the time within which the share q of the calls returned.
func (l latencies) at(q ...float64) (ns []float64) {
	slices.Sort(l)
	for _, q := range q {
		v := time.Duration(0)
		if len(l) > 0 {
			v = l[min(int(q*float64(len(l))), len(l)-1)]
		}
		ns = append(ns, float64(v))
	}
	return ns
}

var tail = []float64{0.5, 0.9, 0.99, 0.999, 1}

func tailFigures(more ...Figure) []Figure {
	return append([]Figure{{"p50", Time}, {"p90", Time}, {"p99", Time},
		{"p99.9", Time}, {"max", Time}}, more...)
}

// patience is a timeout that never passes here.
const patience = time.Minute

// neverDone can be done and never is.
var neverDone, _ = context.WithCancel(context.Background())

// idleTurns passes the time. The compiler keeps the loop.
func idleTurns(n int) {
	for range n {
	}
}

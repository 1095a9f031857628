package dump

import (
	"io"
	"math"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"example.com/chanx/doctor"
)

// sampler is one of the ways to look at the process one runs in.
type sampler struct {
	name string
	take func()
}

// The first two are what doctor.Watch does, and its measure: the same profile
// in the same form.
var samplers = []sampler{
	{"doctor.Take", func() { doctor.Take() }},
	{"runtime/pprof, debug=1", profile(1)},
	{"runtime/pprof, debug=0", profile(0)},
	{"doctor.TakeStacks", func() { doctor.TakeStacks() }},
	{"runtime/pprof, debug=2", profile(2)},
	{"nothing, as long", func() { time.Sleep(300 * time.Millisecond) }},
}

func profile(debug int) func() {
	return func() { _ = pprof.Lookup("goroutine").WriteTo(io.Discard, debug) }
}

// park starts goroutines that stand still, a few calls down, until stopped.
func park(n int) (stop func()) {
	gate, gone := make(chan struct{}), make(chan struct{})
	var left atomic.Int64
	left.Store(int64(n))
	for range n {
		go func() {
			descend(6, gate)
			if left.Add(-1) == 0 {
				close(gone)
			}
		}()
	}
	return func() {
		close(gate)
		<-gone
	}
}

//go:noinline
func descend(calls int, gate <-chan struct{}) {
	if calls > 0 {
		descend(calls-1, gate)
		return
	}
	<-gate
}

// The figures of a sample, in nanoseconds but for the first.
const (
	stops   = iota // how often the world stood still
	stopped        // how long in all, by the runtime's count
	gap            // the longest that a goroutine was kept from reading the clock
	took
)

// sample takes one sample while another goroutine reads the clock. The garbage
// is collected first: a sample of so many goroutines allocates so much that
// every second one has a collection in it, which in turns of two is always the
// same one's, and scanning all those stacks is what keeps goroutines waiting.
func sample(s sampler) []float64 {
	runtime.GC()
	var stop atomic.Bool
	running, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		close(running)
		longest <- spin(&stop)
	}()
	<-running
	before, times := pauses()
	start := time.Now()
	s.take()
	t := time.Since(start)
	after, more := pauses()
	stop.Store(true)
	return []float64{float64(more - times), after - before,
		float64(<-longest), float64(t)}
}

// spin reads the clock until it is told to stop, and returns the longest step.
func spin(stop *atomic.Bool) (longest time.Duration) {
	last := time.Now()
	for !stop.Load() {
		now := time.Now()
		longest = max(longest, now.Sub(last))
		last = now
	}
	return longest
}

// pauses is how long the world has been stopped for other reasons than
// collecting garbage, within the eighth of a power of two that the runtime's
// histogram knows, and how often.
func pauses() (ns float64, times uint64) {
	m := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(m)
	h := m[0].Value.Float64Histogram()
	for i, n := range h.Counts {
		low, high := h.Buckets[i], h.Buckets[i+1]
		if n > 0 && !math.IsInf(low, 0) && !math.IsInf(high, 0) {
			ns += float64(n) * (low + high) / 2 * 1e9
		}
		times += n
	}
	return ns, times
}

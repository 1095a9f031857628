package chanx_test

import (
	"flag"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"

	"example.com/chanx/internal/leakgate"
	"example.com/chanx/internal/race"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// scale makes the concurrent tests run longer: go test -scale 50 is a soak.
var scale = flag.Int("scale", 1, "multiplies the rounds of concurrent tests")

// rounds is how often a concurrent test repeats what takes n rounds to find
// its bug. The race detector finds more in each round and is ten times slower.
func rounds(n int) int {
	n *= *scale
	if race.Enabled && n > 100_000 {
		n = max(n/8, 100_000)
	}
	return n
}

// manyProcs makes goroutines be preempted in the middle of an operation: bugs
// that never show with as many threads as cores show with four times as many.
func manyProcs(t testing.TB) { setProcs(t, 4*runtime.NumCPU()) }

// oneProc makes goroutines run in the order in which they become ready.
func oneProc(t testing.TB) { setProcs(t, 1) }

func setProcs(t testing.TB, n int) {
	old := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

// noAllocs fails t if f allocates. What f needs must be warm: it is run once
// before. testing.AllocsPerRun rounds down, which forgives the runtime its
// own rare allocations and forgives f none, since f would make one each time.
func noAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if race.Enabled {
		return
	}
	if n := testing.AllocsPerRun(200, f); n != 0 {
		t.Errorf("%s: %v allocations, want 0", name, n)
	}
}

// A tally gives each sender its own values and checks the received ones:
// every value at most once, and each sender's in the order it sent them.
type tally struct {
	senders, each int
	seen          []atomic.Bool
	received      atomic.Int64
}

func newTally(senders, each int) *tally {
	return &tally{
		senders: senders,
		each:    each,
		seen:    make([]atomic.Bool, senders*each),
	}
}

func (y *tally) total() int { return y.senders * y.each }

// values are those of sender s: the sender is the value divided by each.
func (y *tally) values(s int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for v := s * y.each; v < (s+1)*y.each && yield(v); v++ {
		}
	}
}

// once notes v and fails t if it was noted before.
func (y *tally) once(t *testing.T, v int) {
	if y.seen[v].Swap(true) {
		t.Errorf("value %d came twice", v)
	}
}

// receiver returns what one receiving goroutine calls for each value.
func (y *tally) receiver(t *testing.T) func(v int) {
	last := make([]int, y.senders)
	for s := range last {
		last[s] = -1
	}
	return func(v int) {
		y.once(t, v)
		y.received.Add(1)
		s := v / y.each
		if v <= last[s] {
			t.Errorf("value %d after %d, both of sender %d", v, last[s], s)
		}
		last[s] = v
	}
}

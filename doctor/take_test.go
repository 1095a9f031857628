package doctor

import (
	"context"
	"math"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// block starts n goroutines that, so many calls down, send on a channel nobody
// receives from, and returns what lets them go and waits for them.
func block(n, deep int) (release func()) {
	rec, quit := make(chan int), make(chan struct{})
	var wg, at sync.WaitGroup
	at.Add(n)
	for range n {
		wg.Go(func() {
			at.Done()
			blockedSend(rec, quit, deep-1)
		})
	}
	at.Wait()
	for selecting() < n {
		runtime.Gosched() // the last ones are on their way
	}
	return func() {
		close(quit)
		wg.Wait()
	}
}

// selecting returns how many goroutines are parked in blockedSend.
func selecting() (n int) {
	for _, s := range TakeStacks().Stacks {
		if s.State == "select" && siteOf(s).Func == "example.com/chanx/doctor.blockedSend" {
			n += s.Count
		}
	}
	return n
}

// blockedSend is deep, so that the dump is large.
func blockedSend(rec chan int, quit chan struct{}, deep int) {
	if deep > 0 {
		blockedSend(rec, quit, deep-1)
		return
	}
	select {
	case rec <- 1:
	case <-quit:
	}
}

func countIn(p *Snapshot, function string) int {
	n := 0
	for _, s := range p.Stacks {
		if s.has(function) {
			n += s.Count
		}
	}
	return n
}

// A dump larger than the first buffer is taken whole.
func TestTakeStacksGrows(t *testing.T) {
	const n = 300 // of ten kilobytes each
	defer block(n, 95)()
	p := TakeStacks()
	assert.Equal(t, n, countIn(p, "example.com/chanx/doctor.blockedSend"))
	assert.Zero(t, p.Unreadable, "%v", p.Troubles)
	assert.False(t, p.Truncated)
	assert.False(t, p.Taken.IsZero())
	assert.Equal(t, "this process", p.Target)
	assert.Equal(t, n, countIn(Take(), "example.com/chanx/doctor.blockedSend"))
}

// The stacks of ordinary goroutines fit at once: the world stands still once,
// and not again for twice as much. The least of several, since others may
// stop it as well.
func TestTakeStacksStopsTheWorldOnce(t *testing.T) {
	defer block(1500, 10)() // more than a megabyte
	few := uint64(math.MaxUint64)
	for range 5 {
		before := stops()
		TakeStacks()
		few = min(few, stops()-before)
	}
	assert.Equal(t, uint64(1), few)
}

// stops is how often the world has been stopped for other reasons than
// collecting garbage.
func stops() (n uint64) {
	m := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(m)
	for _, c := range m[0].Value.Float64Histogram().Counts {
		n += c
	}
	return n
}

// What cannot be parsed is said, and breaks nothing in the process.
func TestOwnOfNothing(t *testing.T) {
	p := own(strings.NewReader("nothing"))
	assert.Zero(t, p.Goroutines)
	assert.Equal(t, 1, p.Unreadable)
	assert.Contains(t, p.Troubles[0].Why, "no goroutine in it")
}

// Nothing but a hook is needed to watch the process itself.
func TestWatchItself(t *testing.T) {
	release := block(1000, 21)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []Alert
	err := Watch(ctx, Options{Every: 1, Confirm: 1, OnAlert: func(a Alert) {
		if a.Finding.Function == "example.com/chanx/doctor.blockedSend" {
			got = append(got, a)
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.NotEmpty(t, got)
	assert.Equal(t, 1000, got[0].Finding.Count)
}

// What is gone is said as soon as the budget allows, and not forgotten.
func TestWatchGoneOverBudget(t *testing.T) {
	w := newWatcher(Options{Confirm: 1, Clear: 1, Budget: 1,
		Take: func() *Snapshot {
			return &Snapshot{}
		}})
	f := Finding{Severity: Warning, Function: "app.f"}
	w.saw(siteKey{function: "app.f"}, f, time.Unix(0, 0))
	require.Len(t, w.spent, 1)
	for range 3 {
		w.tell(w.sample(), time.Unix(0, 0))
	}
	assert.Equal(t, 1, w.suppressed)
	assert.Len(t, w.known, 1, "not said yet")
	w.tell(w.sample(), time.Unix(0, 0).Add(time.Hour))
	assert.Empty(t, w.known)
}

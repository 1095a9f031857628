package contention

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// longSections measures a Send during the calls that hold the lock longest, or
// wake most.
func longSections(o plan.Options) table {
	t := table{
		title: "Send while another goroutine makes a long call",
		heads: []string{"call", "of", "on"},
		figures: []column{
			{name: "the call takes", show: figure.Time, interval: true},
			{name: "longest Send meanwhile", show: figure.Time, interval: true},
		},
		notes: []string{
			"The sender times every call. The first row shows how long a Send " +
				"takes at most because the machine interrupts it.",
			"RecvBatch: of a full ring, into memory that was used before. The " +
				"figures of a round are medians of 15 calls.",
			"Close: from the call until all parked receivers have returned. A " +
				"send on a closed channel panics; the Send in that row is on a ring " +
				"that nothing else uses, so it shows the scheduler alone.",
		},
	}
	waiters := 100_000
	if o.Quick {
		waiters = 1000
	}
	t.add("a loop", "0.1 ms", figure.None, loop)
	for _, n := range []int{256, 65_536} {
		t.add("RecvBatch", fmt.Sprintf("%d values", n), ring.name,
			func() []float64 { return batches(n) })
	}
	t.add("Close", fmt.Sprintf("%d receivers", waiters), ring.name,
		func() []float64 { return closing(ring, waiters) })
	t.add("close", fmt.Sprintf("%d receivers", waiters), blocking.name,
		func() []float64 { return closing(blocking, waiters) })
	return t
}

func (t *table) add(call, of, on string, measure func() []float64) {
	t.bouts = append(t.bouts, bout{
		situation: []string{call, of},
		names:     []string{on},
		measure:   func(int) ([]float64, error) { return measure(), nil },
	})
}

const repeats = 15

func loop() []float64 {
	q := ring.open(1024)
	return typical(q.send, func() {}, func() {
		for began := time.Now(); time.Since(began) < 100*time.Microsecond; {
		}
	})
}

func batches(n int) []float64 {
	r, dst := chanx.NewRing[int](n), make([]int, n)
	for i := range dst {
		dst[i] = i
	}
	return typical(func(v int) { r.Send(v) }, func() {
		for i := range n {
			r.Send(i)
		}
	}, func() { _, _ = r.RecvBatch(context.Background(), dst) })
}

// typical returns the medians of several times: of long, and of the longest
// send during it. It calls prepare before each.
func typical(send func(int), prepare, long func()) []float64 {
	var took, longest []float64
	for range repeats {
		prepare()
		a, b := meanwhile(send, long)
		took, longest = append(took, a), append(longest, b)
	}
	return []float64{round.Median(took), round.Median(longest)}
}

func closing(w way, receivers int) []float64 {
	q := w.open(1)
	var started, ended sync.WaitGroup
	started.Add(receivers)
	for range receivers {
		ended.Go(func() {
			started.Done()
			for ok := true; ok; {
				_, ok = q.recv()
			}
		})
	}
	started.Wait()
	time.Sleep(10 * time.Millisecond) // until they are parked, or most of them
	runtime.GC()                      // not meanwhile
	send := q.send
	if w.name != ring.name {
		send = ring.open(1).send
	}
	took, longest := meanwhile(send, func() {
		q.close()
		ended.Wait()
	})
	return []float64{took, longest}
}

// meanwhile calls long while another goroutine sends, and returns the
// nanoseconds of long and of the longest send.
func meanwhile(send func(int), long func()) (took, longest float64) {
	var over atomic.Bool
	var sending sync.WaitGroup
	started := make(chan struct{})
	sending.Go(func() {
		close(started)
		for i := 0; !over.Load(); i++ {
			began := time.Now()
			send(i)
			longest = max(longest, float64(time.Since(began)))
		}
	})
	<-started
	began := time.Now()
	long()
	took = float64(time.Since(began))
	over.Store(true)
	sending.Wait()
	return took, longest
}

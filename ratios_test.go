package chanx_test

import (
	"flag"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/chanx"
)

var (
	ratios = flag.Bool("ratios", false, "measure against raw channels")
	turns  = flag.Int("turns", 15, "of which -ratios takes the median")
)

// limit is wanted of what shows how much the machine and the language allow to
// the row above it.
const limit = 0

// TestRatios measures each operation against its opponent, in turns, and logs
// the ratio of the medians beside what we want it to be. It judges nothing: no
// test fails on the time of a clock.
//
//	go test -run TestRatios -ratios -v .
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("without -ratios")
	}
	ch, full := make(chan int, 64), make(chan int, 64)
	// Where a ring meets a channel they are of one size.
	ring, fullRing := chanx.NewRing[int](64), chanx.NewRing[int](1024)
	fullRaw := make(chan int, 1024)
	for range 1024 {
		chanx.TrySend(full, 1)
		fullRaw <- 1
		fullRing.Send(1)
	}
	for _, row := range []struct {
		name   string
		target float64
		procs  int
		n      int
		ours   func(n int) time.Duration
		raw    func(n int) time.Duration
	}{
		{"TrySend + TryRecv / inline select", 1.05, 2, 400_000,
			timed(func(n int) {
				for range n {
					chanx.TrySend(ch, 1)
					chanx.TryRecv(ch)
				}
			}),
			timed(selectPairs(ch))},
		{"TrySend full / inline select", 1.05, 2, 2_000_000,
			timed(func(n int) {
				for range n {
					chanx.TrySend(full, 1)
				}
			}),
			timed(func(n int) {
				for range n {
					select {
					case full <- 1:
					default:
					}
				}
			})},
		{"SendTimeout ready + receive / raw", 1.15, 2, 400_000,
			timed(func(n int) {
				for range n {
					chanx.SendTimeout(ch, 1, time.Second)
					<-ch
				}
			}), timed(rawPairs(ch))},
		{"send + RecvTimeout ready / raw", 1.15, 2, 400_000,
			timed(func(n int) {
				for range n {
					ch <- 1
					chanx.RecvTimeout(ch, time.Second)
				}
			}), timed(rawPairs(ch))},
		{"SendTimeout + RecvTimeout ready / raw", 1.15, 2, 400_000,
			timed(func(n int) {
				for range n {
					chanx.SendTimeout(ch, 1, time.Second)
					chanx.RecvTimeout(ch, time.Second)
				}
			}), timed(rawPairs(ch))},
		{"inline select pair / raw", limit, 2, 400_000,
			timed(selectPairs(ch)), timed(rawPairs(ch))},
		{"SendTimeout to plain receive / time.After", 0.60, 2, 50_000,
			timed(sendOnlyTimeout), timed(sendOnlyAfter)},
		{"RecvTimeout of plain send / time.After", 0.60, 2, 50_000,
			timed(recvOnlyTimeout), timed(recvOnlyAfter)},
		{"timeout on both sides / time.After", 0.60, 2, 50_000,
			timed(handOffTimeout), timed(handOffAfter)},
		{"a timer for every wait / time.After", limit, 2, 50_000,
			timed(handOffOwnTimer), timed(handOffAfter)},
		{"the same on one processor", 0.60, 1, 50_000,
			timed(handOffTimeout), timed(handOffAfter)},
		{"a timer for every wait, one processor", limit, 1, 50_000,
			timed(handOffOwnTimer), timed(handOffAfter)},
		{"Ring.Send full / evict-and-retry", 0.35, 2, 400_000,
			timed(func(n int) {
				for range n {
					fullRing.Send(1)
				}
			}),
			timed(evictions(fullRaw))},
		{"lock and unlock / evict-and-retry", limit, 2, 400_000,
			timed(func(n int) { locks(n) }),
			timed(evictions(fullRaw))},
		{"Ring.Send + TryRecv / raw pair", 0.80, 2, 400_000,
			timed(func(n int) {
				for range n {
					ring.Send(1)
					ring.TryRecv()
				}
			}), timed(rawPairs(ch))},
		{"lock and unlock, twice / raw pair", limit, 2, 400_000,
			timed(func(n int) { locks(2 * n) }), timed(rawPairs(ch))},
		{"2 senders, full Ring / drained channel", 0.5, 2, 400_000,
			timed(func(n int) { parallelRing(2, n) }),
			timed(func(n int) { parallelRaw(2, n) })},
		{"64 senders, full Ring / drained channel", 1.2, 2, 400_000,
			timed(func(n int) { parallelRing(64, n) }),
			timed(func(n int) { parallelRaw(64, n) })},
		{"RecvBatch of 256, per value / raw receive", 0.25, 2, 400_000,
			batched, drained},
		{"Ring.Send to parked Recv / raw", 1.2, 1, 100_000,
			timed(parkedRing), timed(parkedRaw)},
	} {
		ours, raw := duel(row.procs, row.n, row.ours, row.raw)
		verdict := "reached"
		switch {
		case row.target == limit:
			verdict = "limit"
		case ours/raw > row.target:
			verdict = "MISSED"
		}
		t.Logf("%-42s %7.1f ns %7.1f ns  %.2fx, want %.2fx: %s",
			row.name, ours, raw, ours/raw, row.target, verdict)
	}
}

func rawPairs(ch chan int) func(n int) {
	return func(n int) {
		for range n {
			ch <- 1
			<-ch
		}
	}
}

func evictions(full chan int) func(n int) {
	return func(n int) {
		for range n {
			evict(full, 1)
		}
	}
}

func selectPairs(ch chan int) func(n int) {
	return func(n int) {
		for range n {
			select {
			case ch <- 1:
			default:
			}
			select {
			case _, ok := <-ch:
				_ = ok
			default:
			}
		}
	}
}

// handOffOwnTimer is the least that two sides with timeouts can do: whoever
// comes first parks with a timer, and the other one needs none.
func handOffOwnTimer(n int) {
	ch := make(chan int)
	both(n, func() {
		if chanx.TrySend(ch, 1) {
			return
		}
		t := time.NewTimer(time.Second)
		select {
		case ch <- 1:
		case <-t.C:
		}
		t.Stop()
	}, func() {
		if _, err := chanx.TryRecv(ch); err == nil {
			return
		}
		t := time.NewTimer(time.Second)
		select {
		case <-ch:
		case <-t.C:
		}
		t.Stop()
	})
}

// locks is what any queue under a lock does at least.
func locks(n int) (inside int) {
	var mu sync.Mutex
	for range n {
		mu.Lock()
		inside++
		mu.Unlock()
	}
	return inside
}

func timed(f func(n int)) func(n int) time.Duration {
	return func(n int) time.Duration {
		start := time.Now()
		f(n)
		return time.Since(start)
	}
}

// duel returns the medians, in nanoseconds an operation, of rounds in turns.
func duel(procs, n int, a, b func(int) time.Duration) (ma, mb float64) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	var as, bs []float64
	for range *turns {
		as = append(as, float64(a(n))/float64(n))
		bs = append(bs, float64(b(n))/float64(n))
	}
	slices.Sort(as)
	slices.Sort(bs)
	return as[*turns/2], bs[*turns/2]
}

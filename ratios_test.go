package chanx_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"
)

var (
	ratios = flag.Bool("ratios", false, "measure against raw channels")
	turns  = flag.Int("turns", 15, "of which -ratios takes the median")
)

// TestRatios measures operations that do not wait against their opponents, in
// turns, and logs the medians and the ratio with the interval that holds 80 %
// of the turns. It judges nothing: no test fails on the time of a clock. The
// operations that wait, and those of several goroutines, are measured by
// bench/contention.
//
//	go test -run TestRatios -ratios -v .
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("without -ratios")
	}
	for _, row := range []struct {
		name      string
		want      float64
		n         int
		ours, raw func(n int) time.Duration
	}{
		{"TrySend + TryRecv / inline select", 1.05, 400_000,
			timed(tryPair[int](64)), timed(selectPair[int](64))},
		{"TrySend full / inline select", 1.05, 2_000_000,
			timed(trySendFull(64)), timed(selectFull(64))},
		{"SendTimeout + RecvTimeout ready / raw", 1.15, 400_000,
			timed(timeoutPair(64)), timed(rawPair[int](64))},
		{"Ring.Send full / evict-and-retry", 0.50, 400_000,
			timed(ringFull[int](1024)), timed(evictFull[int](1024))},
		{"Ring.Send + TryRecv / raw pair", 0.80, 400_000,
			timed(ringPair[int](64)), timed(rawPair[int](64))},
		{"RecvBatch of 256, per value / raw receive", 0.25, 400_000,
			batched, drained},
	} {
		t.Logf("%-42s %s, want %.2fx", row.name, duel(row.n, row.ours, row.raw),
			row.want)
	}
}

func timed(f func(n int)) func(n int) time.Duration {
	return func(n int) time.Duration {
		start := time.Now()
		f(n)
		return time.Since(start)
	}
}

// duel returns the medians, in nanoseconds an operation, of rounds in turns.
// Each side goes first in every other round.
func duel(n int, ours, raw func(int) time.Duration) string {
	var as, bs, rs []float64
	for i := range *turns {
		var a, b time.Duration
		if i%2 == 0 {
			a, b = ours(n), raw(n)
		} else {
			b = raw(n)
			a = ours(n)
		}
		as = append(as, float64(a)/float64(n))
		bs = append(bs, float64(b)/float64(n))
		rs = append(rs, float64(a)/float64(b))
	}
	for _, v := range [][]float64{as, bs, rs} {
		slices.Sort(v)
	}
	return fmt.Sprintf("%7.1f ns %7.1f ns  %.2fx (%.2f–%.2f)", as[*turns/2],
		bs[*turns/2], rs[*turns/2], rs[*turns/10], rs[*turns-1-*turns/10])
}

package chanx_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

// restartTimes has a worker fail n times, and be restarted each time.
func restartTimes(tb testing.TB, n int, policy chanx.RestartPolicy) {
	left := n
	err := chanx.Supervise(context.Background(), func(context.Context) error {
		if left--; left < 0 {
			return chanx.ErrStop
		}
		return errBoom
	}, policy)
	assert.NoError(tb, err)
}

// failTimes starts and joins a goroutine n times, by a wait group.
func failTimes(n int) (failed int) {
	for range n {
		var all sync.WaitGroup
		all.Go(func() {
			if errBoom != nil {
				failed++
			}
		})
		all.Wait()
	}
	return failed
}

// joinTimes starts a goroutine n times, and takes its error from a channel.
func joinTimes(n int) (failed int) {
	for range n {
		errs := make(chan error)
		go func() { errs <- errBoom }()
		if err := <-errs; err != nil {
			failed++
		}
	}
	return failed
}

// BenchmarkRestart is the price of one restart without backoff, beside that of
// one plain goroutine started and joined.
func BenchmarkRestart(b *testing.B) {
	for name, policy := range map[string]chanx.RestartPolicy{
		"supervise":           every(-1),
		"supervise hook":      {MinBackoff: -1, OnEvent: func(chanx.Event) {}},
		"supervise heartbeat": {MinBackoff: -1, Heartbeat: time.Hour},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			restartTimes(b, b.N, policy)
		})
	}
	b.Run("supervisor", func(b *testing.B) {
		b.ReportAllocs()
		left := b.N
		assert.NoError(b, superviseNamed(func(context.Context) error {
			if left--; left < 0 {
				return chanx.ErrStop
			}
			return errBoom
		}))
	})
	b.Run("waitgroup", func(b *testing.B) {
		b.ReportAllocs()
		failTimes(b.N)
	})
	b.Run("channel", func(b *testing.B) {
		b.ReportAllocs()
		joinTimes(b.N)
	})
}

// BenchmarkRestartRatio reports the restart as a multiple of each opponent,
// measured in turns of the same run, so that what else the machine does meets
// both. The median of the turns is what counts.
func BenchmarkRestartRatio(b *testing.B) {
	for name, opponent := range map[string]func(int) int{
		"waitgroup": failTimes, "channel": joinTimes,
	} {
		b.Run(name, func(b *testing.B) {
			const turns = 15
			n := max(b.N/turns, 1)
			ratios := make([]float64, turns)
			for i := range ratios {
				ours := timeOf(func() { restartTimes(b, n, every(-1)) })
				theirs := timeOf(func() { opponent(n) })
				ratios[i] = float64(ours) / float64(theirs)
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[turns/2], "ratio")
		})
	}
}

func timeOf(f func()) time.Duration {
	began := time.Now()
	f()
	return max(time.Since(began), 1)
}

func BenchmarkBeat(b *testing.B) {
	for name, policy := range map[string]chanx.RestartPolicy{
		"watched": {Heartbeat: time.Hour}, "not watched": {},
	} {
		for _, parallel := range []bool{false, true} {
			n := name
			if parallel {
				n += " parallel"
			}
			b.Run(n, func(b *testing.B) {
				err := chanx.Supervise(b.Context(), func(ctx context.Context) error {
					benchBeat(b, ctx, parallel)
					return chanx.ErrStop
				}, policy)
				assert.NoError(b, err)
			})
		}
	}
	b.Run("no supervisor", func(b *testing.B) {
		benchBeat(b, b.Context(), false)
	})
}

func benchBeat(b *testing.B, ctx context.Context, parallel bool) {
	b.ReportAllocs()
	if parallel {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				chanx.Beat(ctx)
			}
		})
		return
	}
	for b.Loop() {
		chanx.Beat(ctx)
	}
}

// BenchmarkBeatOpponent is what the least a heartbeat can do costs: reading
// the clock.
func BenchmarkBeatOpponent(b *testing.B) {
	born := time.Now()
	for b.Loop() {
		beatSink = int64(time.Since(born))
	}
}

// beatSink keeps the compiler from leaving out what nobody looks at.
var beatSink int64

// BenchmarkRemove takes 100,000 workers out of a Supervisor one by one. The
// oldest first must cost no more than the newest first.
func BenchmarkRemove(b *testing.B) {
	const workers = 100_000
	names := make([]string, workers)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	for order, names := range map[string][]string{
		"oldest": names, "newest": reversed(names),
	} {
		b.Run(order, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := chanx.NewSupervisor(chanx.SupervisorOptions{})
				for i := range workers {
					_ = s.Add(strconv.Itoa(i), idle, chanx.RestartPolicy{})
				}
				b.StartTimer()
				for _, name := range names {
					_ = s.Remove(b.Context(), name)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/workers, "ns/worker")
		})
	}
}

func reversed(names []string) []string {
	names = slices.Clone(names)
	slices.Reverse(names)
	return names
}

func idle(ctx context.Context) error { <-ctx.Done(); return nil }

package chanx_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

// Benchmarks whose names differ in impl= alone do the same in several ways.
// Read their ratio, not their nanoseconds:
//
//	go test -run '^$' -bench . -count 10 . | benchstat -col /impl -
//
// They are loops over b.N, since the compiler of Go 1.25 inlines nothing inside
// of a b.Loop. A value that was received is the next to be sent, on both sides:
// a receive that throws the value away copies nothing. Senders and receivers
// that meet under load are measured by bench/contention.

type wide [256]byte

// An operation prepares a channel or ring of that capacity and returns the loop
// to be measured. It must not be inlined: in the copy of the loop that this
// makes, TrySend is a call, 1 ns of 3.5.
type operation func(capacity int) (run func(n int))

func bench(b *testing.B, name string, run func(n int)) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		run(b.N)
	})
}

// benchSizes runs f8 with values of 8 bytes and f256 with values of 256.
func benchSizes(b *testing.B, impl string, f8, f256 operation) {
	bench(b, "size=8/impl="+impl, f8(1024))
	bench(b, "size=256/impl="+impl, f256(1024))
}

func BenchmarkTryPair(b *testing.B) {
	benchSizes(b, "chanx", tryPair[int64], tryPair[wide])
	benchSizes(b, "select", selectPair[int64], selectPair[wide])
}

//go:noinline
func tryPair[T any](capacity int) func(int) {
	ch := make(chan T, capacity)
	return func(n int) {
		var v T
		for range n {
			chanx.TrySend(ch, v)
			v, _ = chanx.TryRecv(ch)
		}
	}
}

//go:noinline
func selectPair[T any](capacity int) func(int) {
	ch := make(chan T, capacity)
	return func(n int) {
		var v T
		for range n {
			select {
			case ch <- v:
			default:
			}
			var ok bool
			select {
			case v, ok = <-ch:
				_ = ok
			default:
			}
		}
	}
}

func BenchmarkTrySendFull(b *testing.B) {
	bench(b, "impl=chanx", trySendFull(1))
	bench(b, "impl=select", selectFull(1))
}

// fullChannel returns a channel that has no room.
func fullChannel[T any](capacity int) chan T {
	ch := make(chan T, capacity)
	for range capacity {
		ch <- *new(T)
	}
	return ch
}

//go:noinline
func trySendFull(capacity int) func(int) {
	full := fullChannel[int](capacity)
	return func(n int) {
		for range n {
			chanx.TrySend(full, 1)
		}
	}
}

//go:noinline
func selectFull(capacity int) func(int) {
	full := fullChannel[int](capacity)
	return func(n int) {
		for range n {
			select {
			case full <- 1:
			default:
			}
		}
	}
}

func BenchmarkTimeoutReady(b *testing.B) {
	bench(b, "impl=chanx", timeoutPair(64))
	bench(b, "impl=channel", rawPair[int](64))
}

//go:noinline
func timeoutPair(capacity int) func(int) {
	ch := make(chan int, capacity)
	return func(n int) {
		v := 0
		for range n {
			_ = chanx.SendTimeout(ch, v, time.Second)
			v, _ = chanx.RecvTimeout(ch, time.Second)
		}
	}
}

func BenchmarkContextReady(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ch := make(chan int, 64)
	bench(b, "impl=chanx", func(n int) {
		v := 0
		for range n {
			_ = chanx.SendContext(ctx, ch, v)
			v, _ = chanx.RecvContext(ctx, ch)
		}
	})
	bench(b, "impl=select", func(n int) {
		v := 0
		for range n {
			select {
			case ch <- v:
			case <-ctx.Done():
			}
			select {
			case v = <-ch:
			case <-ctx.Done():
			}
		}
	})
}

// BenchmarkTimeoutHandOff has a timeout on both sides of an unbuffered channel,
// where one of them always waits.
func BenchmarkTimeoutHandOff(b *testing.B) {
	ch := make(chan int)
	bench(b, "impl=chanx", func(n int) {
		both(n, func(v int) { _ = chanx.SendTimeout(ch, v, time.Second) },
			func() int { v, _ := chanx.RecvTimeout(ch, time.Second); return v })
	})
	bench(b, "impl=Timeouts", func(n int) {
		var s, r chanx.Timeouts[int]
		both(n, func(v int) { _ = s.Send(ch, v, time.Second) },
			func() int { v, _ := r.Recv(ch, time.Second); return v })
	})
	bench(b, "impl=time.After", func(n int) {
		both(n, func(v int) { sendAfter(ch, v) }, func() int { return recvAfter(ch) })
	})
	bench(b, "impl=channel", func(n int) {
		both(n, func(v int) { ch <- v }, func() int { return <-ch })
	})
}

func sendAfter(ch chan int, v int) {
	select {
	case ch <- v:
	case <-time.After(time.Second):
	}
}

func recvAfter(ch chan int) (v int) {
	select {
	case v = <-ch:
	case <-time.After(time.Second):
	}
	return v
}

// both sends n values in one goroutine and receives them in another.
func both(n int, send func(int), recv func() int) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range n {
			send(i)
		}
	})
	sum := 0
	for range n {
		sum += recv()
	}
	wg.Wait()
	runtime.KeepAlive(sum)
}

func BenchmarkFullSend(b *testing.B) {
	benchSizes(b, "Ring", ringFull[int64], ringFull[wide])
	benchSizes(b, "SendDropOldest", dropFull[int64], dropFull[wide])
	benchSizes(b, "evict", evictFull[int64], evictFull[wide])
}

//go:noinline
func ringFull[T any](capacity int) func(int) {
	var v T
	r := chanx.NewRing[T](capacity)
	for range capacity {
		r.Send(v)
	}
	return func(n int) {
		for range n {
			r.Send(v)
		}
	}
}

//go:noinline
func dropFull[T any](capacity int) func(int) {
	full := fullChannel[T](capacity)
	return func(n int) {
		var v T
		for range n {
			chanx.SendDropOldest(full, v)
		}
	}
}

//go:noinline
func evictFull[T any](capacity int) func(int) {
	full := fullChannel[T](capacity)
	return func(n int) {
		var v T
		for range n {
			evict(full, v)
		}
	}
}

// evict is evict-and-retry as it is written by hand.
func evict[T any](ch chan T, v T) {
	for {
		select {
		case ch <- v:
			return
		default:
		}
		select {
		case <-ch:
		default:
		}
	}
}

func BenchmarkPair(b *testing.B) {
	benchSizes(b, "Ring", ringPair[int64], ringPair[wide])
	benchSizes(b, "channel", rawPair[int64], rawPair[wide])
}

//go:noinline
func ringPair[T any](capacity int) func(int) {
	r := chanx.NewRing[T](capacity)
	return func(n int) {
		var v T
		for range n {
			r.Send(v)
			v, _ = r.TryRecv()
		}
	}
}

//go:noinline
func rawPair[T any](capacity int) func(int) {
	ch := make(chan T, capacity)
	return func(n int) {
		var v T
		for range n {
			ch <- v
			v = <-ch
		}
	}
}

// BenchmarkRecvBatch reports the time of the receives alone.
func BenchmarkRecvBatch(b *testing.B) {
	for impl, f := range map[string]func(int) time.Duration{
		"RecvBatch": batched, "channel": drained,
	} {
		b.Run("impl="+impl, func(b *testing.B) {
			spent := f(b.N)
			b.ReportMetric(float64(spent)/float64(b.N), "ns/op")
		})
	}
}

// batched and drained receive n values and return the time of that alone.
func batched(n int) (spent time.Duration) {
	r, dst := chanx.NewRing[int](4096), make([]int, 256)
	for got := 0; got < n; {
		for i := range r.Cap() {
			r.Send(i)
		}
		start := time.Now()
		for r.Len() > 0 {
			m, _ := r.RecvBatch(context.Background(), dst)
			got += m
		}
		spent += time.Since(start)
	}
	return spent
}

func drained(n int) (spent time.Duration) {
	ch, dst := make(chan int, 4096), make([]int, 256)
	for got := 0; got < n; {
		for i := range cap(ch) {
			ch <- i
		}
		start := time.Now()
		for range cap(ch) {
			dst[got%len(dst)] = <-ch
			got++
		}
		spent += time.Since(start)
	}
	return spent
}

// BenchmarkParkedReceiver has one processor, so that the receiver is parked
// when the next value comes: the sender yields to it after each one.
func BenchmarkParkedReceiver(b *testing.B) {
	for impl, f := range map[string]func(n int){
		"Ring": parkedRing, "channel": parkedRaw,
	} {
		b.Run("impl="+impl, func(b *testing.B) {
			oneProc(b)
			f(b.N)
		})
	}
}

func parkedRing(n int) {
	r, done := chanx.NewRing[int](64), make(chan int)
	ctx := context.Background()
	go func() {
		sum := 0
		for v, err := r.Recv(ctx); err == nil; v, err = r.Recv(ctx) {
			sum += v
		}
		done <- sum
	}()
	for i := range n {
		r.Send(i)
		runtime.Gosched()
	}
	r.Close()
	<-done
}

func parkedRaw(n int) {
	ch, done := make(chan int, 64), make(chan int)
	go func() {
		sum := 0
		for v := range ch {
			sum += v
		}
		done <- sum
	}()
	for i := range n {
		ch <- i
		runtime.Gosched()
	}
	close(ch)
	<-done
}

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

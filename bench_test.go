package chanx_test

import (
	"context"
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
//	go test -run '^$' -bench . -count 10 . | go -C bench tool benchstat -col /impl -
//
// They are loops over b.N, since the compiler of Go 1.25 inlines nothing inside
// of a b.Loop. A value that was received is the next to be sent, on both sides:
// a receive that throws the value away copies nothing. Loads of several
// goroutines are measured by the module in the directory bench, which also runs
// these benchmarks in turns, with intervals.

type wide [256]byte

// An operation prepares a channel or ring and returns the loop to be measured.
// It must not be inlined: in the copy of the loop that this makes, TrySend is a
// call, 1 ns of 3.5.
type operation func() (run func(n int))

func bench(b *testing.B, name string, of operation) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		run := of()
		run(100) // the first calls may allocate
		b.ResetTimer()
		run(b.N)
	})
}

// patience is a timeout that never passes here.
const patience = time.Minute

// BenchmarkPair is a send and a receive by one goroutine.
func BenchmarkPair(b *testing.B) {
	bench(b, "size=8/impl=channel", rawPair[int64])
	bench(b, "size=8/impl=select", selectPair[int64])
	bench(b, "size=8/impl=TrySend", tryPair[int64])
	bench(b, "size=8/impl=Ring", ringPair[int64])
	bench(b, "size=256/impl=channel", rawPair[wide])
	bench(b, "size=256/impl=select", selectPair[wide])
	bench(b, "size=256/impl=TrySend", tryPair[wide])
	bench(b, "size=256/impl=Ring", ringPair[wide])
}

//go:noinline
func rawPair[T any]() func(int) {
	ch := make(chan T, 1024)
	return func(n int) {
		var v T
		for range n {
			ch <- v
			v = <-ch
		}
	}
}

//go:noinline
func selectPair[T any]() func(int) {
	ch := make(chan T, 1024)
	return func(n int) {
		var v T
		for range n {
			select {
			case ch <- v:
			default:
			}
			select {
			case v = <-ch:
			default:
			}
		}
	}
}

//go:noinline
func tryPair[T any]() func(int) {
	ch := make(chan T, 1024)
	return func(n int) {
		var v T
		for range n {
			chanx.TrySend(ch, v)
			v, _ = chanx.TryRecv(ch)
		}
	}
}

//go:noinline
func ringPair[T any]() func(int) {
	r := chanx.NewRing[T](1024)
	return func(n int) {
		var v T
		for range n {
			r.Send(v)
			v, _ = r.TryRecv()
		}
	}
}

// BenchmarkTimeoutPair is the same with timeouts.
func BenchmarkTimeoutPair(b *testing.B) {
	bench(b, "impl=channel", rawPair[int])
	bench(b, "impl=chanx", timeoutPair)
	bench(b, "impl=time.After", afterPair)
}

//go:noinline
func timeoutPair() func(int) {
	ch := make(chan int, 1024)
	return func(n int) {
		v := 0
		for range n {
			_ = chanx.SendTimeout(ch, v, patience)
			v, _ = chanx.RecvTimeout(ch, patience)
		}
	}
}

// afterPair has a timeout on the send alone.
//
//go:noinline
func afterPair() func(int) {
	ch := make(chan int, 1024)
	return func(n int) {
		v := 0
		for range n {
			select {
			case ch <- v:
			case <-time.After(patience):
			}
			v = <-ch
		}
	}
}

// neverDone can be done and never is.
var neverDone, _ = context.WithCancel(context.Background())

// BenchmarkContextPair has a context on the send and a plain receive.
func BenchmarkContextPair(b *testing.B) {
	bench(b, "impl=channel", rawPair[int])
	bench(b, "impl=chanx", contextPair)
	bench(b, "impl=select", donePair)
	bench(b, "impl=WithTimeout", withTimeoutPair)
}

//go:noinline
func contextPair() func(int) {
	ctx, ch := neverDone, make(chan int, 1024)
	return func(n int) {
		v := 0
		for range n {
			_ = chanx.SendContext(ctx, ch, v)
			v = <-ch
		}
	}
}

//go:noinline
func donePair() func(int) {
	ctx, ch := neverDone, make(chan int, 1024)
	return func(n int) {
		v := 0
		for range n {
			select {
			case ch <- v:
			case <-ctx.Done():
			}
			v = <-ch
		}
	}
}

// withTimeoutPair makes a context for each send.
//
//go:noinline
func withTimeoutPair() func(int) {
	ch := make(chan int, 1024)
	return func(n int) {
		v := 0
		for range n {
			ctx, cancel := context.WithTimeout(neverDone, patience)
			select {
			case ch <- v:
			case <-ctx.Done():
			}
			cancel()
			v = <-ch
		}
	}
}

// BenchmarkConsumer is a value of a consumer's loop, sent and received by the
// goroutine of the worker.
func BenchmarkConsumer(b *testing.B) {
	bench(b, "impl=channel", rawPair[int])
	bench(b, "impl=select", doneConsumer)
	bench(b, "impl=Supervise", supervised(func(_ context.Context, n int) {
		rawPair[int]()(n)
	}))
	bench(b, "impl=RecvContext", supervised(contextConsumer))
	bench(b, "impl=Beat", supervised(beatConsumer))
	bench(b, "impl=All", supervised(allConsumer))
}

func supervised(consume func(ctx context.Context, n int)) operation {
	return func() func(int) {
		return func(n int) {
			_ = chanx.Supervise(context.Background(), func(ctx context.Context) error {
				consume(ctx, n)
				return chanx.ErrStop
			}, chanx.RestartPolicy{})
		}
	}
}

//go:noinline
func doneConsumer() func(int) {
	ctx, ch := neverDone, make(chan int, 1024)
	return func(n int) {
		v := 0
		for range n {
			ch <- v
			select {
			case v = <-ch:
			case <-ctx.Done():
			}
		}
	}
}

func contextConsumer(ctx context.Context, n int) {
	ch, v := make(chan int, 1024), 0
	for range n {
		ch <- v
		v, _ = chanx.RecvContext(ctx, ch)
	}
}

// beatConsumer beats after each value.
func beatConsumer(ctx context.Context, n int) {
	ch, v := make(chan int, 1024), 0
	for range n {
		ch <- v
		v, _ = chanx.RecvContext(ctx, ch)
		chanx.Beat(ctx)
	}
}

func allConsumer(ctx context.Context, n int) {
	r := chanx.NewRing[int](1024)
	r.Send(0)
	for v := range r.All(ctx) {
		if n--; n <= 0 {
			break
		}
		r.Send(v)
	}
}

// BenchmarkTrySendFull loses the new value.
func BenchmarkTrySendFull(b *testing.B) {
	bench(b, "impl=chanx", trySendFull)
	bench(b, "impl=select", selectFull)
}

// fullChannel returns a channel that has no room.
func fullChannel[T any]() chan T {
	ch := make(chan T, 1024)
	for range cap(ch) {
		ch <- *new(T)
	}
	return ch
}

//go:noinline
func trySendFull() func(int) {
	full := fullChannel[int]()
	return func(n int) {
		for i := range n {
			chanx.TrySend(full, i)
		}
	}
}

//go:noinline
func selectFull() func(int) {
	full := fullChannel[int]()
	return func(n int) {
		for i := range n {
			select {
			case full <- i:
			default:
			}
		}
	}
}

// BenchmarkFullSend loses the oldest value.
func BenchmarkFullSend(b *testing.B) {
	bench(b, "size=8/impl=evict", evictFull[int64])
	bench(b, "size=8/impl=SendDropOldest", dropFull[int64])
	bench(b, "size=8/impl=Ring", ringFull[int64])
	bench(b, "size=256/impl=evict", evictFull[wide])
	bench(b, "size=256/impl=SendDropOldest", dropFull[wide])
	bench(b, "size=256/impl=Ring", ringFull[wide])
}

//go:noinline
func ringFull[T any]() func(int) {
	var v T
	r := chanx.NewRing[T](1024)
	for range r.Cap() {
		r.Send(v)
	}
	return func(n int) {
		for range n {
			r.Send(v)
		}
	}
}

//go:noinline
func dropFull[T any]() func(int) {
	full := fullChannel[T]()
	return func(n int) {
		var v T
		for range n {
			chanx.SendDropOldest(full, v)
		}
	}
}

//go:noinline
func evictFull[T any]() func(int) {
	full := fullChannel[T]()
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

// BenchmarkDrain is the receive of 1,024 values that were sent before.
func BenchmarkDrain(b *testing.B) {
	benchDrain(b, "channel", func() (fill, drain func()) {
		ch, sum := make(chan int, 1024), 0
		return func() {
				for i := range cap(ch) {
					ch <- i
				}
			}, func() {
				for range cap(ch) {
					sum += <-ch
				}
			}
	})
	benchDrain(b, "chan[256]int", func() (fill, drain func()) {
		ch, sum := make(chan [256]int, 4), 0
		return func() {
				for i := range cap(ch) {
					ch <- [256]int{i}
				}
			}, func() {
				for range cap(ch) {
					for _, v := range <-ch {
						sum += v
					}
				}
			}
	})
	r, sum, dst := chanx.NewRing[int](1024), 0, make([]int, 256)
	fill := func() {
		for i := range r.Cap() {
			r.Send(i)
		}
	}
	benchDrain(b, "TryRecv", func() (_, drain func()) {
		return fill, func() {
			for range r.Cap() {
				v, _ := r.TryRecv()
				sum += v
			}
		}
	})
	benchDrain(b, "RecvBatch", func() (_, drain func()) {
		return fill, func() {
			for range r.Cap() / len(dst) {
				n, _ := r.RecvBatch(neverDone, dst)
				for _, v := range dst[:n] {
					sum += v
				}
			}
		}
	})
}

// benchDrain reports the time of drain alone, a value.
func benchDrain(b *testing.B, impl string, of func() (fill, drain func())) {
	b.Run("impl="+impl, func(b *testing.B) {
		fill, drain := of()
		spent, got := time.Duration(0), 0
		for ; got < b.N; got += 1024 {
			fill()
			start := time.Now()
			drain()
			spent += time.Since(start)
		}
		b.ReportMetric(float64(spent)/float64(got), "ns/op")
	})
}

// A side sends or receives on an unbuffered channel, where it mostly waits.
type side struct {
	impl string
	send func(ch chan int, v int, by *waiter)
	recv func(ch chan int, by *waiter) int
}

// A waiter is what a goroutine keeps between its calls.
type waiter struct {
	timer    *time.Timer
	timeouts chanx.Timeouts[int]
}

// BenchmarkHandOff has a timeout on the send, or on both sides.
func BenchmarkHandOff(b *testing.B) {
	for _, s := range sides {
		bench(b, "timeouts=1/impl="+s.impl, handOff(s.send, sides[0].recv))
		bench(b, "timeouts=2/impl="+s.impl, handOff(s.send, s.recv))
	}
}

func handOff(send func(chan int, int, *waiter), recv func(chan int, *waiter) int) operation {
	return func() func(int) {
		ch := make(chan int)
		s, r := &waiter{timer: time.NewTimer(patience)}, &waiter{timer: time.NewTimer(patience)}
		return func(n int) {
			var sender sync.WaitGroup
			sender.Go(func() {
				for i := range n {
					send(ch, i, s)
				}
			})
			sum := 0
			for range n {
				sum += recv(ch, r)
			}
			sender.Wait()
			runtime.KeepAlive(sum)
		}
	}
}

var sides = []side{
	{"channel", func(ch chan int, v int, _ *waiter) { ch <- v },
		func(ch chan int, _ *waiter) int { return <-ch }},
	{"time.After", func(ch chan int, v int, _ *waiter) {
		select {
		case ch <- v:
		case <-time.After(patience):
		}
	}, func(ch chan int, _ *waiter) (v int) {
		select {
		case v = <-ch:
		case <-time.After(patience):
		}
		return v
	}},
	{"Reset", sendReset, recvReset},
	{"chanx", func(ch chan int, v int, _ *waiter) {
		_ = chanx.SendTimeout(ch, v, patience)
	}, func(ch chan int, _ *waiter) int {
		v, _ := chanx.RecvTimeout(ch, patience)
		return v
	}},
	{"Timeouts", func(ch chan int, v int, by *waiter) {
		_ = by.timeouts.Send(ch, v, patience)
	}, func(ch chan int, by *waiter) int {
		v, _ := by.timeouts.Recv(ch, patience)
		return v
	}},
}

// sendReset and recvReset try first and then reset one timer by hand. That
// needs no drain since Go 1.23.
func sendReset(ch chan int, v int, by *waiter) {
	select {
	case ch <- v:
		return
	default:
	}
	by.timer.Reset(patience)
	select {
	case ch <- v:
	case <-by.timer.C:
	}
	by.timer.Stop()
}

func recvReset(ch chan int, by *waiter) (v int) {
	select {
	case v = <-ch:
		return v
	default:
	}
	by.timer.Reset(patience)
	select {
	case v = <-ch:
	case <-by.timer.C:
	}
	by.timer.Stop()
	return v
}

// BenchmarkParkedReceiver has one processor, so that the receiver is parked
// when the next value comes: the sender yields to it after each one.
func BenchmarkParkedReceiver(b *testing.B) {
	oneProc(b)
	bench(b, "impl=channel", func() func(int) {
		return func(n int) {
			ch := make(chan int, 64)
			parked(n, func(v int) { ch <- v }, func() { close(ch) },
				func() (int, bool) { v, ok := <-ch; return v, ok })
		}
	})
	bench(b, "impl=Ring", func() func(int) {
		return func(n int) {
			r := chanx.NewRing[int](64)
			parked(n, func(v int) { r.Send(v) }, r.Close,
				func() (int, bool) { v, err := r.Recv(neverDone); return v, err == nil })
		}
	})
}

func parked(n int, send func(int), end func(), recv func() (int, bool)) {
	var receiver sync.WaitGroup
	receiver.Go(func() {
		sum := 0
		for v, ok := recv(); ok; v, ok = recv() {
			sum += v
		}
		runtime.KeepAlive(sum)
	})
	for i := range n {
		send(i)
		runtime.Gosched()
	}
	end()
	receiver.Wait()
}

// BenchmarkBroadcastSend has subscriptions that are behind, so none waits.
func BenchmarkBroadcastSend(b *testing.B) {
	bench(b, "subscribers=1/impl=Ring", ringFull[int64])
	for _, n := range []int{1, 1024} {
		bench(b, "subscribers="+strconv.Itoa(n)+"/impl=Broadcast", func() func(int) {
			all := chanx.NewBroadcast[int64](1024)
			for range n {
				all.Subscribe(0)
			}
			return func(n int) {
				for i := range n {
					all.Send(int64(i))
				}
			}
		})
	}
}

// BenchmarkRestart is one restart without backoff, and a plain goroutine that is
// started and joined.
func BenchmarkRestart(b *testing.B) {
	for impl, policy := range map[string]chanx.RestartPolicy{
		"Supervise":           {MinBackoff: -1},
		"Supervise+OnEvent":   {MinBackoff: -1, OnEvent: func(chanx.Event) {}},
		"Supervise+Heartbeat": {MinBackoff: -1, Heartbeat: time.Hour},
	} {
		benchRestart(b, impl, func(worker func(context.Context) error) error {
			return chanx.Supervise(context.Background(), worker, policy)
		})
	}
	benchRestart(b, "Supervisor", func(w func(context.Context) error) error {
		return superviseNamed(w)
	})
	benchRestart(b, "goroutine", func(worker func(context.Context) error) error {
		for err := error(nil); err != chanx.ErrStop; {
			var run sync.WaitGroup
			run.Go(func() { err = worker(neverDone) })
			run.Wait()
		}
		return nil
	})
}

func benchRestart(b *testing.B, impl string, keep func(func(context.Context) error) error) {
	b.Run("impl="+impl, func(b *testing.B) {
		b.ReportAllocs()
		left := b.N
		assert.NoError(b, keep(func(context.Context) error {
			if left--; left < 0 {
				return chanx.ErrStop
			}
			return errBoom
		}))
	})
}

// BenchmarkBeat is a beat, and the least that one can cost: the clock.
func BenchmarkBeat(b *testing.B) {
	born := time.Now()
	b.Run("impl=clock", func(b *testing.B) {
		for b.Loop() {
			beatSink = int64(time.Since(born))
		}
	})
	for impl, policy := range map[string]chanx.RestartPolicy{
		"watched": {Heartbeat: time.Hour}, "unwatched": {},
	} {
		_ = chanx.Supervise(b.Context(), func(ctx context.Context) error {
			benchBeat(b, impl, ctx)
			return chanx.ErrStop
		}, policy)
	}
	benchBeat(b, "unsupervised", b.Context())
}

// beatSink keeps the compiler from leaving the clock out.
var beatSink int64

func benchBeat(b *testing.B, impl string, ctx context.Context) {
	b.Run("impl="+impl, func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				chanx.Beat(ctx)
			}
		})
	})
}

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

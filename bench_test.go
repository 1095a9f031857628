package chanx_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/chanx"
)

// Every operation stands beside what one would write without it: chanx=… and
// raw=… of one name are a pair. Read their ratio, not their nanoseconds.

type wide [256]byte

var benchCaps = []int{1, 64, 1024, 65_536}

func bench(b *testing.B, name string, f func(b *testing.B)) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		f(b)
	})
}

// benchSizes runs f8 with values of 8 bytes and f256 with values of 256.
func benchSizes(b *testing.B, name string, f8, f256 func(*testing.B, int)) {
	for _, capacity := range benchCaps {
		bench(b, fmt.Sprintf("%s/8B/cap=%d", name, capacity),
			func(b *testing.B) { f8(b, capacity) })
		bench(b, fmt.Sprintf("%s/256B/cap=%d", name, capacity),
			func(b *testing.B) { f256(b, capacity) })
	}
}

func BenchmarkTryPair(b *testing.B) {
	benchSizes(b, "chanx", tryPair[int64], tryPair[wide])
	benchSizes(b, "raw", rawTryPair[int64], rawTryPair[wide])
}

func tryPair[T any](b *testing.B, capacity int) {
	var v T
	ch := make(chan T, capacity)
	for b.Loop() {
		chanx.TrySend(ch, v)
		chanx.TryRecv(ch)
	}
}

func rawTryPair[T any](b *testing.B, capacity int) {
	var v T
	ch := make(chan T, capacity)
	for b.Loop() {
		select {
		case ch <- v:
		default:
		}
		select {
		case _, ok := <-ch:
			_ = ok
		default:
		}
	}
}

func BenchmarkTrySendFull(b *testing.B) {
	full := make(chan int, 1)
	full <- 1
	bench(b, "chanx", func(b *testing.B) {
		for b.Loop() {
			chanx.TrySend(full, 1)
		}
	})
	bench(b, "raw", func(b *testing.B) {
		for b.Loop() {
			select {
			case full <- 1:
			default:
			}
		}
	})
	bench(b, "parallel/chanx", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				chanx.TrySend(full, 1)
			}
		})
	})
	bench(b, "parallel/raw", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				select {
				case full <- 1:
				default:
				}
			}
		})
	})
}

func BenchmarkTimeoutReady(b *testing.B) {
	ch, ctx := make(chan int, 1), context.Background()
	bench(b, "chanx/timeout", func(b *testing.B) {
		for b.Loop() {
			chanx.SendTimeout(ch, 1, time.Second)
			chanx.RecvTimeout(ch, time.Second)
		}
	})
	bench(b, "chanx/context", func(b *testing.B) {
		for b.Loop() {
			chanx.SendContext(ctx, ch, 1)
			chanx.RecvContext(ctx, ch)
		}
	})
	bench(b, "raw/channel", func(b *testing.B) {
		for b.Loop() {
			ch <- 1
			<-ch
		}
	})
	bench(b, "raw/time.After", func(b *testing.B) {
		for b.Loop() {
			rawSendTimeout(ch, 1)
			rawRecvTimeout(ch)
		}
	})
}

func rawSendTimeout(ch chan int, v int) {
	select {
	case ch <- v:
	case <-time.After(time.Second):
	}
}

func rawRecvTimeout(ch chan int) {
	select {
	case <-ch:
	case <-time.After(time.Second):
	}
}

// BenchmarkTimeoutHandOff: the other side is never there yet.
func BenchmarkTimeoutHandOff(b *testing.B) {
	bench(b, "chanx", func(b *testing.B) { handOffTimeout(b.N) })
	bench(b, "raw/time.After", func(b *testing.B) { handOffAfter(b.N) })
	bench(b, "raw/channel", func(b *testing.B) { handOffRaw(b.N) })
	bench(b, "send/chanx", func(b *testing.B) { sendOnlyTimeout(b.N) })
	bench(b, "send/raw/time.After", func(b *testing.B) { sendOnlyAfter(b.N) })
	bench(b, "recv/chanx", func(b *testing.B) { recvOnlyTimeout(b.N) })
	bench(b, "recv/raw/time.After", func(b *testing.B) { recvOnlyAfter(b.N) })
}

func handOffTimeout(n int) {
	ch := make(chan int)
	both(n, func() { chanx.SendTimeout(ch, 1, time.Second) },
		func() { chanx.RecvTimeout(ch, time.Second) })
}

func handOffAfter(n int) {
	ch := make(chan int)
	both(n, func() { rawSendTimeout(ch, 1) }, func() { rawRecvTimeout(ch) })
}

func handOffRaw(n int) {
	ch := make(chan int)
	both(n, func() { ch <- 1 }, func() { <-ch })
}

// Only one side with a timeout, the other a plain loop: who waits for whom is
// then another matter, and so is the ratio.
func sendOnlyTimeout(n int) {
	ch := make(chan int)
	both(n, func() { chanx.SendTimeout(ch, 1, time.Second) }, func() { <-ch })
}

func sendOnlyAfter(n int) {
	ch := make(chan int)
	both(n, func() { rawSendTimeout(ch, 1) }, func() { <-ch })
}

func recvOnlyTimeout(n int) {
	ch := make(chan int)
	both(n, func() { ch <- 1 }, func() { chanx.RecvTimeout(ch, time.Second) })
}

func recvOnlyAfter(n int) {
	ch := make(chan int)
	both(n, func() { ch <- 1 }, func() { rawRecvTimeout(ch) })
}

// both runs a and b n times, each in a goroutine of its own.
func both(n int, a, b func()) {
	var wg sync.WaitGroup
	for _, f := range []func(){a, b} {
		wg.Go(func() {
			for range n {
				f()
			}
		})
	}
	wg.Wait()
}

func BenchmarkFullSend(b *testing.B) {
	benchSizes(b, "chanx/Ring", ringFull[int64], ringFull[wide])
	benchSizes(b, "chanx/SendDropOldest", dropFull[int64], dropFull[wide])
	benchSizes(b, "raw/evict", evictFull[int64], evictFull[wide])
}

func ringFull[T any](b *testing.B, capacity int) {
	var v T
	r := chanx.NewRing[T](capacity)
	for range capacity {
		r.Send(v)
	}
	for b.Loop() {
		r.Send(v)
	}
}

func dropFull[T any](b *testing.B, capacity int) {
	var v T
	ch := make(chan T, capacity)
	for range capacity {
		ch <- v
	}
	for b.Loop() {
		chanx.SendDropOldest(ch, v)
	}
}

func evictFull[T any](b *testing.B, capacity int) {
	var v T
	ch := make(chan T, capacity)
	for range capacity {
		ch <- v
	}
	for b.Loop() {
		evict(ch, v)
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
	benchSizes(b, "chanx", ringPair[int64], ringPair[wide])
	benchSizes(b, "raw", rawPair[int64], rawPair[wide])
}

func ringPair[T any](b *testing.B, capacity int) {
	var v T
	r := chanx.NewRing[T](capacity)
	for b.Loop() {
		r.Send(v)
		r.TryRecv()
	}
}

func rawPair[T any](b *testing.B, capacity int) {
	var v T
	ch := make(chan T, capacity)
	for b.Loop() {
		ch <- v
		<-ch
	}
}

func BenchmarkParallelFullSend(b *testing.B) {
	for _, senders := range []int{2, 64} {
		name := fmt.Sprintf("senders=%d/", senders)
		bench(b, name+"chanx/Ring", func(b *testing.B) {
			parallelRing(senders, b.N)
		})
		bench(b, name+"raw/drained", func(b *testing.B) {
			parallelRaw(senders, b.N)
		})
	}
}

// spread runs f n times in all, by that many goroutines.
func spread(goroutines, n int, f func()) {
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range n / goroutines {
				f()
			}
		})
	}
	wg.Wait()
}

func parallelRing(senders, n int) {
	r := chanx.NewRing[int](1024)
	for range r.Cap() {
		r.Send(1)
	}
	spread(senders, n, func() { r.Send(1) })
}

func parallelRaw(senders, n int) {
	ch, done := make(chan int, 1024), make(chan bool)
	go func() {
		for range ch {
		}
		close(done)
	}()
	spread(senders, n, func() { ch <- 1 })
	close(ch)
	<-done
}

func BenchmarkRecvBatch(b *testing.B) {
	bench(b, "chanx", func(b *testing.B) { batched(b.N) })
	bench(b, "raw", func(b *testing.B) { drained(b.N) })
}

// batched and drained receive n values and return the time of that alone.
func batched(n int) (spent time.Duration) {
	r, dst := chanx.NewRing[int](4096), make([]int, 256)
	for got := 0; got < n; {
		for range r.Cap() {
			r.Send(1)
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
	ch := make(chan int, 4096)
	for got := 0; got < n; {
		for range cap(ch) {
			ch <- 1
		}
		start := time.Now()
		for range cap(ch) {
			<-ch
			got++
		}
		spent += time.Since(start)
	}
	return spent
}

// BenchmarkParkedReceiver has one processor, so that the receiver is parked
// when the next value comes: the sender yields to it after each one.
func BenchmarkParkedReceiver(b *testing.B) {
	bench(b, "chanx", func(b *testing.B) {
		oneProc(b)
		parkedRing(b.N)
	})
	bench(b, "raw", func(b *testing.B) {
		oneProc(b)
		parkedRaw(b.N)
	})
}

func parkedRing(n int) {
	r, done := chanx.NewRing[int](64), make(chan bool)
	ctx := context.Background()
	go func() {
		for err := error(nil); err == nil; {
			_, err = r.Recv(ctx)
		}
		close(done)
	}()
	for range n {
		r.Send(1)
		runtime.Gosched()
	}
	r.Close()
	<-done
}

func parkedRaw(n int) {
	ch, done := make(chan int, 64), make(chan bool)
	go func() {
		for range ch {
		}
		close(done)
	}()
	for range n {
		ch <- 1
		runtime.Gosched()
	}
	close(ch)
	<-done
}

package language

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// runtime TestChan: values sent before close are received after it, by
// all receivers together, in order, and then every receiver sees the close.
func TestCloseThenDrain(t *testing.T) {
	each(t, func(t *testing.T, q queue) {
		for i := range q.cap {
			q.send(i)
		}
		q.close()
		for i := range q.cap {
			v, ok := q.recv()
			require.True(t, ok)
			require.Equal(t, i, v)
		}
		requireClosed(t, q)
		requireClosed(t, q)
	})
}

// runtime TestChan: close wakes every blocked receiver.
func TestCloseWakesReceivers(t *testing.T) {
	each(t, func(t *testing.T, q queue) {
		var wg sync.WaitGroup
		var closed atomic.Int32
		for range 20 {
			wg.Go(func() {
				if _, ok := q.recv(); !ok {
					closed.Add(1)
				}
			})
		}
		runtime.Gosched()
		q.close()
		wg.Wait()
		require.EqualValues(t, 20, closed.Load())
	})
}

// runtime TestChan, test/chan/fifo.go: 100 values in order, to one receiver.
func TestFIFO(t *testing.T) {
	each(t, func(t *testing.T, q queue) {
		go func() {
			for i := range 1000 {
				q.send(i)
			}
			q.close()
		}()
		for i := range 1000 {
			v, ok := q.recv()
			require.True(t, ok)
			require.Equal(t, i, v)
		}
		requireClosed(t, q)
	})
}

// runtime TestChan: many senders, many receivers, every value exactly once.
func TestEveryValueOnce(t *testing.T) {
	withProcs(t, 16)
	const senders, receivers, each1 = 4, 4, 2500
	each(t, func(t *testing.T, q queue) {
		var seen [senders * each1]atomic.Int32
		var send, recv sync.WaitGroup
		for s := range senders {
			send.Go(func() {
				for i := range each1 {
					q.send(s*each1 + i)
				}
			})
		}
		for range receivers {
			recv.Go(func() {
				for v, ok := q.recv(); ok; v, ok = q.recv() {
					seen[v].Add(1)
				}
			})
		}
		send.Wait()
		q.close()
		recv.Wait()
		for v := range seen {
			require.EqualValues(t, 1, seen[v].Load(), "value %d", v)
		}
	})
}

// runtime TestMultiConsumer: 23 workers between two queues; the sum holds.
func TestMultiConsumer(t *testing.T) {
	const workers, n = 23, 5000
	each(t, func(t *testing.T, in queue) {
		for name, out := range queues(max(in.cap, 1)) {
			if in.cap == 0 && name != "context" {
				continue // the inbound queue can be used once
			}
			consume(t, in, out, workers, n)
			return
		}
	})
}

func consume(t *testing.T, in, out queue, workers, n int) {
	primes := []int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for v, ok := in.recv(); ok; v, ok = in.recv() {
				if v%16 == 0 {
					runtime.Gosched()
				}
				out.send(v)
			}
		})
	}
	want := 0
	go func() {
		for i := range n {
			in.send(primes[i%len(primes)])
		}
		in.close()
		wg.Wait()
		out.close()
	}()
	for i := range n {
		want += primes[i%len(primes)]
	}
	got, count := 0, 0
	for v, ok := out.recv(); ok; v, ok = out.recv() {
		got, count = got+v, count+1
	}
	require.Equal(t, n, count)
	require.Equal(t, want, got)
}

// runtime TestNonblockRecvRace: a value that is there, or a close, is never
// taken for empty.
func TestNonblockingReceiveMissesNothing(t *testing.T) {
	withProcs(t, 8)
	var empty atomic.Int32
	for range 20_000 {
		ch := make(chan int, 1)
		ch <- 1
		ring := chanx.NewRing[int](1)
		ring.Send(1)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := chanx.TryRecv(ch); err == chanx.ErrEmpty {
				empty.Add(1)
			}
			if _, err := ring.TryRecv(); err == chanx.ErrEmpty {
				empty.Add(1)
			}
		})
		close(ch)
		ring.Close()
		wg.Wait()
	}
	require.Zero(t, empty.Load())
}

// runtime TestNonblockSelectRace: of two, one is ready at every moment, so
// a goroutine that looks at both, in the right order, finds one.
func TestNonblockingLookAtTwo(t *testing.T) {
	withProcs(t, 8)
	var missed atomic.Int32
	for range 20_000 {
		c1, c2 := make(chan int, 1), make(chan int, 1)
		c1 <- 1
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err1 := chanx.TryRecv(c1)
			if err1 == chanx.ErrEmpty {
				if _, err2 := chanx.TryRecv(c2); err2 == chanx.ErrEmpty {
					missed.Add(1)
				}
			}
		})
		c2 <- 1
		_, _ = chanx.TryRecv(c1)
		wg.Wait()
	}
	require.Zero(t, missed.Load())
}

// test/chan/select3.go and test/closedchan.go: which operation can proceed on
// which channel.
func TestTruthTable(t *testing.T) {
	full, empty := make(chan int, 1), make(chan int, 1)
	full <- 1
	closed := make(chan int, 1)
	close(closed)
	closedFull := make(chan int, 1)
	closedFull <- 1
	close(closedFull)
	for name, row := range map[string]struct {
		ch   chan int
		send any // true, false, or panic
		recv error
	}{
		"nil":             {nil, false, chanx.ErrEmpty},
		"empty":           {empty, true, chanx.ErrEmpty},
		"full":            {full, false, nil},
		"unbuffered":      {make(chan int), false, chanx.ErrEmpty},
		"closed":          {closed, "panic", chanx.ErrClosed},
		"closed and full": {closedFull, "panic", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := chanx.TryRecv(row.ch)
			require.Equal(t, row.recv, err)
			_, err = chanx.RecvTimeout(row.ch, 0)
			if name == "full" || row.recv == chanx.ErrEmpty {
				require.Equal(t, chanx.ErrTimeout, err)
			}
			if name == "full" {
				row.ch <- 1 // in place of the received value
			}
			if row.send == "panic" {
				require.Panics(t, func() { chanx.TrySend(row.ch, 1) })
				require.Panics(t, func() { _ = chanx.SendTimeout(row.ch, 1, time.Hour) })
				require.Panics(t, func() { _ = chanx.SendContext(t.Context(), row.ch, 1) })
				require.Panics(t, func() { chanx.SendDropOldest(row.ch, 1) })
				return
			}
			require.Equal(t, row.send, chanx.TrySend(row.ch, 1))
		})
	}
}

// test/chan/doubleselect.go: a send that may go to one of several takes place
// once.
func TestSendToOneOfSeveral(t *testing.T) {
	withProcs(t, 4)
	const n = 20_000
	chans := [4]chan int{}
	for i := range chans {
		chans[i] = make(chan int, i)
	}
	var seen [n]atomic.Int32
	var wg sync.WaitGroup
	for _, ch := range chans {
		wg.Go(func() {
			for v := range ch {
				seen[v].Add(1)
			}
		})
	}
	for v := range n {
		for i := 0; !chanx.TrySend(chans[i%4], v); i++ {
			runtime.Gosched()
		}
	}
	for _, ch := range chans {
		close(ch)
	}
	wg.Wait()
	for v := range seen {
		require.EqualValues(t, 1, seen[v].Load(), "value %d", v)
	}
}

// test/chan/sieve1.go: a chain of filters, each with a queue in between.
func TestSieve(t *testing.T) {
	for _, name := range []string{"try", "timeout", "context", "ring", "ring by readiness"} {
		t.Run(name, func(t *testing.T) {
			var stop atomic.Bool
			var wg sync.WaitGroup
			next := queues(1)[name]
			wg.Go(func() { generate(next, &stop) })
			var primes []int
			for range 15 {
				in := next
				prime, _ := in.recv()
				primes = append(primes, prime)
				next = queues(1)[name]
				out := next
				wg.Go(func() { filter(in, out, prime) })
			}
			stop.Store(true)
			for _, ok := next.recv(); ok; _, ok = next.recv() {
			}
			wg.Wait()
			require.Equal(t, "[2 3 5 7 11 13 17 19 23 29 31 37 41 43 47]", fmt.Sprint(primes))
		})
	}
}

func generate(out queue, stop *atomic.Bool) {
	for i := 2; !stop.Load(); i++ {
		out.send(i)
	}
	out.close()
}

func filter(in, out queue, prime int) {
	for v, ok := in.recv(); ok; v, ok = in.recv() {
		if v%prime != 0 {
			out.send(v)
		}
	}
	out.close()
}

// test/chan/zerosize.go, runtime/race TestNoRaceElemSize0.
func TestElementsOfNoSize(t *testing.T) {
	ring := chanx.NewRing[struct{}](2)
	for range 3 {
		require.True(t, ring.Send(struct{}{}))
	}
	require.Equal(t, 2, ring.Len())
	dst := make([]struct{}, 4)
	n, err := ring.RecvBatch(t.Context(), dst)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.True(t, chanx.TrySend(make(chan struct{}, 1), struct{}{}))
}

// runtime TestShrinkStackDuringBlockedSend: stacks that grow and shrink while
// others wait in a queue do not corrupt values in flight.
func TestStacksMoveWhileWaiting(t *testing.T) {
	each(t, func(t *testing.T, q queue) {
		go func() {
			for i := range 200 {
				grow(i % 50)
				q.send(i)
				if i%20 == 0 {
					runtime.GC()
				}
			}
			q.close()
		}()
		want := 0
		for v, ok := q.recv(); ok; v, ok = q.recv() {
			grow(v % 50)
			require.Equal(t, want, v)
			want++
		}
		require.Equal(t, 200, want)
	})
}

func grow(n int) byte {
	var pad [512]byte
	if n == 0 {
		return pad[0]
	}
	return pad[n] + grow(n-1)
}

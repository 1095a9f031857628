package suites

// JSR-166 TCK, openjdk/jdk, test/jdk/java/util/concurrent/tck/
// ArrayBlockingQueueTest.java: populatedQueue's wrap-around, testEmptyFull,
// testRemainingCapacity, testOffer, testTimedOffer, testBlockingTake, testPoll,
// testTimedPoll0, testTimedPoll, testInterruptedTimedPoll, testDrainTo,
// testDrainToWithActivePut, testDrainToN, testOfferInExecutor,
// testPollInExecutor. Interruption is the end of a context, drainTo is
// RecvBatch.

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

const jsrSize = 20

// populated returns a ring that holds 0 to n-1, with the oldest at offset.
func populated(t *testing.T, n, capacity, offset int) *chanx.Ring[int] {
	r := chanx.NewRing[int](capacity)
	for range offset {
		require.NoError(t, r.TrySend(42))
		gives(t, 42, nil)(r.TryRecv())
	}
	for i := range n {
		require.NoError(t, r.TrySend(i))
	}
	require.Equal(t, n, r.Len())
	return r
}

func TestJSREmptyFull(t *testing.T) {
	r := populated(t, 0, 2, 1)
	require.NoError(t, r.TrySend(1))
	require.Equal(t, 1, r.Len())
	require.NoError(t, r.TrySend(2))
	require.Equal(t, r.Cap(), r.Len())
	require.Equal(t, chanx.ErrFull, r.TrySend(3))
}

func TestJSRRemainingCapacity(t *testing.T) {
	for offset := range jsrSize {
		r := populated(t, jsrSize, jsrSize, offset)
		for i := range jsrSize {
			require.Equal(t, i, r.Cap()-r.Len())
			gives(t, i, nil)(r.TryRecv())
		}
		for i := range jsrSize {
			require.Equal(t, jsrSize-i, r.Cap()-r.Len())
			require.NoError(t, r.TrySend(i))
		}
	}
}

// Every offset, every length and every split of a drain: where the values wrap
// around the end of the array, no copy may.
func TestJSRDrainToWrapsAround(t *testing.T) {
	const capacity = 7
	for offset := range capacity {
		for n := 1; n <= capacity; n++ {
			for most := 1; most <= capacity+1; most++ {
				drainWrapped(t, populated(t, n, capacity, offset), n, most)
			}
		}
	}
}

func drainWrapped(t *testing.T, r *chanx.Ring[int], n, most int) {
	var want, got []int
	for i := range n {
		want = append(want, i)
	}
	for r.Len() > 0 {
		dst := slices.Repeat([]int{-1}, most)
		k, err := r.RecvBatch(t.Context(), dst)
		require.NoError(t, err)
		require.Equal(t, min(most, n-len(got)), k)
		require.Equal(t, slices.Repeat([]int{-1}, most-k), dst[k:])
		got = append(got, dst[:k]...)
	}
	require.Equal(t, want, got)
	for i := range r.Cap() { // usable again, all of it
		require.NoError(t, r.TrySend(i))
	}
	require.Equal(t, chanx.ErrFull, r.TrySend(0))
}

func TestJSRDrainToWithActivePut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := populated(t, jsrSize, jsrSize, 3)
		go func() {
			for r.TrySend(jsrSize) != nil {
				time.Sleep(time.Millisecond)
			}
		}()
		time.Sleep(time.Second)
		require.Equal(t, jsrSize, r.Len(), "put into a full ring")
		dst := make([]int, 2*jsrSize)
		n, err := r.RecvBatch(t.Context(), dst)
		gives(t, jsrSize, nil)(n, err)
		gives(t, jsrSize, nil)(r.Recv(t.Context()))
	})
}

func TestJSROffer(t *testing.T) {
	r := chanx.NewRing[int](1)
	require.NoError(t, r.TrySend(0))
	require.Equal(t, chanx.ErrFull, r.TrySend(1))
	gives(t, 0, nil)(r.TryRecv())
}

func TestJSRTimedOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 2)
		ch <- 1
		ch <- 2
		start := time.Now()
		require.Equal(t, chanx.ErrTimeout, chanx.SendTimeout(ch, 3, time.Second))
		require.Equal(t, time.Second, time.Since(start))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, context.Canceled, chanx.SendContext(ctx, ch, 3))
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.Equal(t, context.DeadlineExceeded, chanx.SendContext(ctx, ch, 3))
		require.Equal(t, time.Second+time.Minute, time.Since(start))
		require.Equal(t, []int{1, 2}, slices.Collect(chanx.Drain(ch)))
	})
}

func TestJSRBlockingTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := populated(t, jsrSize, jsrSize, 5)
		for i := range jsrSize {
			gives(t, i, nil)(r.Recv(t.Context()))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		gives(t, 0, context.Canceled)(r.Recv(ctx))
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		start := time.Now()
		gives(t, 0, context.Canceled)(r.Recv(ctx))
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestJSRPoll(t *testing.T) {
	r := populated(t, jsrSize, jsrSize, 7)
	for i := range jsrSize {
		gives(t, i, nil)(r.TryRecv())
	}
	gives(t, 0, chanx.ErrEmpty)(r.TryRecv())
}

func TestJSRTimedPoll(t *testing.T) {
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := populated(t, jsrSize, jsrSize, 11)
			start := time.Now()
			for i := range jsrSize {
				gives(t, i, nil)(r.RecvTimeout(d))
			}
			require.Zero(t, time.Since(start))
			gives(t, 0, chanx.ErrTimeout)(r.RecvTimeout(d))
			require.Equal(t, max(d, 0), time.Since(start))
			require.Zero(t, r.Len())
		})
	}
}

func TestJSRInterruptedTimedPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := populated(t, jsrSize, jsrSize, 13)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		for i := range jsrSize {
			gives(t, i, nil)(r.Recv(ctx))
		}
		gives(t, 0, context.Canceled)(r.Recv(ctx))
		require.Equal(t, time.Second, time.Since(start))
		r.Send(1)
		gives(t, 0, context.Canceled)(r.Recv(ctx))
		require.Equal(t, 1, r.Len(), "an interrupted take takes nothing")
	})
}

// lastMoment is done at the moment it is first waited for, and then the other
// side is there as well.
type lastMoment struct {
	context.Context
	arrive func()
	err    error
}

func (c *lastMoment) Err() error { return c.err }

func (c *lastMoment) Done() <-chan struct{} {
	if c.err == nil {
		c.arrive()
		c.err = context.Canceled
	}
	done := make(chan struct{})
	close(done)
	return done
}

// Interrupted where it could as well go on, it may do either, but not both:
// a refused value is still the sender's, and a value not received is still there.
func TestJSRInterruptedAtTheLastMoment(t *testing.T) {
	at := func(arrive func()) context.Context {
		return &lastMoment{Context: t.Context(), arrive: arrive}
	}
	for range 50 {
		full, empty := make(chan int, 1), make(chan int, 1)
		full <- 1
		err := chanx.SendContext(at(func() { <-full }), full, 7)
		require.Equal(t, err == nil, len(full) == 1, err)
		v, err := chanx.RecvContext(at(func() { empty <- 7 }), empty)
		require.Equal(t, err != nil, len(empty) == 1, err)
		require.Equal(t, err == nil, v == 7)
		one, two := chanx.NewRing[int](1), chanx.NewRing[int](1)
		v, err = one.Recv(at(func() { one.Send(7) }))
		require.Equal(t, err != nil, one.Len() == 1, err)
		require.Equal(t, err == nil, v == 7)
		n, err := two.RecvBatch(at(func() { two.Send(7) }), make([]int, 2))
		require.Equal(t, err != nil, two.Len() == 1, err)
		require.Equal(t, err == nil, n == 1)
	}
}

func TestJSRInExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 2)
		ch <- 1
		ch <- 2
		threadsStarted := make(chan struct{})
		go func() { // offer in executor
			if chanx.TrySend(ch, 3) {
				t.Error("sent to a full channel")
			}
			close(threadsStarted)
			if err := chanx.SendTimeout(ch, 3, time.Hour); err != nil {
				t.Error(err)
			}
		}()
		<-threadsStarted
		gives(t, 1, nil)(chanx.TryRecv(ch))
		synctest.Wait()
		require.Equal(t, []int{2, 3}, slices.Collect(chanx.Drain(ch)))

		r := chanx.NewRing[int](2)
		polled := make(chan int)
		go func() { // poll in executor
			if _, err := r.TryRecv(); err != chanx.ErrEmpty {
				t.Error(err)
			}
			v, err := r.RecvTimeout(time.Hour)
			if err != nil {
				t.Error(err)
			}
			polled <- v
		}()
		synctest.Wait()
		require.True(t, r.Send(1))
		require.Equal(t, 1, <-polled)
	})
}

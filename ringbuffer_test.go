package chanx_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/internal/race"
)

// ringOf returns a ring of that capacity to which vals were sent.
func ringOf(capacity int, vals ...int) *chanx.Ring[int] {
	r := chanx.NewRing[int](capacity)
	for _, v := range vals {
		r.Send(v)
	}
	return r
}

func TestNewRingCapacity(t *testing.T) {
	for _, n := range []int{0, -1, math.MinInt} {
		assert.PanicsWithValue(t, "chanx: ring capacity < 1", func() {
			chanx.NewRing[int](n)
		})
		assert.PanicsWithValue(t, "chanx: ring capacity < 1", func() {
			chanx.NewRingFunc(n, func(int) {})
		})
	}
	for _, n := range []int{1, 2, 1000} {
		r := chanx.NewRing[int](n)
		assert.Equal(t, n, r.Cap())
		assert.Equal(t, chanx.RingStats{Cap: n}, r.Stats())
	}
	empty := chanx.NewRing[struct{}](3) // values of no size
	assert.True(t, empty.Send(struct{}{}))
	_, err := empty.TryRecv()
	assert.NoError(t, err)
}

// A capacity that no address space holds is refused in words of ours, not by a
// runtime error that names makeslice.
func TestNewRingOutOfRange(t *testing.T) {
	for _, n := range []int{math.MaxInt, math.MaxInt / 8, math.MaxInt / 128} {
		assert.PanicsWithValue(t, "chanx: ring capacity out of range", func() {
			chanx.NewRing[[1024]byte](n)
		})
	}
}

// A Ring not made by NewRing panics in every method, and does so again: the
// panic leaves no lock behind.
func TestZeroRing(t *testing.T) {
	var r chanx.Ring[int]
	ctx := t.Context()
	for range 2 {
		for name, f := range map[string]func(){
			"Send":          func() { r.Send(1) },
			"TrySend":       func() { r.TrySend(1) },
			"Close":         func() { r.Close() },
			"TryRecv":       func() { r.TryRecv() },
			"Recv":          func() { r.Recv(ctx) },
			"Recv, done":    func() { r.Recv(done()) },
			"RecvTimeout":   func() { r.RecvTimeout(1) },
			"RecvTimeout 0": func() { r.RecvTimeout(0) },
			"RecvBatch":     func() { r.RecvBatch(ctx, make([]int, 1)) },
			"RecvBatch nil": func() { r.RecvBatch(ctx, nil) },
			"All":           func() { r.All(ctx)(func(int) bool { return true }) },
			"Ready":         func() { r.Ready() },
			"Len":           func() { r.Len() },
			"Cap":           func() { r.Cap() },
			"Stats":         func() { r.Stats() },
		} {
			assert.PanicsWithValue(t, "chanx: Ring not made by NewRing", f, name)
		}
	}
}

// ringStep is one operation on a ring and on its reference.
type ringStep struct {
	name string
	do   func(t *testing.T, r *chanx.Ring[int], ref *sliceRing, v int)
}

var ringSteps = []ringStep{
	{"Send", func(t *testing.T, r *chanx.Ring[int], ref *sliceRing, v int) {
		require.Equal(t, ref.Send(v), r.Send(v))
	}},
	{"TrySend", func(t *testing.T, r *chanx.Ring[int], ref *sliceRing, v int) {
		require.Equal(t, ref.TrySend(v), r.TrySend(v))
	}},
	{"TryRecv", func(t *testing.T, r *chanx.Ring[int], ref *sliceRing, v int) {
		want, wantErr := ref.TryRecv()
		got, err := r.TryRecv()
		require.True(t, want == got && wantErr == err, "%v %v", got, err)
	}},
	{"RecvBatch", func(t *testing.T, r *chanx.Ring[int], ref *sliceRing, v int) {
		if len(ref.vals) == 0 && !ref.closed {
			return // would wait
		}
		size := v%3 + 2
		want, wantErr := ref.Take(size)
		dst := make([]int, size)
		n, err := r.RecvBatch(context.Background(), dst)
		require.Equal(t, wantErr, err)
		require.True(t, slices.Equal(want, dst[:n]), "%v", dst)
		require.True(t, slices.Equal(dst[n:], make([]int, size-n)), "rest")
	}},
	{"Recv", func(t *testing.T, r *chanx.Ring[int], ref *sliceRing, v int) {
		if len(ref.vals) == 0 && !ref.closed {
			return
		}
		want, wantErr := ref.TryRecv()
		got, err := r.Recv(context.Background())
		require.True(t, want == got && wantErr == err, "%v %v", got, err)
	}},
	{"Close", func(t *testing.T, r *chanx.Ring[int], ref *sliceRing, v int) {
		ref.Close()
		r.Close()
	}},
}

// Every sequence of six operations gives the results of the slice, at every
// step.
func TestRingEverySequence(t *testing.T) {
	const length = 6
	n := int(math.Pow(float64(len(ringSteps)), length))
	for capacity := 1; capacity <= 3; capacity++ {
		for code := range n {
			if race.Enabled && code%16 != 0 {
				continue
			}
			var evicted []int
			r := chanx.NewRingFunc(capacity, func(v int) {
				evicted = append(evicted, v)
			})
			ref := newSliceRing(capacity)
			for i := range length {
				ringSteps[code%len(ringSteps)].do(t, r, ref, i+1)
				code /= len(ringSteps)
				if got := r.Stats(); got != ref.Stats() || r.Len() != got.Len {
					require.Equal(t, ref.Stats(), got)
				}
				if !ref.closed && len(ref.vals) > 0 && len(r.Ready()) != 1 {
					require.Fail(t, "a value, and nothing says so")
				}
			}
			require.True(t, slices.Equal(ref.evicted, evicted))
		}
	}
}

func TestRingReadyFirstAfterClose(t *testing.T) {
	r := ringOf(3)
	r.Close()
	for range 2 {
		_, open := <-r.Ready()
		assert.False(t, open)
	}
}

func TestRingReady(t *testing.T) {
	r := ringOf(3)
	readable := func() bool {
		select {
		case <-r.Ready():
			return true
		default:
			return false
		}
	}
	assert.False(t, readable(), "nothing there")
	always := r.Ready()
	assert.True(t, always == r.Ready(), "the same channel each time")
	r.Send(1)
	r.Send(2)
	assert.True(t, readable())
	assert.False(t, readable(), "there is one token")
	r.TryRecv()
	assert.True(t, readable(), "put back, since a value is left")
	r.RecvBatch(t.Context(), make([]int, 5))
	assert.False(t, readable())
	r.Send(3)
	r.Send(4)
	assert.True(t, readable())
	r.RecvBatch(t.Context(), make([]int, 1))
	assert.True(t, readable(), "put back by a batch, too")
	r.RecvBatch(t.Context(), nil)
	assert.True(t, readable(), "an empty batch looked, and passes it on")
	assert.NoError(t, r.TrySend(5))
	assert.True(t, readable())
	r.TrySend(6)
	readable()
	r.Send(7) // full: evicts
	assert.True(t, readable(), "a Send that evicts says so as well")
	for range 2 {
		r.Close()
		assert.True(t, readable(), "for ever")
		assert.True(t, readable(), "for ever")
	}
}

// Taking the token and then being refused by a context that is done must not
// leave the others asleep: that is a select over Ready and then Recv(ctx).
func TestRingReadyThenCancelledRecv(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, f := range map[string]func(r *chanx.Ring[int]) error{
		"Recv": func(r *chanx.Ring[int]) error {
			_, err := r.Recv(ctx)
			return err
		},
		"RecvBatch": func(r *chanx.Ring[int]) error {
			_, err := r.RecvBatch(ctx, make([]int, 1))
			return err
		},
	} {
		r := ringOf(2, 1)
		<-r.Ready()
		assert.Equal(t, context.Canceled, f(r), name)
		assert.Len(t, r.Ready(), 1, name)
		assert.Equal(t, 1, r.Len(), name)
	}
}

// An empty ring has no token, which would make a loop over Ready spin.
func TestRingNotReadyWhenEmpty(t *testing.T) {
	r := ringOf(2, 1)
	<-r.Ready()
	_, err := r.TryRecv()
	assert.NoError(t, err)
	assert.Empty(t, r.Ready(), "the last value was received")
	_, err = r.Recv(done())
	assert.Equal(t, context.Canceled, err)
	assert.Empty(t, r.Ready(), "there was none to pass on")
}

func TestRingContextAlreadyDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	closed := ringOf(1)
	closed.Close()
	for _, r := range []*chanx.Ring[int]{ringOf(2), ringOf(2, 1), closed} {
		before := r.Stats()
		v, err := r.Recv(ctx)
		assert.Equal(t, context.Canceled, err)
		assert.Zero(t, v)
		for _, dst := range [][]int{nil, make([]int, 2)} {
			n, err := r.RecvBatch(ctx, dst)
			assert.Equal(t, context.Canceled, err)
			assert.Zero(t, n)
		}
		assert.Empty(t, slices.Collect(r.All(ctx)))
		assert.Equal(t, before, r.Stats(), "takes nothing")
	}
}

func TestRingNilContext(t *testing.T) {
	var none context.Context
	r := ringOf(1, 1)
	for name, f := range map[string]func(){
		"Recv":      func() { r.Recv(none) },
		"RecvBatch": func() { r.RecvBatch(none, make([]int, 1)) },
		"All":       func() { r.All(none)(func(int) bool { return true }) },
	} {
		assert.PanicsWithValue(t, "chanx: nil context", f, name)
	}
	assert.Equal(t, 1, r.Len())
}

// Nor does a nil context, which panics, keep the token of Ready.
func TestRingReadyThenNilContext(t *testing.T) {
	var none context.Context
	r := ringOf(2, 1)
	<-r.Ready()
	assert.Panics(t, func() { r.Recv(none) })
	assert.Len(t, r.Ready(), 1)
}

// A context that breaks its contract, closed and without an error, is one that
// is done: nothing hangs, and nothing is reported that did not happen.
func TestRingContextWithoutError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ringOf(1)
		_, err := r.Recv(brokenContext(t))
		assert.Equal(t, context.Canceled, err)
		n, err := r.RecvBatch(brokenContext(t), make([]int, 1))
		assert.Equal(t, context.Canceled, err)
		assert.Zero(t, n)
		assert.Empty(t, slices.Collect(r.All(brokenContext(t))))
	})
}

// A flood on one processor does not keep it from a receiver until the runtime
// takes it away, which may be inside the lock: one Send in 4,096 yields.
func TestRingFloodLetsReceiverRun(t *testing.T) {
	oneProc(t)
	for name, r := range map[string]*chanx.Ring[int]{
		"NewRing":     ringOf(4),
		"NewRingFunc": chanx.NewRingFunc(4, func(int) {}),
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			for range r.All(ctx) {
			}
		})
		for range 4 * 4096 { // a fraction of a millisecond
			r.Send(1)
		}
		assert.GreaterOrEqual(t, r.Stats().Received, uint64(8), name)
		cancel()
		all.Wait()
	}
}

// A hundred thousand parked receivers cost Close no more than one: each wakes
// the next, and the lock is free meanwhile.
func TestRingCloseWithManyReceivers(t *testing.T) {
	const receivers = 100_000
	r, ended := ringOf(1), atomic.Int64{}
	var all sync.WaitGroup
	for range receivers {
		all.Go(func() {
			if _, err := r.Recv(context.Background()); err == chanx.ErrClosed {
				ended.Add(1)
			}
		})
	}
	r.Close()
	all.Wait()
	assert.EqualValues(t, receivers, ended.Load())
}

// The compiler keeps values above 64 KiB off the stack. No copy of one is made
// under the lock, where it would be allocated.
func TestRingLargeValuesAllocateNothingInside(t *testing.T) {
	type large [256 << 10]byte
	r := chanx.NewRing[large](2)
	var v large
	noAllocs(t, "Send full", func() { r.Send(v) })
	dst := make([]large, 1)
	noAllocs(t, "RecvBatch", func() {
		r.Send(v)
		r.RecvBatch(t.Context(), dst)
	})
}

func TestRingEmptyBatch(t *testing.T) {
	r := ringOf(1)
	for range 2 {
		n, err := r.RecvBatch(t.Context(), nil)
		assert.NoError(t, err, "without waiting")
		assert.Zero(t, n)
		r.Send(1)
	}
	r.Close()
	n, err := r.RecvBatch(t.Context(), []int{})
	assert.NoError(t, err, "closed, not drained")
	assert.Zero(t, n)
	r.TryRecv()
	_, err = r.RecvBatch(t.Context(), nil)
	assert.Equal(t, chanx.ErrClosed, err)
}

func TestRingCloseThenDrain(t *testing.T) {
	r := ringOf(4, 1, 2, 3, 4)
	r.Close()
	assert.False(t, r.Send(5))
	assert.Equal(t, chanx.ErrClosed, r.TrySend(5), "closed before full")
	assert.Equal(t, chanx.RingStats{Sent: 4, Len: 4, Cap: 4, HighWater: 4},
		r.Stats(), "a refused value is not counted")
	v, err := r.TryRecv()
	assert.NoError(t, err)
	assert.Equal(t, 1, v)
	v, err = r.Recv(t.Context())
	assert.NoError(t, err)
	assert.Equal(t, 2, v)
	v, err = r.RecvTimeout(0)
	assert.NoError(t, err)
	assert.Equal(t, 3, v)
	assert.Equal(t, []int{4}, slices.Collect(r.All(t.Context())))
	for range 2 {
		_, err = r.TryRecv()
		assert.Equal(t, chanx.ErrClosed, err)
		_, err = r.Recv(t.Context())
		assert.Equal(t, chanx.ErrClosed, err)
		_, err = r.RecvTimeout(time.Hour)
		assert.Equal(t, chanx.ErrClosed, err)
		_, err = r.RecvTimeout(-1)
		assert.Equal(t, chanx.ErrClosed, err)
		n, err := r.RecvBatch(t.Context(), make([]int, 2))
		assert.Equal(t, chanx.ErrClosed, err)
		assert.Zero(t, n)
		r.Close()
	}
}

func TestRingHighWater(t *testing.T) {
	r := ringOf(3)
	high := func(want int) {
		t.Helper()
		assert.Equal(t, want, r.Stats().HighWater)
	}
	high(0)
	r.Send(1)
	high(1)
	r.TrySend(2)
	high(2)
	r.TryRecv()
	r.TryRecv()
	r.Send(3)
	high(2)
	r.Send(4)
	r.Send(5)
	r.Send(6)
	high(3)
	r.Close()
	high(3)
}

func TestRingAll(t *testing.T) {
	r := ringOf(4, 1, 2, 3)
	for v := range r.All(t.Context()) {
		if v == 2 {
			break
		}
	}
	assert.Equal(t, 1, r.Len(), "what follows a break stays")
	r.Send(4)
	r.Close()
	assert.Equal(t, []int{3, 4}, slices.Collect(r.All(t.Context())))
}

func TestRingAllEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ringOf(4, 1, 2, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Equal(t, time.Second, took(func() {
			assert.Equal(t, []int{1, 2, 3}, slices.Collect(r.All(ctx)))
		}))
		r.Send(4)
		for range r.All(ctx) {
			t.Error("ctx is done")
		}
		assert.Equal(t, 1, r.Len())
	})
}

// ringWaits are the ways to wait for one value of a ring.
var ringWaits = map[string]func(context.Context, *chanx.Ring[int]) (int, error){
	"Recv": func(ctx context.Context, r *chanx.Ring[int]) (int, error) {
		return r.Recv(ctx)
	},
	"RecvTimeout": func(_ context.Context, r *chanx.Ring[int]) (int, error) {
		return r.RecvTimeout(1000 * time.Hour)
	},
	"RecvTimeout huge": func(_ context.Context, r *chanx.Ring[int]) (int, error) {
		return r.RecvTimeout(maxDuration)
	},
	"RecvBatch": func(ctx context.Context, r *chanx.Ring[int]) (int, error) {
		var dst [1]int
		_, err := r.RecvBatch(ctx, dst[:])
		return dst[0], err
	},
	"All": func(ctx context.Context, r *chanx.Ring[int]) (int, error) {
		for v := range r.All(ctx) {
			return v, nil
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, chanx.ErrClosed
	},
	"Ready": func(ctx context.Context, r *chanx.Ring[int]) (int, error) {
		for {
			select {
			case <-r.Ready():
				if v, err := r.TryRecv(); err != chanx.ErrEmpty {
					return v, err
				}
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
	},
}

func TestRingWaitsForValue(t *testing.T) {
	for name, wait := range ringWaits {
		for _, ctx := range []context.Context{context.Background(), t.Context()} {
			synctest.Test(t, func(t *testing.T) {
				r := ringOf(1)
				at(time.Second, func() { r.Send(7) })
				at(2*time.Second, func() { assert.NoError(t, r.TrySend(8)) })
				for _, want := range []int{7, 8} {
					assert.Equal(t, time.Second, took(func() {
						v, err := wait(context.WithoutCancel(ctx), r)
						assert.NoError(t, err, name)
						assert.Equal(t, want, v, name)
					}), name)
				}
				at(time.Second, r.Close)
				v, err := wait(context.Background(), r)
				assert.Equal(t, chanx.ErrClosed, err, name)
				assert.Zero(t, v)
			})
		}
	}
}

func TestRingRecvUntilContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ringOf(1)
		for name, wait := range ringWaits {
			if name == "RecvTimeout" || name == "RecvTimeout huge" {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			at(time.Second-1, func() { r.Send(7) })
			assert.Equal(t, time.Second-1, took(func() {
				v, err := wait(ctx, r)
				assert.NoError(t, err, name)
				assert.Equal(t, 7, v, name)
			}))
			assert.Equal(t, time.Duration(1), took(func() {
				v, err := wait(ctx, r)
				assert.Equal(t, context.DeadlineExceeded, err, name)
				assert.Zero(t, v)
			}))
			cancel()
		}
	})
}

func TestRingRecvTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range anyDuration {
			r := ringOf(1, 7)
			assert.Zero(t, took(func() {
				v, err := r.RecvTimeout(d)
				assert.NoError(t, err, "a value there is taken")
				assert.Equal(t, 7, v)
			}))
			if d == maxDuration {
				continue
			}
			assert.Equal(t, max(d, 0), took(func() {
				v, err := r.RecvTimeout(d)
				assert.Equal(t, chanx.ErrTimeout, err)
				assert.Zero(t, v)
			}))
		}
		r := ringOf(1)
		at(time.Second-1, func() { r.Send(7) })
		v, err := r.RecvTimeout(time.Second)
		assert.NoError(t, err, "just in time")
		assert.Equal(t, 7, v)
		at(time.Second+1, func() { r.Send(8) })
		_, err = r.RecvTimeout(time.Second)
		assert.Equal(t, chanx.ErrTimeout, err, "just too late")
		v, err = r.RecvTimeout(time.Second)
		assert.NoError(t, err, "not lost")
		assert.Equal(t, 8, v)
	})
}

// A value is not handed to a receiver that waits: a TryRecv may come first. On
// one processor it does so, unless the runtime preempts in between.
func TestRingTryRecvOvertakes(t *testing.T) {
	oneProc(t)
	overtook := 0
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			r, got := ringOf(1), make(chan int, 1)
			go func() {
				v, _ := r.Recv(context.Background())
				got <- v
			}()
			synctest.Wait()
			r.Send(1)
			if v, err := r.TryRecv(); err == nil {
				overtook++
				assert.Equal(t, 1, v)
				r.Send(2)
				assert.Equal(t, 2, <-got, "it waits on")
			}
		})
	}
	assert.Positive(t, overtook)
}

// A token that another receiver made worthless does not end the wait early.
func TestRingRecvTimeoutSurvivesStaleTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := ringOf(1, 1)
		r.TryRecv() // leaves a token behind
		assert.Equal(t, time.Second, took(func() {
			_, err := r.RecvTimeout(time.Second)
			assert.Equal(t, chanx.ErrTimeout, err)
		}))
	})
}

// RecvBatch takes the values in the ring and never waits for a second one.
func TestRingRecvBatchTakesWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, dst := ringOf(8), make([]int, 4)
		at(time.Second, func() { r.Send(1) })
		assert.Equal(t, time.Second, took(func() {
			n, err := r.RecvBatch(t.Context(), dst)
			assert.NoError(t, err)
			assert.Equal(t, []int{1}, dst[:n])
		}))
		for v := range 10 {
			r.Send(v)
		}
		n, _ := r.RecvBatch(t.Context(), dst)
		assert.Equal(t, []int{2, 3, 4, 5}, dst[:n])
		n, _ = r.RecvBatch(t.Context(), make([]int, 100))
		assert.Equal(t, 4, n)
		assert.EqualValues(t, 9, r.Stats().Received)
	})
}

func TestRingCallbackMayUseTheRing(t *testing.T) {
	var r *chanx.Ring[int]
	depth, evicted := 0, []int(nil)
	r = chanx.NewRingFunc(2, func(v int) {
		evicted = append(evicted, v)
		if depth++; depth > 1 {
			return
		}
		assert.Equal(t, 2, r.Len(), "the new value is in")
		assert.EqualValues(t, 1, r.Stats().Dropped)
		assert.Equal(t, 2, r.Cap())
		assert.Equal(t, chanx.ErrFull, r.TrySend(0))
		r.Send(4) // evicts 2
		got, err := r.TryRecv()
		assert.NoError(t, err)
		assert.Equal(t, 3, got)
		n, err := r.RecvBatch(t.Context(), make([]int, 9))
		assert.NoError(t, err)
		assert.Equal(t, 1, n)
		_, err = r.RecvTimeout(1)
		assert.Equal(t, chanx.ErrTimeout, err)
		r.Close()
	})
	for v := range 4 {
		assert.Equal(t, v < 3, r.Send(v+1), "the third one's callback closes")
	}
	assert.Equal(t, []int{1, 2}, evicted)
}

func TestRingCallbackPanicIsTheSenders(t *testing.T) {
	r := chanx.NewRingFunc(1, func(v int) { panic(v) })
	r.Send(1)
	for v := 2; v < 5; v++ {
		assert.PanicsWithValue(t, v-1, func() { r.Send(v) })
	}
	v, err := r.TryRecv()
	assert.NoError(t, err)
	assert.Equal(t, 4, v)
	assert.Equal(t, chanx.RingStats{
		Sent: 4, Received: 1, Dropped: 3, Cap: 1, HighWater: 1,
	}, r.Stats())
}

// Only evicted values go to the callback, not received or refused ones.
func TestRingCallbackGetsEvictedOnly(t *testing.T) {
	var evicted []int
	r := chanx.NewRingFunc(2, func(v int) { evicted = append(evicted, v) })
	r.Send(1)
	r.Send(2)
	r.TrySend(3)
	r.TryRecv()
	r.Send(4)
	assert.Empty(t, evicted)
	r.Send(5)
	r.Close()
	r.Send(6)
	r.TryRecv()
	assert.Equal(t, []int{2}, evicted)
	chanx.NewRingFunc[int](1, nil).Send(1) // nil is NewRing
}

// Values that left the ring are not kept alive by it; values in it are.
func TestRingKeepsNothingAlive(t *testing.T) {
	type big struct{ _ [64]int }
	ctx := t.Context()
	for name, leave := range map[string]func(r *chanx.Ring[*big]){
		"TryRecv":     func(r *chanx.Ring[*big]) { r.TryRecv() },
		"Recv":        func(r *chanx.Ring[*big]) { r.Recv(ctx) },
		"RecvTimeout": func(r *chanx.Ring[*big]) { r.RecvTimeout(0) },
		"RecvBatch": func(r *chanx.Ring[*big]) {
			r.RecvBatch(ctx, make([]*big, 1))
		},
		"Send": func(r *chanx.Ring[*big]) { r.Send(nil) },
	} {
		r := chanx.NewRing[*big](4)
		send := func() weak.Pointer[big] {
			v := new(big)
			r.Send(v)
			return weak.Make(v)
		}
		for range 3 { // so that the next four wrap around
			send()
			r.TryRecv()
		}
		sent := []weak.Pointer[big]{send(), send(), send(), send()}
		for i := range sent {
			leave(r)
			for _, p := range sent[:i+1] {
				assert.True(t, collected(p), "%s: %d", name, i)
			}
			for _, p := range sent[i+1:] {
				assert.NotNil(t, p.Value(), "%s: %d", name, i)
			}
		}
		sent = []weak.Pointer[big]{send(), send(), send(), send()}
		n, err := r.RecvBatch(ctx, make([]*big, 4))
		require.NoError(t, err)
		require.Equal(t, 4, n)
		for _, p := range sent {
			assert.True(t, collected(p), "RecvBatch around the end")
		}
		runtime.KeepAlive(r)
	}
}

// collected waits some collections for p: one alone may come while a copy of
// the pointer is still in a register that is taken at its word.
func collected[T any](p weak.Pointer[T]) bool {
	for range 10 {
		runtime.GC()
		if p.Value() == nil {
			return true
		}
	}
	return false
}

// At rest, no value is left while a receiver waits. Half of the receivers give
// up at the very moment a value arrives: in the same instant of fake time, by
// the same goroutine, before and after the Send.
func TestRingNoLostWakeUp(t *testing.T) {
	type waiter struct {
		cancel context.CancelFunc
		ended  bool
	}
	names := []string{"Recv", "RecvBatch", "RecvTimeout", "All", "Ready"}
	for _, capacity := range []int{1, 2, 8} {
		synctest.Test(t, func(t *testing.T) {
			for round := range rounds(3000) {
				r := ringOf(capacity)
				var waiters []*waiter
				for i := range 2 + round%4 {
					ctx, cancel := context.WithCancel(t.Context())
					w := &waiter{cancel: cancel}
					waiters = append(waiters, w)
					wait := ringWaits[names[(round/4+i)%len(names)]]
					if i == 0 && round%2 == 0 {
						wait = ringWaits["Recv"]
					}
					go func() {
						wait(ctx, r)
						w.ended = true
					}()
				}
				synctest.Wait()
				cancelled := round % len(waiters)
				for i := range 1 + round%3 {
					if round%5 == i {
						waiters[cancelled].cancel()
					}
					r.Send(i)
				}
				if round%2 == 0 {
					waiters[0].cancel()
				}
				synctest.Wait()
				if r.Len() > 0 {
					for i, w := range waiters {
						require.True(t, w.ended, "round %d: receiver %d of %d "+
							"sleeps beside a value", round, i, len(waiters))
					}
				}
				for _, w := range waiters {
					w.cancel()
				}
				r.Close()
				synctest.Wait()
				for _, w := range waiters {
					require.True(t, w.ended, "Close wakes all")
				}
			}
		})
	}
}

func TestRingCloseWakesEveryWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, ended := ringOf(1), 0
		var mu sync.Mutex
		for name, wait := range ringWaits {
			for range 10 {
				go func() {
					_, err := wait(context.Background(), r)
					mu.Lock()
					defer mu.Unlock()
					assert.Equal(t, chanx.ErrClosed, err, name)
					ended++
				}()
			}
		}
		synctest.Wait()
		assert.Zero(t, ended)
		r.Close()
		synctest.Wait()
		assert.Equal(t, 10*len(ringWaits), ended)
	})
}

// Senders wait for an answer to each value, so a lost wake-up stops the test:
// inside the bubble that is a reported deadlock, not a hanging test. Cancelled
// receivers come back at once with a new context.
func TestRingHandOffNeverStops(t *testing.T) {
	manyProcs(t)
	for _, capacity := range []int{1, 2, 64} {
		synctest.Test(t, func(t *testing.T) {
			const senders = 2
			tally := newTally(senders, rounds(50_000/3))
			r := ringOf(capacity)
			credit := make(chan struct{}, capacity) // no eviction
			for range capacity {
				credit <- struct{}{}
			}
			var send, recv sync.WaitGroup
			for s := range senders {
				send.Go(func() {
					for v := range tally.values(s) {
						<-credit
						r.Send(v)
					}
				})
			}
			for name, wait := range ringWaits {
				recv.Go(func() {
					seen := tally.receiver(t)
					for i := 0; ; i++ {
						ctx, cancel := context.WithCancel(t.Context())
						if i%3 == 0 && name != "RecvTimeout huge" {
							go cancel()
						}
						v, err := wait(ctx, r)
						cancel()
						if err == chanx.ErrClosed {
							return
						}
						if err == nil {
							seen(v)
							credit <- struct{}{}
						}
						if tally.received.Load() == int64(tally.total()) {
							r.Close()
						}
					}
				})
			}
			send.Wait()
			recv.Wait()
			assert.EqualValues(t, tally.total(), tally.received.Load())
			assert.Zero(t, r.Stats().Dropped)
		})
	}
}

// Every value sent comes out once: to a receiver, or to the callback. The law
// holds in every snapshot, and no count ever goes back.
func TestRingConserves(t *testing.T) {
	manyProcs(t)
	for _, capacity := range []int{1, 2, 64, 1024} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			ringConserves(t, capacity)
		})
	}
}

func ringConserves(t *testing.T, capacity int) {
	const senders, receivers = 4, 3
	tally := newTally(senders, rounds(400_000)/4)
	var dropped, refused atomic.Int64
	r := chanx.NewRingFunc(capacity, func(v int) {
		tally.once(t, v)
		dropped.Add(1)
	})
	var send, recv, watch sync.WaitGroup
	for s := range senders {
		send.Go(func() {
			for v := range tally.values(s) {
				if v%16 == 0 {
					if r.TrySend(v) != nil {
						refused.Add(1)
					}
				} else if !r.Send(v) {
					t.Error("refused by an open ring")
				}
			}
		})
	}
	for i := range receivers {
		recv.Go(func() { ringReceive(t, r, tally.receiver(t), i) })
	}
	stop := make(chan struct{})
	watch.Go(func() { ringWatch(t, r, stop) })
	send.Wait()
	r.Close()
	recv.Wait()
	close(stop)
	watch.Wait()
	sent := int64(tally.total()) - refused.Load()
	assert.Equal(t, sent, dropped.Load()+tally.received.Load())
	s := r.Stats()
	assert.EqualValues(t, sent, s.Sent)
	assert.EqualValues(t, tally.received.Load(), s.Received)
	assert.EqualValues(t, dropped.Load(), s.Dropped)
	assert.Zero(t, s.Len)
	if s.Dropped > 0 {
		assert.Equal(t, capacity, s.HighWater, "evicts only when full")
	}
}

// ringReceive receives in one of three ways until the ring is drained.
func ringReceive(t *testing.T, r *chanx.Ring[int], seen func(int), how int) {
	dst := make([]int, 7)
	for n, err := 0, error(nil); ; {
		switch how {
		case 0:
			dst[0], err = r.Recv(context.Background())
			n = 1
		case 1:
			n, err = r.RecvBatch(context.Background(), dst)
		default:
			dst[0], err = r.RecvTimeout(time.Microsecond)
			n = 1
		}
		if err == chanx.ErrClosed {
			return
		}
		if err == nil {
			for _, v := range dst[:n] {
				seen(v)
			}
		}
	}
}

func ringWatch(t *testing.T, r *chanx.Ring[int], stop chan struct{}) {
	var last chanx.RingStats
	for {
		select {
		case <-stop:
			return
		default:
		}
		s := r.Stats()
		lawful := s.Sent == s.Received+s.Dropped+uint64(s.Len) &&
			s.Len <= s.HighWater && s.HighWater <= s.Cap
		forward := s.Sent >= last.Sent && s.Received >= last.Received &&
			s.Dropped >= last.Dropped && s.HighWater >= last.HighWater
		if !lawful || !forward {
			t.Errorf("%+v after %+v", s, last)
			return
		}
		last = s
		runtime.Gosched()
	}
}

// Closing while others send loses nothing that Send has accepted.
func TestRingCloseWhileSending(t *testing.T) {
	manyProcs(t)
	for round := range rounds(2000) {
		r := ringOf(1 + round%3)
		var accepted atomic.Int64
		var wg sync.WaitGroup
		for s := range 3 {
			wg.Go(func() {
				for v := range 20 {
					if !r.Send(v) {
						return
					}
					accepted.Add(1)
					if s == 0 && v == round%20 {
						r.Close()
					}
				}
			})
		}
		wg.Wait()
		r.Close()
		n := 0
		for range r.All(t.Context()) {
			n++
		}
		s := r.Stats()
		require.EqualValues(t, accepted.Load(), s.Sent)
		require.EqualValues(t, n, s.Received)
		require.Equal(t, s.Sent, s.Received+s.Dropped)
	}
}

func TestRingAllocatesNothing(t *testing.T) {
	ctx, dst := t.Context(), make([]int, 4)
	r := chanx.NewRingFunc(2, func(int) {})
	full, empty := ringOf(1, 1), ringOf(1)
	done := ringOf(1)
	done.Close()
	for name, f := range map[string]func(){
		"Send, TryRecv":    func() { r.Send(1); r.TryRecv() },
		"Send full":        func() { full.Send(1) },
		"Send closed":      func() { done.Send(1) },
		"TrySend":          func() { r.TrySend(1); r.TryRecv() },
		"TrySend full":     func() { full.TrySend(1) },
		"TryRecv empty":    func() { empty.TryRecv() },
		"TryRecv closed":   func() { done.TryRecv() },
		"Recv":             func() { r.Send(1); r.Recv(ctx) },
		"RecvTimeout":      func() { r.Send(1); r.RecvTimeout(time.Hour) },
		"RecvTimeout once": func() { empty.RecvTimeout(0) },
		"RecvBatch":        func() { r.Send(1); r.RecvBatch(ctx, dst) },
		"Ready":            func() { r.Send(1); <-r.Ready(); r.TryRecv() },
		"All": func() {
			r.Send(1)
			for range r.All(ctx) {
				break
			}
		},
		"Len, Cap, Stats": func() { r.Len(); r.Cap(); r.Stats() },
		"Close":           func() { done.Close() },
	} {
		noAllocs(t, name, f)
	}
}

// Nor does a receiver that has to wait, whatever its context is.
func TestRingWaitingAllocatesNothing(t *testing.T) {
	ping, pong := ringOf(1), ringOf(1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan bool)
	go func() {
		defer close(done)
		for v := range ping.All(ctx) {
			runtime.Gosched() // so that the other side is parked for certain
			pong.Send(v)
		}
	}()
	dst := make([]int, 4)
	noAllocs(t, "Recv", func() { ping.Send(1); pong.Recv(ctx) })
	noAllocs(t, "Recv, never done", func() {
		ping.Send(1)
		pong.Recv(context.Background())
	})
	noAllocs(t, "RecvBatch", func() { ping.Send(1); pong.RecvBatch(ctx, dst) })
	noAllocs(t, "Ready", func() {
		ping.Send(1)
		<-pong.Ready()
		pong.TryRecv()
	})
	ping.Close()
	<-done
}

// A Ring follows the rules that testing/synctest has for channels: made outside
// a bubble, a wait inside it stops virtual time; made inside, to use it outside
// is a fatal error, in Go 1.25 a panic, which a child process shows.
func TestRingAcrossBubbles(t *testing.T) {
	if os.Getenv("CHANX_TEST_CHILD") != "" {
		var inner *chanx.Ring[int]
		synctest.Test(t, func(*testing.T) { inner = ringOf(1) })
		inner.Send(1)
		return
	}
	outer := ringOf(1)
	go func() {
		time.Sleep(10 * time.Millisecond)
		outer.Send(7)
	}()
	synctest.Test(t, func(t *testing.T) {
		hour := time.AfterFunc(time.Hour, func() {})
		defer hour.Stop()
		assert.Zero(t, took(func() {
			v, err := outer.Recv(context.Background())
			assert.NoError(t, err)
			assert.Equal(t, 7, v)
		}), "virtual time stands still")
	})
	child := exec.Command(os.Args[0], "-test.run=^TestRingAcrossBubbles$")
	child.Env = append(os.Environ(), "CHANX_TEST_CHILD=1")
	out, err := child.CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "send on synctest channel from outside")
}

package chanx_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// FuzzRing runs a sequence of operations, one a byte, against the slice.
func FuzzRing(f *testing.F) {
	f.Add(1, []byte{0, 0, 2, 2})
	f.Add(2, []byte{0, 1, 1, 0, 3, 5, 0, 2, 2})
	f.Add(3, []byte{0, 0, 2, 0, 0, 3, 3, 0, 0, 0, 4, 5, 5, 1, 3, 4})
	f.Fuzz(func(t *testing.T, capacity int, program []byte) {
		capacity = 1 + abs(capacity)%70
		var evicted []int
		r := chanx.NewRingFunc(capacity, func(v int) {
			evicted = append(evicted, v)
		})
		ref := newSliceRing(capacity)
		for i, op := range program {
			ringSteps[int(op)%len(ringSteps)].do(t, r, ref, i+1)
			require.Equal(t, ref.Stats(), r.Stats())
			require.Equal(t, len(ref.vals), r.Len())
			if !ref.closed && len(ref.vals) > 0 {
				require.Len(t, r.Ready(), 1)
			}
		}
		assert.Equal(t, ref.evicted, evicted)
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

// FuzzChannelOps runs a sequence on a channel by our functions, on a twin by
// an inline select, and on a slice.
func FuzzChannelOps(f *testing.F) {
	f.Add(0, []byte{0, 1, 2, 3})
	f.Add(1, []byte{0, 0, 2, 2, 3, 1, 1})
	f.Add(3, []byte{0, 0, 0, 0, 2, 1, 7, 0, 4, 1, 3, 2})
	f.Fuzz(func(t *testing.T, capacity int, program []byte) {
		capacity = abs(capacity) % 70
		ch, twin := make(chan int, capacity), make(chan int, capacity)
		model, closed := []int{}, false
		for i, op := range program {
			switch {
			case op%5 == 0 && !closed:
				model = stepTrySend(t, ch, twin, model, i)
			case op%5 == 1:
				model = stepTryRecv(t, ch, twin, model, closed)
			case op%5 == 2 && !closed:
				model = stepDropOldest(t, ch, twin, model, i)
			case op%5 == 3:
				model = stepDrain(t, ch, twin, model, int(op/5))
			case op%5 == 4 && op > 200 && !closed:
				closed = true
				close(ch)
				close(twin)
			}
			require.Equal(t, len(model), len(ch))
		}
	})
}

func stepTrySend(t *testing.T, ch, twin chan int, model []int, v int) []int {
	inline := false
	select {
	case twin <- v:
		inline = true
	default:
	}
	require.Equal(t, inline, chanx.TrySend(ch, v))
	require.Equal(t, len(model) < cap(ch), inline)
	if inline {
		model = append(model, v)
	}
	return model
}

func stepTryRecv(
	t *testing.T, ch, twin chan int, model []int, closed bool,
) []int {
	want, wantErr := 0, chanx.ErrEmpty
	select {
	case v, ok := <-twin:
		want, wantErr = v, nil
		if !ok {
			wantErr = chanx.ErrClosed
		}
	default:
	}
	got, err := chanx.TryRecv(ch)
	require.Equal(t, wantErr, err)
	require.Equal(t, want, got)
	require.Equal(t, len(model) > 0, err == nil)
	if err != nil {
		require.Equal(t, closed, err == chanx.ErrClosed)
		return model
	}
	require.Equal(t, model[0], got)
	return model[1:]
}

func stepDropOldest(t *testing.T, ch, twin chan int, model []int, v int) []int {
	dropped := chanx.SendDropOldest(ch, v)
	if cap(ch) == 0 {
		require.Equal(t, 1, dropped)
		return model
	}
	evict(twin, v)
	if len(model) == cap(ch) {
		require.Equal(t, 1, dropped)
		return append(model[1:], v)
	}
	require.Zero(t, dropped)
	return append(model, v)
}

// stepDrain breaks out of the loop after most values, if there are so many.
func stepDrain(t *testing.T, ch, twin chan int, model []int, most int) []int {
	for v := range chanx.Drain(ch) {
		require.Equal(t, <-twin, v)
		require.Equal(t, model[0], v)
		model = model[1:]
		if most--; most <= 0 {
			return model
		}
	}
	require.Empty(t, model)
	return model
}

// FuzzRingConcurrent lets senders and receivers of all kinds at a ring: every
// value comes out once, each sender's in order, and the counts agree.
func FuzzRingConcurrent(f *testing.F) {
	f.Add(1, 2, 2, uint16(500), false)
	f.Add(2, 3, 1, uint16(1000), true)
	f.Add(64, 4, 5, uint16(2000), true)
	f.Add(1024, 1, 0, uint16(3000), false)
	f.Fuzz(func(
		t *testing.T, capacity, senders, receivers int, each uint16, early bool,
	) {
		manyProcs(t)
		capacity, senders = 1+abs(capacity)%2000, 1+abs(senders)%8
		tally := newTally(senders, 1+int(each)%4000)
		var dropped, refused atomic.Int64
		r := chanx.NewRingFunc(capacity, func(v int) {
			tally.once(t, v)
			dropped.Add(1)
		})
		var send, recv sync.WaitGroup
		for s := range senders {
			send.Go(func() {
				for v := range tally.values(s) {
					if !r.Send(v) {
						refused.Add(1)
					}
				}
				if early {
					r.Close()
				}
			})
		}
		for i := range 1 + abs(receivers)%8 {
			recv.Go(func() { ringReceive(t, r, tally.receiver(t), i%3) })
		}
		send.Wait()
		r.Close()
		recv.Wait()
		assert.EqualValues(t, tally.total(),
			tally.received.Load()+dropped.Load()+refused.Load())
		s := r.Stats()
		assert.EqualValues(t, tally.received.Load(), s.Received)
		assert.EqualValues(t, dropped.Load(), s.Dropped)
		assert.Zero(t, s.Len)
	})
}

// FuzzTimeouts plays a timetable. Values come at odd nanoseconds, waits start
// and end at even ones, so what each wait must give, and when, is certain: the
// next value if it is in time, at the later of its arrival and the start.
func FuzzTimeouts(f *testing.F) {
	f.Add([]byte{1, 1, 5}, []byte{0, 2, 4, 6})
	f.Add([]byte{9}, []byte{2, 2, 255, 128})
	f.Add([]byte{0, 0, 0, 200}, []byte{1, 3, 100, 101, 7})
	f.Fuzz(func(t *testing.T, gaps, waits []byte) {
		gaps, waits = gaps[:min(len(gaps), 64)], waits[:min(len(waits), 64)]
		var arrivals []time.Duration
		for i, sum := 0, time.Duration(1); i < len(gaps); i++ {
			sum += 2 * time.Duration(gaps[i])
			arrivals = append(arrivals, sum)
		}
		ch, ring := make(chan int, 64), chanx.NewRing[int](64)
		play(t, arrivals, waits, func() func(int) {
			ch = make(chan int, 64)
			return func(v int) { ch <- v }
		}, func(d time.Duration) (int, error) { return chanx.RecvTimeout(ch, d) })
		play(t, arrivals, waits, func() func(int) {
			ring = chanx.NewRing[int](64)
			return func(v int) { ring.Send(v) }
		}, func(d time.Duration) (int, error) { return ring.RecvTimeout(d) })
		play(t, arrivals, waits, func() func(int) {
			ring = chanx.NewRing[int](64)
			return func(v int) { ring.Send(v) }
		}, func(d time.Duration) (int, error) {
			if d <= 0 {
				return ring.RecvTimeout(d)
			}
			ctx, cancel := context.WithTimeout(context.Background(), d)
			defer cancel()
			v, err := ring.Recv(ctx)
			if err == context.DeadlineExceeded {
				err = chanx.ErrTimeout
			}
			return v, err
		})
		// A send is the mirror image: places in a full channel become free.
		next := 0
		play(t, arrivals, waits, func() func(int) {
			ch, next = filled(64, slices.Repeat([]int{-1}, 64)...), 0
			return func(int) { <-ch }
		}, func(d time.Duration) (int, error) {
			err := chanx.SendTimeout(ch, 0, d)
			if err != nil {
				return 0, err
			}
			next++
			return next - 1, nil
		})
	})
}

// play runs the timetable in fake time. The recv it is given must return the
// number of the arrival it got.
func play(
	t *testing.T, arrivals []time.Duration, waits []byte,
	open func() (arrive func(int)), recv func(time.Duration) (int, error),
) {
	synctest.Test(t, func(t *testing.T) {
		arrive, start, next := open(), time.Now(), 0
		done := make(chan bool)
		defer func() { <-done }()
		go func() {
			defer close(done)
			for i, when := range arrivals {
				time.Sleep(when - time.Since(start))
				arrive(i)
			}
		}()
		for _, w := range waits {
			d := 2 * (time.Duration(w) - 5) // some are negative
			now := time.Since(start)
			if now%2 == 1 { // woken by a value: back to an even time
				time.Sleep(1 + 2*time.Duration(w%3))
				now = time.Since(start)
			}
			end, wantErr := now+max(d, 0), chanx.ErrTimeout
			if next < len(arrivals) && arrivals[next] <= end {
				end, wantErr = max(now, arrivals[next]), nil
			}
			got, err := recv(d)
			require.Equal(t, wantErr, err)
			require.Equal(t, end, time.Since(start))
			if err == nil {
				require.Equal(t, next, got)
				next++
			}
		}
	})
}

package chanx_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/internal/race"
)

const (
	maxDuration = time.Duration(math.MaxInt64)
	minDuration = time.Duration(math.MinInt64)
)

// anyDuration are the timeouts a ready operation must not look at.
var anyDuration = []time.Duration{
	minDuration, -time.Second, -1, 0, 1, time.Second, maxDuration,
}

// took returns how much virtual time f takes.
func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// at runs f in a new goroutine when d has passed.
func at(d time.Duration, f func()) {
	go func() {
		time.Sleep(d)
		f()
	}()
}

func TestErrTimeout(t *testing.T) {
	var timeout interface{ Timeout() bool }
	require.ErrorAs(t, chanx.ErrTimeout, &timeout)
	assert.True(t, timeout.Timeout())
	assert.True(t, os.IsTimeout(chanx.ErrTimeout))
	assert.EqualError(t, chanx.ErrTimeout, "chanx: timed out")
	wrapped := fmt.Errorf("job: %w", chanx.ErrTimeout)
	assert.ErrorIs(t, wrapped, chanx.ErrTimeout)
	for _, std := range []error{os.ErrDeadlineExceeded, context.DeadlineExceeded} {
		assert.ErrorIs(t, wrapped, std)
		assert.NotErrorIs(t, std, chanx.ErrTimeout)
	}
	assert.NotErrorIs(t, chanx.ErrTimeout, context.Canceled)
}

func TestSendTimeoutReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range anyDuration {
			ch := filled(2, 1)
			assert.Zero(t, took(func() {
				assert.NoError(t, chanx.SendTimeout(ch, 9, d))
			}))
			assert.Equal(t, []int{1, 9}, contents(ch))

			unbuffered, got := make(chan int), make(chan int, 1)
			go func() { got <- <-unbuffered }()
			synctest.Wait()
			assert.NoError(t, chanx.SendTimeout(unbuffered, 9, d))
			assert.Equal(t, 9, <-got, "nil means that it was taken")
		}
	})
}

func TestSendTimeoutTriesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{0, -1, minDuration} {
			for _, ch := range []chan int{nil, make(chan int), filled(1, 1)} {
				assert.Zero(t, took(func() {
					assert.Equal(t, chanx.ErrTimeout, chanx.SendTimeout(ch, 9, d))
				}))
			}
		}
	})
}

func TestSendTimeoutPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{1, time.Second, 1000 * time.Hour} {
			for _, ch := range []chan int{nil, make(chan int), filled(1, 1)} {
				before := len(ch)
				assert.Equal(t, d, took(func() {
					assert.Equal(t, chanx.ErrTimeout, chanx.SendTimeout(ch, 9, d))
				}))
				assert.Equal(t, before, len(ch), "v is still the caller's")
				assert.False(t, chanx.TrySend(ch, 9), "nothing was received")
			}
		}
	})
}

// Room that appears one nanosecond before the end is in time.
func TestSendTimeoutJustInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, capacity := range []int{0, 1} {
			for _, d := range []time.Duration{2, time.Second, maxDuration} {
				ch, after := make(chan int, capacity), min(d-1, 1000*time.Hour)
				for i := range capacity {
					ch <- i
				}
				at(after, func() { <-ch })
				assert.Equal(t, after, took(func() {
					assert.NoError(t, chanx.SendTimeout(ch, 9, d))
				}))
				synctest.Wait()
				assert.Equal(t, capacity, len(ch))
			}
		}
	})
}

func TestSendTimeoutJustTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := filled(1, 1)
		at(time.Second+1, func() { <-ch })
		assert.Equal(t, chanx.ErrTimeout, chanx.SendTimeout(ch, 9, time.Second))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Empty(t, ch)
	})
}

func TestSendTimeoutClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range anyDuration {
			assert.Panics(t, func() { chanx.SendTimeout(closedWith(1, 1), 9, d) })
		}
		if race.Enabled {
			return // closing while others send is a race, here on purpose
		}
		ch := filled(1, 1)
		at(time.Second, func() { close(ch) })
		assert.Equal(t, time.Second, took(func() {
			assert.PanicsWithError(t, "send on closed channel", func() {
				chanx.SendTimeout(ch, 9, time.Hour)
			})
		}))
	})
}

func TestRecvTimeoutReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range anyDuration {
			unbuffered := make(chan int)
			go func() { unbuffered <- 7 }()
			synctest.Wait()
			for _, ch := range []chan int{
				filled(1, 7), filled(2, 7, 8), closedWith(1, 7), unbuffered,
			} {
				assert.Zero(t, took(func() {
					v, err := chanx.RecvTimeout(ch, d)
					assert.NoError(t, err)
					assert.Equal(t, 7, v)
				}))
			}
			v, err := chanx.RecvTimeout(closedWith(0), d)
			assert.Equal(t, chanx.ErrClosed, err)
			assert.Zero(t, v)
		}
	})
}

func TestRecvTimeoutTriesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{0, -1, minDuration} {
			for _, ch := range []chan int{nil, make(chan int), filled(1)} {
				assert.Zero(t, took(func() {
					v, err := chanx.RecvTimeout(ch, d)
					assert.Equal(t, chanx.ErrTimeout, err)
					assert.Zero(t, v)
				}))
			}
		}
	})
}

func TestRecvTimeoutPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{1, time.Second, 1000 * time.Hour} {
			for _, ch := range []chan int{nil, make(chan int), filled(1)} {
				assert.Equal(t, d, took(func() {
					v, err := chanx.RecvTimeout(ch, d)
					assert.Equal(t, chanx.ErrTimeout, err)
					assert.Zero(t, v)
				}))
			}
		}
	})
}

func TestRecvTimeoutJustInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, capacity := range []int{0, 1} {
			for _, d := range []time.Duration{2, time.Second, maxDuration} {
				ch, after := make(chan int, capacity), min(d-1, 1000*time.Hour)
				at(after, func() { ch <- 7 })
				assert.Equal(t, after, took(func() {
					v, err := chanx.RecvTimeout(ch, d)
					assert.NoError(t, err)
					assert.Equal(t, 7, v)
				}))
			}
		}
	})
}

func TestRecvTimeoutJustTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 1)
		at(time.Second+1, func() { ch <- 7 })
		_, err := chanx.RecvTimeout(ch, time.Second)
		assert.Equal(t, chanx.ErrTimeout, err)
		assert.Equal(t, 7, <-ch, "not lost")
	})
}

func TestRecvTimeoutClosedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int)
		at(time.Second, func() { close(ch) })
		assert.Equal(t, time.Second, took(func() {
			v, err := chanx.RecvTimeout(ch, time.Hour)
			assert.Equal(t, chanx.ErrClosed, err)
			assert.Zero(t, v)
		}))
	})
}

// A value and the timer at the same instant. Fake time fires both in random
// order, so about half the rounds have the value there before the waiting
// goroutine gets the processor; then it must take the value. One round in a
// million may be preempted between its last look and order.Add, hence the
// allowance; without the last look a quarter of the rounds fail.
func TestReadyBeatsTimer(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector runs goroutines in random order")
	}
	oneProc(t)
	synctest.Test(t, func(t *testing.T) {
		const d = time.Second
		ch, full := make(chan int, 1), filled(1, 1)
		ring := chanx.NewRing[int](1)
		beatsTimer(t, "RecvTimeout",
			func() error { _, err := chanx.RecvTimeout(ch, d); return err },
			func() { chanx.TrySend(ch, 7) },
			func() { chanx.TryRecv(ch) }, d)
		beatsTimer(t, "SendTimeout",
			func() error { return chanx.SendTimeout(full, 7, d) },
			func() { chanx.TryRecv(full) },
			func() { chanx.TrySend(full, 7) }, d)
		beatsTimer(t, "Ring.RecvTimeout",
			func() error { _, err := ring.RecvTimeout(d); return err },
			func() { ring.TrySend(7) },
			func() { ring.TryRecv() }, d)
	})
}

// beatsTimer runs wait, which times out after d, against ready at d.
func beatsTimer(
	t *testing.T, name string,
	wait func() error, ready, undo func(), d time.Duration,
) {
	const n = 1000
	late, missed := 0, 0
	for range n {
		var order, readyAt int32
		at(d, func() {
			ready()
			order++
			readyAt = order
		})
		err := wait()
		order++
		doneAt := order
		synctest.Wait()
		undo()
		switch {
		case err == nil:
		case readyAt != 0 && readyAt < doneAt:
			missed++
		default:
			late++
		}
	}
	t.Logf("%s: came too late in %d of %d rounds", name, late, n)
	assert.Less(t, missed, n/50, name)
}

func TestContextAlreadyDone(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the cause"))
	past, cancel2 := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel2()
	for _, tt := range []struct {
		ctx  context.Context
		want error
	}{{ctx, context.Canceled}, {past, context.DeadlineExceeded}} {
		for _, ch := range []chan int{nil, filled(2, 1), closedWith(1, 1)} {
			before := len(ch)
			assert.Equal(t, tt.want, chanx.SendContext(tt.ctx, ch, 9))
			v, err := chanx.RecvContext(tt.ctx, ch)
			assert.Equal(t, tt.want, err)
			assert.Zero(t, v)
			assert.Equal(t, before, len(ch), "nothing done")
		}
	}
}

func TestContextReady(t *testing.T) {
	for _, ctx := range []context.Context{t.Context(), context.Background()} {
		ch := make(chan int, 1)
		assert.NoError(t, chanx.SendContext(ctx, ch, 7))
		v, err := chanx.RecvContext(ctx, ch)
		assert.NoError(t, err)
		assert.Equal(t, 7, v)
		_, err = chanx.RecvContext(ctx, closedWith(1))
		assert.Equal(t, chanx.ErrClosed, err)
		v, err = chanx.RecvContext(ctx, closedWith(1, 7))
		assert.NoError(t, err)
		assert.Equal(t, 7, v)
		assert.PanicsWithError(t, "send on closed channel", func() {
			chanx.SendContext(ctx, closedWith(1), 7)
		})
	}
}

func TestContextNil(t *testing.T) {
	var none context.Context
	ch := filled(2, 1)
	assert.PanicsWithValue(t, "chanx: nil context", func() {
		chanx.SendContext(none, ch, 9)
	})
	assert.PanicsWithValue(t, "chanx: nil context", func() {
		chanx.RecvContext(none, ch)
	})
	assert.Equal(t, []int{1}, contents(ch), "at the door")
}

func TestContextEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ch := range []chan int{nil, make(chan int), make(chan int, 1)} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			assert.Equal(t, time.Second, took(func() {
				v, err := chanx.RecvContext(ctx, ch)
				assert.Equal(t, context.DeadlineExceeded, err)
				assert.Zero(t, v)
			}))
			cancel()
			if cap(ch) > 0 {
				ch <- 1
			}
			ctx, cancel = context.WithCancel(t.Context())
			at(time.Second, cancel)
			assert.Equal(t, time.Second, took(func() {
				assert.Equal(t, context.Canceled, chanx.SendContext(ctx, ch, 9))
			}))
			assert.Equal(t, cap(ch), len(ch), "still the caller's")
		}
	})
}

// With and without a context that can be cancelled at all; the last of the
// four hand-offs is one nanosecond before the deadline.
func TestContextJustInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited, cancel := context.WithTimeout(t.Context(), 4*time.Second+1)
		defer cancel()
		for _, ctx := range []context.Context{context.Background(), limited} {
			ch := make(chan int)
			at(time.Second, func() { ch <- 7 })
			assert.Equal(t, time.Second, took(func() {
				v, err := chanx.RecvContext(ctx, ch)
				assert.NoError(t, err)
				assert.Equal(t, 7, v)
			}))
			at(time.Second, func() { <-ch })
			assert.Equal(t, time.Second, took(func() {
				assert.NoError(t, chanx.SendContext(ctx, ch, 9))
			}))
		}
	})
}

func TestContextClosedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch, full := make(chan int), filled(1, 1)
		at(time.Second, func() { close(ch) })
		v, err := chanx.RecvContext(t.Context(), ch)
		assert.Equal(t, chanx.ErrClosed, err)
		assert.Zero(t, v)
		if race.Enabled {
			return // closing while others send is a race, here on purpose
		}
		at(time.Second, func() { close(full) })
		assert.PanicsWithError(t, "send on closed channel", func() {
			chanx.SendContext(t.Context(), full, 9)
		})
	})
}

// A value is either delivered or still the caller's, while both sides give up
// all the time at moments that have nothing to do with each other.
func TestTimeoutConserves(t *testing.T) {
	manyProcs(t)
	for _, capacity := range []int{0, 1} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			const senders = 4
			tally := newTally(senders, rounds(25_000))
			ch := make(chan int, capacity)
			var delivered atomic.Int64
			var send, recv sync.WaitGroup
			for s := range senders {
				send.Go(func() {
					for v := range tally.values(s) {
						var err error
						if v%3 == 0 {
							ctx, cancel := context.WithCancel(t.Context())
							go cancel()
							err = chanx.SendContext(ctx, ch, v)
						} else {
							err = chanx.SendTimeout(ch, v, time.Duration(v%8)*500)
						}
						if err == nil {
							delivered.Add(1)
						}
					}
				})
			}
			for r := range 3 {
				recv.Go(func() {
					seen := tally.receiver(t)
					for err := error(nil); err != chanx.ErrClosed; {
						var v int
						if r == 0 {
							ctx, cancel := context.WithCancel(t.Context())
							go cancel()
							v, err = chanx.RecvContext(ctx, ch)
						} else {
							v, err = chanx.RecvTimeout(ch, 700)
						}
						if err == nil {
							seen(v)
						}
					}
				})
			}
			send.Wait()
			close(ch)
			recv.Wait()
			assert.Equal(t, delivered.Load(), tally.received.Load())
			assert.NotZero(t, delivered.Load())
		})
	}
}

func TestTimeoutReadyAllocatesNothing(t *testing.T) {
	ch, full, closed := make(chan int, 1), filled(1, 1), closedWith(0)
	ctx := t.Context()
	noAllocs(t, "SendTimeout, RecvTimeout", func() {
		chanx.SendTimeout(ch, 1, time.Hour)
		chanx.RecvTimeout(ch, time.Hour)
	})
	noAllocs(t, "SendContext, RecvContext", func() {
		chanx.SendContext(ctx, ch, 1)
		chanx.RecvContext(ctx, ch)
	})
	noAllocs(t, "tries once", func() {
		chanx.SendTimeout(full, 1, 0)
		chanx.RecvTimeout(ch, 0)
	})
	noAllocs(t, "closed", func() {
		chanx.RecvTimeout(closed, time.Hour)
		chanx.RecvContext(ctx, closed)
	})
}

// After one yield the other side has had its turn, and no timer is made. With
// one processor the two take turns for certain.
func TestTimeoutYieldsBeforeItMakesATimer(t *testing.T) {
	ping, pong, done := make(chan int), make(chan int), make(chan bool)
	go func() {
		defer close(done)
		for v := range ping {
			pong <- v
		}
	}()
	noAllocs(t, "hand-off", func() {
		chanx.SendTimeout(ping, 1, time.Hour)
		chanx.RecvTimeout(pong, time.Hour)
	})
	close(ping)
	<-done
}

// Waiting with a timeout costs no more than the timer it needs.
func TestTimeoutWaitingAllocatesOneTimer(t *testing.T) {
	if race.Enabled {
		t.Skip("allocations differ")
	}
	timer := testing.AllocsPerRun(100, func() {
		time.NewTimer(time.Hour).Stop()
	})
	full, ring := filled(1, 1), chanx.NewRing[int](1)
	for name, f := range map[string]func(){
		"SendTimeout":      func() { chanx.SendTimeout(full, 1, 1000) },
		"RecvTimeout":      func() { chanx.RecvTimeout[int](nil, 1000) },
		"Ring.RecvTimeout": func() { ring.RecvTimeout(1000) },
	} {
		n := testing.AllocsPerRun(100, f)
		assert.LessOrEqual(t, n, timer, name)
		t.Logf("%s: %v allocations, a timer: %v", name, n, timer)
	}
}

// Waiting with a context allocates nothing, the context's own channel aside.
func TestContextWaitingAllocatesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ping, pong, done := make(chan int), make(chan int), make(chan bool)
	go func() {
		defer close(done)
		for v := range ping {
			runtime.Gosched() // so that the other side is parked for certain
			pong <- v
		}
	}()
	noAllocs(t, "hand-off", func() {
		chanx.SendContext(ctx, ping, 1)
		chanx.RecvContext(ctx, pong)
	})
	close(ping)
	<-done
}

// A Timeouts behaves like the functions, call after call: ready, too late, just
// in time, closed, once, and on a nil channel.
func TestTimeoutsAsTheFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w chanx.Timeouts[int]
		for range 3 {
			for _, d := range anyDuration {
				ch := make(chan int, 1)
				assert.NoError(t, w.Send(ch, 7, d))
				v, err := w.Recv(ch, d)
				assert.NoError(t, err)
				assert.Equal(t, 7, v)
			}
			for _, ch := range []chan int{nil, make(chan int), filled(1, 1)} {
				assert.Equal(t, time.Second, took(func() {
					assert.Equal(t, chanx.ErrTimeout, w.Send(ch, 9, time.Second))
				}))
				assert.Zero(t, took(func() {
					assert.Equal(t, chanx.ErrTimeout, w.Send(ch, 9, 0))
				}))
			}
			for _, ch := range []chan int{nil, make(chan int)} {
				assert.Equal(t, time.Second, took(func() {
					v, err := w.Recv(ch, time.Second)
					assert.Equal(t, chanx.ErrTimeout, err)
					assert.Zero(t, v)
				}))
				_, err := w.Recv(ch, -1)
				assert.Equal(t, chanx.ErrTimeout, err)
			}
			ch := make(chan int)
			at(time.Second-1, func() { ch <- 7 })
			v, err := w.Recv(ch, time.Second)
			assert.NoError(t, err)
			assert.Equal(t, 7, v)
			at(time.Second-1, func() { <-ch })
			assert.NoError(t, w.Send(ch, 9, time.Second))
			at(time.Second, func() { close(ch) })
			_, err = w.Recv(ch, time.Minute)
			assert.Equal(t, chanx.ErrClosed, err)
			assert.PanicsWithError(t, "send on closed channel", func() {
				w.Send(ch, 9, time.Second)
			})
		}
	})
}

// A ready channel beats a timer that has fired, on a timer used before.
func TestTimeoutsReadyBeatsTimer(t *testing.T) {
	for range rounds(200) {
		synctest.Test(t, func(t *testing.T) {
			var w chanx.Timeouts[int]
			_, err := w.Recv(make(chan int), time.Second)
			assert.Equal(t, chanx.ErrTimeout, err)
			ch := make(chan int, 1)
			time.AfterFunc(time.Second, func() { ch <- 7 })
			v, err := w.Recv(ch, time.Second)
			if err == nil { // the value was in the channel when it looked
				assert.Equal(t, 7, v)
				return
			}
			time.Sleep(time.Nanosecond)
			assert.Len(t, ch, 1, "still in the channel")
		})
	}
}

// Only the first call that waits makes a timer.
func TestTimeoutsAllocateOneTimer(t *testing.T) {
	ch, back := make(chan int), make(chan int)
	go func() {
		for v := range ch {
			runtime.Gosched() // so that the other side is parked for certain
			back <- v
		}
		close(back)
	}()
	var send, recv chanx.Timeouts[int]
	noAllocs(t, "Send, Recv", func() {
		assert.NoError(t, send.Send(ch, 1, time.Hour))
		_, err := recv.Recv(back, time.Hour)
		assert.NoError(t, err)
	})
	close(ch)
	<-back
}

// brokenContext is done and has no error.
func brokenContext(t *testing.T) context.Context {
	done := make(chan struct{})
	close(done)
	return contextWithoutError{t.Context(), done}
}

type contextWithoutError struct {
	context.Context
	done chan struct{}
}

func (c contextWithoutError) Done() <-chan struct{} { return c.done }
func (contextWithoutError) Err() error              { return nil }

func TestContextWithoutError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := brokenContext(t)
		for _, ch := range []chan int{nil, make(chan int)} {
			assert.Equal(t, context.Canceled, chanx.SendContext(ctx, ch, 9))
			_, err := chanx.RecvContext(ctx, ch)
			assert.Equal(t, context.Canceled, err)
			assert.Empty(t, slices.Collect(chanx.All(ctx, ch)))
		}
	})
}

func TestAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		assert.Equal(t, []int{1, 2}, slices.Collect(chanx.All(ctx, closedWith(3, 1, 2))))
		ch := filled(3, 1, 2, 3)
		for v := range chanx.All(ctx, ch) {
			assert.Equal(t, 1, v)
			break
		}
		assert.Len(t, ch, 2, "break leaves the rest")
		at(time.Second, cancel)
		assert.Equal(t, time.Second, took(func() {
			assert.Equal(t, []int{2, 3}, slices.Collect(chanx.All(ctx, ch)))
		}))
		ch <- 4
		assert.Empty(t, slices.Collect(chanx.All(ctx, ch)), "ctx done first")
		assert.Len(t, ch, 1)
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Empty(t, slices.Collect(chanx.All[int](ctx, nil)))
		assert.Equal(t, context.DeadlineExceeded, ctx.Err())
	})
	var none context.Context
	assert.PanicsWithValue(t, "chanx: nil context", func() {
		chanx.All(none, filled(1, 1))(func(int) bool { return true })
	})
}

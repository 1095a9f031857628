package chanx_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// failures supervises, with that hook, a worker that fails at once, n times,
// a second apart, and 50 s later returns ErrStop. It returns the time at
// which each run began, and how long Supervise took.
func failures(t *testing.T, n int, hook func(chanx.Event)) (starts []time.Duration, took time.Duration) {
	opened := time.Now()
	policy := every(time.Second)
	policy.OnEvent = hook
	err := chanx.Supervise(t.Context(), func(context.Context) error {
		starts = append(starts, time.Since(opened))
		if len(starts) > n {
			time.Sleep(50 * time.Second)
			return chanx.ErrStop
		}
		return errBoom
	}, policy)
	assert.NoError(t, err)
	return starts, time.Since(opened)
}

// eventsOf is how many events failures makes.
func eventsOf(n int) int { return 2*n + 2 }

// onTime is what starts must be, whatever the hook does.
func onTime(t *testing.T, starts []time.Duration, n int) {
	require.Len(t, starts, n+1)
	for i, at := range starts {
		assert.Equal(t, time.Duration(i)*time.Second, at, "run %d", i)
	}
}

func TestHookSeesEverythingInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []chanx.Event
		starts, took := failures(t, 500, func(e chanx.Event) {
			events = append(events, e)
		})
		onTime(t, starts, 500)
		assert.Equal(t, 550*time.Second, took)
		// Supervise has returned: nothing may come later.
		require.Len(t, events, eventsOf(500))
		assert.Equal(t, chanx.EventStart, events[0].Kind)
		events = events[1:]
		for i, e := range events {
			want := chanx.EventExit
			if i%2 == 1 {
				want = chanx.EventRestart
			}
			assert.Equal(t, want, e.Kind)
			assert.Equal(t, i/2, e.Exit.Restarts)
			assert.Zero(t, e.Missed)
			assert.Empty(t, e.Worker)
		}
	})
}

// TestBlockedHook: it delays no run; 64 events wait, later ones are dropped, and
// the first event after that has their number.
func TestBlockedHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []chanx.Event
		opened, gate := time.Now(), make(chan struct{})
		time.AfterFunc(100*time.Second+time.Millisecond, func() { close(gate) })
		starts, took := failures(t, 200, func(e chanx.Event) {
			<-gate
			events = append(events, e)
		})
		onTime(t, starts, 200)
		assert.Equal(t, 250*time.Second, took)

		// Until the gate opens there are a start, 101 exits and 100 restarts.
		require.Len(t, events, eventsOf(200)-(202-1-64))
		for i, e := range events {
			want := uint64(0)
			if i == 1+64 {
				want = 202 - 1 - 64
				assert.Equal(t, 101*time.Second, e.At.Sub(opened))
			}
			assert.Equal(t, want, e.Missed, "event %d", i)
		}
	})
}

// A hook that was blocked through all failures gets the last exit and giving up,
// with the number of events that it missed.
func TestBlockedHookSeesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []chanx.Event
		gate := make(chan struct{})
		// No time passes until Supervise waits for its hook.
		time.AfterFunc(time.Millisecond, func() { close(gate) })
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			return assert.AnError
		}, chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 500,
			OnEvent: func(e chanx.Event) {
				<-gate
				events = append(events, e)
			}})
		require.ErrorAs(t, err, new(*chanx.RestartLimitError))
		require.GreaterOrEqual(t, len(events), 2)
		last := events[len(events)-2:]
		assert.Equal(t, chanx.EventExit, last[0].Kind)
		assert.True(t, last[0].Exit.Final)
		assert.Equal(t, chanx.EventGiveUp, last[1].Kind)
		total := uint64(len(events))
		for _, e := range events {
			total += e.Missed
		}
		assert.EqualValues(t, 1+501+500+1, total,
			"a start, exits, restarts, giving up")
	})
}

// TestHookBlockedForEver holds up the end of Supervise for a second, and gets
// nothing more when it is let go after all.
func TestHookBlockedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var calls atomic.Int64
		starts, took := failures(t, 100, func(chanx.Event) {
			calls.Add(1)
			<-gate
		})
		onTime(t, starts, 100)
		assert.Equal(t, 151*time.Second, took)
		time.Sleep(time.Hour)
		close(gate)
		synctest.Wait()
		assert.EqualValues(t, 1, calls.Load())
	})
}

// TestHookGrace: the end waits for the hook, but not a nanosecond longer than
// a second.
func TestHookGrace(t *testing.T) {
	for _, tt := range []struct {
		slow, took time.Duration
		seen       int32
	}{
		{200*time.Millisecond - 1, time.Second - 5, 5},
		{200*time.Millisecond + 1, time.Second, 4},
		{time.Hour, time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var seen atomic.Int32
			policy := every(-1)
			policy.MaxRestarts = 1 // start, exit, restart, exit, giving up
			policy.OnEvent = func(chanx.Event) {
				time.Sleep(tt.slow)
				seen.Add(1)
			}
			opened := time.Now()
			assert.Error(t, chanx.Supervise(t.Context(), nothing, policy))
			assert.Equal(t, tt.took, time.Since(opened))
			assert.Equal(t, tt.seen, seen.Load())
			time.Sleep(2 * time.Hour)
		})
	}
}

// TestSlowHook sees everything as long as 64 events are room enough.
func TestSlowHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		starts, took := failures(t, 60, func(e chanx.Event) {
			time.Sleep(900 * time.Millisecond) // two events come each second
			j.note(e)
		})
		onTime(t, starts, 60)
		assert.Len(t, j.all(), eventsOf(60)-1, "and the first start")
		assert.Equal(t, 110*time.Second+900*time.Millisecond, took)
	})
}

// TestHookThatFails by a panic or by Goexit, now and then or always, is called
// again for the next event. Events handled and missed add up to all.
func TestHookThatFails(t *testing.T) {
	for name, out := range map[string]func(){
		"panic":      func() { panic("the hook's own") },
		"nil":        func() { explode(nil) },
		"nil of old": func() { explode(nil) },
		"goexit":     runtime.Goexit,
	} {
		for _, nth := range []int{1, 2, 3, 7} {
			t.Run(name, func(t *testing.T) {
				if name == "nil of old" { // which recover does not tell
					t.Setenv("GODEBUG", "panicnil=1")
				}
				synctest.Test(t, func(t *testing.T) {
					calls, delivered, missed := 0, 0, uint64(0)
					starts, _ := failures(t, 100, func(e chanx.Event) {
						if calls++; calls%nth == 0 && calls < eventsOf(100) {
							out()
						}
						delivered++
						missed += e.Missed
					})
					onTime(t, starts, 100)
					assert.Equal(t, eventsOf(100), calls)
					assert.EqualValues(t, eventsOf(100), delivered+int(missed))
				})
			})
		}
	}
}

// TestMissedIsTold by the very next event, also if that waited already.
func TestMissedIsTold(t *testing.T) {
	for name, out := range map[string]func(){
		"panic": func() { panic("the hook's own") }, "goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var events []chanx.Event
				calls := 0
				failures(t, 10, func(e chanx.Event) {
					if calls++; calls == 1 {
						time.Sleep(5 * time.Second) // others come meanwhile
					}
					if calls <= 2 {
						out()
					}
					events = append(events, e)
				})
				require.Len(t, events, eventsOf(10)-2)
				for i, e := range events {
					// The second event tells of the first, and no hook took that.
					want := uint64(0)
					if i == 0 {
						want = 2
					}
					assert.Equal(t, want, e.Missed, "event %d", i)
				}
			})
		})
	}
}

// TestMissedIsExact with a hook that is slow at random and a worker that is
// restarted as fast as it can be, on more threads than cores.
func TestMissedIsExact(t *testing.T) {
	manyProcs(t)
	n := rounds(100_000)
	var delivered, missed uint64
	var calling atomic.Int32
	policy := every(-1)
	policy.OnEvent = func(e chanx.Event) {
		if calling.Add(1) != 1 {
			t.Error("two events at a time")
		}
		delivered++
		missed += e.Missed
		for range delivered % 512 {
			runtime.Gosched()
		}
		calling.Add(-1)
	}
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			if runs++; runs > n {
				time.Sleep(time.Hour) // the hook catches up
				return chanx.ErrStop
			}
			return errBoom
		}, policy)
		require.NoError(t, err)
	})
	assert.EqualValues(t, eventsOf(n), delivered+missed)
	assert.NotZero(t, missed, "the hook was never too slow: nothing was tested")
}

// TestHookMayDoAnything: no lock is held, so it may beat for the worker, end
// it, and supervise something itself.
func TestHookMayDoAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var run atomic.Value
		inner := 0
		policy := every(time.Second)
		policy.Heartbeat = time.Second
		policy.OnEvent = func(e chanx.Event) {
			switch e.Kind {
			case chanx.EventStall:
				chanx.Beat(run.Load().(context.Context))
			case chanx.EventRecover:
				err := chanx.Supervise(ctx, func(ctx context.Context) error {
					chanx.Beat(ctx)
					inner++
					return chanx.ErrStop
				}, policy)
				assert.NoError(t, err)
				cancel()
			}
		}
		err := chanx.Supervise(ctx, func(ctx context.Context) error {
			run.Store(ctx)
			<-ctx.Done()
			return nil
		}, policy)
		assert.Equal(t, context.Canceled, err)
		assert.Equal(t, 1, inner)
	})
}

// TestIdleHookCostsNoGoroutine: 100 supervised workers, with hooks that have
// been called, are 200 goroutines.
func TestIdleHookCostsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		before := runtime.NumGoroutine()
		var seen atomic.Int64
		for range 100 {
			first := true
			policy := every(-1)
			policy.OnEvent = func(chanx.Event) { seen.Add(1) }
			go func() {
				_ = chanx.Supervise(ctx, func(ctx context.Context) error {
					if first {
						first = false
						return errBoom
					}
					<-ctx.Done()
					return nil
				}, policy)
			}()
		}
		synctest.Wait()
		assert.EqualValues(t, 300, seen.Load())
		// One more for each hook would be 300; some may be about to end.
		assert.Less(t, runtime.NumGoroutine()-before, 250)
		cancel()
	})
}

func TestEventKindString(t *testing.T) {
	for kind, want := range map[chanx.EventKind]string{
		chanx.EventStart:   "start",
		chanx.EventExit:    "exit",
		chanx.EventRestart: "restart",
		chanx.EventStall:   "stall",
		chanx.EventRecover: "recover",
		chanx.EventGiveUp:  "give up",
		6:                  "EventKind(6)",
		-1:                 "EventKind(-1)",
	} {
		assert.Equal(t, want, kind.String())
		text, err := kind.MarshalText()
		assert.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
}

// TestEventInALog: the record has the error, and its stack once.
func TestEventInALog(t *testing.T) {
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	e := chanx.Event{
		Kind: chanx.EventExit, Worker: "a", At: at, Missed: 2,
		Exit: chanx.Exit{Started: at, Ran: time.Second, Restarts: 3,
			Err: &chanx.PanicError{Value: "boom", Stack: []byte("the stack")}},
	}
	const want = `{"kind":"exit","worker":"a","at":"2000-01-01T00:00:00Z",
		"missed":2,"exit":{"error":"panic: boom","stack":"the stack",
		"started":"2000-01-01T00:00:00Z","restarts":3,"final":false,`
	assert.JSONEq(t, `{"level":"INFO","msg":"event","event":`+
		want+`"ran":1000000000,"backoff":0}}}`, logged("event", e))
	text, err := json.Marshal(e)
	require.NoError(t, err)
	assert.JSONEq(t, want+`"ran":"1s","backoff":"0s"}}`, string(text))
}

// logged returns what slog makes of a value, without the time.
func logged(key string, value any) string {
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})).Info("event", key, value)
	return b.String()
}

// Goexit wins over the panic of a deferred function, recovered or not: the
// hook's goroutine ends, and another takes over.
func TestHookThatCallsGoexitAndPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		_, took := failures(t, 10, func(chanx.Event) {
			calls++
			defer explode("deferred")
			runtime.Goexit()
		})
		assert.GreaterOrEqual(t, calls, 21)
		assert.Equal(t, 60*time.Second, took)
	})
}

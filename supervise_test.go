package chanx_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
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

var restarts = flag.Int("restarts", 100_000,
	"how often a worker is restarted in the test that nothing stays behind")

var errBoom = errors.New("boom")

// journal is an orderly hook. Its lines tell all an event says but its stack,
// with times since the journal was opened. It leaves out the first start, which
// TestStartIsTold is about.
type journal struct {
	opened time.Time

	mu     sync.Mutex
	events []chanx.Event
}

func newJournal() *journal { return &journal{opened: time.Now()} }

func (j *journal) note(e chanx.Event) {
	if e.Kind == chanx.EventStart {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

func (j *journal) all() []chanx.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.events
}

func (j *journal) lines() []string {
	var lines []string
	for _, e := range j.all() {
		x := e.Exit
		line := fmt.Sprintf("%v %v: %s, from %v for %v, after %d, wait %v",
			e.At.Sub(j.opened), e.Kind, short(x.Err),
			x.Started.Sub(j.opened), x.Ran, x.Restarts, x.Backoff)
		if x.Final {
			line += ", final"
		}
		if e.Missed > 0 {
			line += fmt.Sprintf(", missed %d", e.Missed)
		}
		lines = append(lines, line)
	}
	return lines
}

// kinds counts the events of each kind.
func (j *journal) kinds() map[chanx.EventKind]int {
	n := map[chanx.EventKind]int{}
	for _, e := range j.all() {
		n[e.Kind]++
	}
	return n
}

// short leaves the stack out of a panic.
func short(err error) string {
	if p, ok := err.(*chanx.PanicError); ok {
		return fmt.Sprintf("panic(%v)", p.Value)
	}
	return fmt.Sprint(err)
}

// every is a policy that waits for exactly d before each restart, and not at
// all if d is negative.
func every(d time.Duration) chanx.RestartPolicy {
	return chanx.RestartPolicy{MinBackoff: d, MaxBackoff: max(d, 0)}
}

// script is a worker whose n-th run does the n-th thing. Each run takes a
// second; after the last thing it returns ErrStop.
type script struct {
	runs   int
	things []func() error
}

func (s *script) run(context.Context) error {
	time.Sleep(time.Second)
	s.runs++
	if s.runs > len(s.things) {
		return chanx.ErrStop
	}
	return s.things[s.runs-1]()
}

// The ways out of a worker.
var (
	byError  = func() error { return errBoom }
	byPanic  = func() error { panic(errBoom) }
	byNil    = func() error { return nil }
	byGoexit = func() error { runtime.Goexit(); return nil }
)

// TestMatrix has a row for each way out and a column for each mode, and holds
// the answer against every observable: runs, result, events.
func TestMatrix(t *testing.T) {
	outs := []struct {
		name string
		out  func() error
		err  string
	}{
		{"error", byError, "boom"},
		{"panic", byPanic, "panic(boom)"},
		{"nil", byNil, "<nil>"},
		{"goexit", byGoexit, chanx.ErrGoexit.Error()},
	}
	modes := []chanx.RestartMode{
		chanx.RestartAlways, chanx.RestartOnFailure, chanx.RestartNever,
	}
	for _, o := range outs {
		for _, mode := range modes {
			t.Run(o.name+" "+mode.String(), func(t *testing.T) {
				restarted := mode == chanx.RestartAlways ||
					mode == chanx.RestartOnFailure && o.name != "nil"
				matrixCell(t, o.out, o.err, mode, restarted)
			})
		}
	}
}

func matrixCell(t *testing.T, out func() error, said string, mode chanx.RestartMode, restarted bool) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		policy := every(10 * time.Second)
		policy.Restart, policy.OnEvent = mode, j.note
		s := script{things: []func() error{out, out}}
		err := chanx.Supervise(t.Context(), s.run, policy)
		if !restarted {
			assert.Equal(t, said, short(err))
			assert.Equal(t, 1, s.runs)
			assert.Equal(t, []string{
				"1s exit: " + said + ", from 0s for 1s, after 0, wait 0s, final",
			}, j.lines())
			return
		}
		assert.NoError(t, err)
		assert.Equal(t, 3, s.runs)
		assert.Equal(t, []string{
			"1s exit: " + said + ", from 0s for 1s, after 0, wait 10s",
			"11s restart: " + said + ", from 0s for 1s, after 0, wait 10s",
			"12s exit: " + said + ", from 11s for 1s, after 1, wait 10s",
			"22s restart: " + said + ", from 11s for 1s, after 1, wait 10s",
			"23s exit: " + chanx.ErrStop.Error() +
				", from 22s for 1s, after 2, wait 0s, final",
		}, j.lines())
	})
}

// TestErrStop ends the worker for good in every mode, bare or wrapped.
func TestErrStop(t *testing.T) {
	for _, mode := range []chanx.RestartMode{
		chanx.RestartAlways, chanx.RestartOnFailure, chanx.RestartNever,
	} {
		for _, stop := range []error{
			chanx.ErrStop,
			fmt.Errorf("no more work: %w", chanx.ErrStop),
			errors.Join(nil, chanx.ErrStop),
		} {
			synctest.Test(t, func(t *testing.T) {
				j, runs := newJournal(), 0
				err := chanx.Supervise(t.Context(), func(context.Context) error {
					runs++
					return stop
				}, chanx.RestartPolicy{Restart: mode, OnEvent: j.note})
				assert.NoError(t, err)
				assert.Equal(t, 1, runs)
				require.Len(t, j.all(), 1)
				assert.Equal(t, stop, j.all()[0].Exit.Err)
				assert.True(t, j.all()[0].Exit.Final)
			})
		}
	}
}

// TestErrStopPanicked: who panics has not decided to end.
func TestErrStopPanicked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{things: []func() error{func() error { panic(chanx.ErrStop) }}}
		require.NoError(t, chanx.Supervise(t.Context(), s.run, chanx.RestartPolicy{}))
		assert.Equal(t, 2, s.runs)
	})
}

// brokenError is an error as they come from forgetting that a nil pointer in an
// interface is not nil: to look into it panics.
type brokenError struct{ cause error }

func (e *brokenError) Error() string { return "broken" }
func (e *brokenError) Unwrap() error { return e.cause }

// TestBrokenError: if the error of a worker panics when it is inspected, that is
// a panic of the worker, and of no other goroutine.
func TestBrokenError(t *testing.T) {
	for name, worker := range map[string]func(context.Context) error{
		"returned": func(context.Context) error { return (*brokenError)(nil) },
		"panicked": func(context.Context) error { panic((*brokenError)(nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			policy := chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 2}
			err := chanx.Supervise(t.Context(), worker, policy)
			require.IsType(t, &chanx.RestartLimitError{}, err)
			last := err.(*chanx.RestartLimitError).Last
			require.IsType(t, &chanx.PanicError{}, last)
			assert.Contains(t, string(last.(*chanx.PanicError).Stack), "chanx_test")

			s := chanx.NewSupervisor(chanx.SupervisorOptions{})
			require.NoError(t, s.Add("a", worker, policy))
			require.IsType(t, err, s.Run(t.Context()))
			require.Len(t, s.Status()[0].Exits, 3)
			assert.IsType(t, last, s.Status()[0].Exits[2].Err)
		})
	}
}

// stubbornError panics only when its tree is searched, as a set does with the
// error of a worker it has stopped.
type stubbornError struct{}

func (stubbornError) Error() string { return "stubborn" }
func (stubbornError) As(any) bool   { panic("As") }

func TestStoppedWithAStubbornError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, s.Add("a", func(ctx context.Context) error {
			<-ctx.Done()
			return stubbornError{}
		}, chanx.RestartPolicy{}))
		time.AfterFunc(time.Second, cancel)
		assert.Equal(t, context.Canceled, s.Run(ctx))
		require.Len(t, s.Status()[0].Exits, 1)
		assert.Equal(t, stubbornError{}, s.Status()[0].Exits[0].Err)
	})
}

// TestForeignContextErrors: shutdown is read from the ctx that was handed in.
func TestForeignContextErrors(t *testing.T) {
	for _, foreign := range []error{context.Canceled, context.DeadlineExceeded} {
		synctest.Test(t, func(t *testing.T) {
			fail := func() error { return foreign }
			s := script{things: []func() error{fail, fail, fail}}
			require.NoError(t, chanx.Supervise(t.Context(), s.run,
				chanx.RestartPolicy{Restart: chanx.RestartOnFailure}))
			assert.Equal(t, 4, s.runs)

			s = script{things: []func() error{fail}}
			assert.Equal(t, foreign, chanx.Supervise(t.Context(), s.run,
				chanx.RestartPolicy{Restart: chanx.RestartNever}))
		})
	}
}

func TestNilArgumentsPanic(t *testing.T) {
	started := false
	worker := func(context.Context) error { started = true; return chanx.ErrStop }
	var none context.Context
	assert.PanicsWithValue(t, "chanx: nil worker", func() {
		_ = chanx.Supervise(t.Context(), nil, chanx.RestartPolicy{})
	})
	assert.PanicsWithValue(t, "chanx: nil context", func() {
		_ = chanx.Supervise(none, worker, chanx.RestartPolicy{})
	})
	assert.PanicsWithValue(t, "chanx: nil context", func() { chanx.Beat(none) })
	assert.False(t, started)
}

func TestCancelledBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBoom)
		j := newJournal()
		err := chanx.Supervise(ctx, func(context.Context) error {
			t.Error("the worker was started")
			return nil
		}, chanx.RestartPolicy{OnEvent: j.note})
		assert.Equal(t, context.Canceled, err) // bare, and not the cause
		assert.Empty(t, j.all())

		late, cancelLate := context.WithDeadline(t.Context(), time.Now())
		defer cancelLate()
		assert.Equal(t, context.DeadlineExceeded,
			chanx.Supervise(late, nothing, chanx.RestartPolicy{}))
	})
}

func nothing(context.Context) error { return nil }

// TestCancelledDuringRun: whatever the worker makes of it, ctx has ended it,
// and no restart follows.
func TestCancelledDuringRun(t *testing.T) {
	for name, out := range map[string]func() error{
		"error": byError, "panic": byPanic, "nil": byNil, "goexit": byGoexit,
		"stop": func() error { return chanx.ErrStop },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				j, opened := newJournal(), time.Now()
				err := chanx.Supervise(ctx, func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(time.Hour) // Supervise waits as long as it takes
					return out()
				}, chanx.RestartPolicy{OnEvent: j.note})
				assert.Equal(t, context.DeadlineExceeded, err)
				assert.Equal(t, time.Hour+5*time.Second, time.Since(opened))
				require.Len(t, j.all(), 1)
				assert.Equal(t, chanx.EventExit, j.all()[0].Kind)
				assert.True(t, j.all()[0].Exit.Final)
			})
		})
	}
}

func TestCancelledDuringBackoff(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		runs  []int
	}{
		{10*time.Second - 1, []int{1}},
		{10 * time.Second, []int{1, 2}}, // whichever timer fires first
		{10*time.Second + 1, []int{2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.after)
			defer cancel()
			opened, runs := time.Now(), 0
			err := chanx.Supervise(ctx, func(ctx context.Context) error {
				if runs++; runs > 1 {
					<-ctx.Done()
				}
				return errBoom
			}, every(10*time.Second))
			assert.Equal(t, context.DeadlineExceeded, err)
			assert.Equal(t, tt.after, time.Since(opened))
			assert.Contains(t, tt.runs, runs)
		})
	}
}

// TestCancelledAtTheExit: a ctx that is done when the worker exits has ended
// it, also when the worker did that.
func TestCancelledAtTheExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		j, runs := newJournal(), 0
		policy := every(-1)
		policy.OnEvent = j.note
		err := chanx.Supervise(ctx, func(context.Context) error {
			if runs++; runs == 3 {
				cancel()
			}
			return errBoom
		}, policy)
		assert.Equal(t, context.Canceled, err)
		assert.Equal(t, 3, runs)
		assert.Equal(t, map[chanx.EventKind]int{
			chanx.EventExit: 3, chanx.EventRestart: 2,
		}, j.kinds())
		assert.True(t, j.all()[4].Exit.Final)
	})
}

// TestRunContext: each run has a separate context, derived from the caller's
// and cancelled when the run ends.
func TestRunContext(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(
			context.WithValue(t.Context(), key{}, "value"))
		var runs []context.Context
		err := chanx.Supervise(ctx, func(ctx context.Context) error {
			for _, old := range runs {
				assert.Equal(t, context.Canceled, old.Err())
				assert.Equal(t, context.Canceled, context.Cause(old))
			}
			assert.NoError(t, ctx.Err())
			assert.Equal(t, "value", ctx.Value(key{}))
			switch runs = append(runs, ctx); len(runs) {
			case 1:
				return errBoom
			case 2:
				panic(errBoom)
			case 3:
				runtime.Goexit()
			case 4:
				return nil
			}
			cancel(errBoom)
			assert.Equal(t, errBoom, context.Cause(ctx))
			return nil
		}, chanx.RestartPolicy{})
		assert.Equal(t, context.Canceled, err)
		assert.Len(t, runs, 5)
	})
}

// TestWorkerHasItsOwnGoroutine: what a worker does to its goroutine, the
// caller of Supervise does not see.
func TestWorkerHasItsOwnGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := chanx.RestartPolicy{Restart: chanx.RestartNever}
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			runtime.Goexit()
			return nil
		}, policy)
		assert.Equal(t, chanx.ErrGoexit, err)
	})
}

func TestCrashOnPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		s := script{things: []func() error{byError, byGoexit, byPanic, byError}}
		policy := every(-1)
		policy.CrashOnPanic, policy.OnEvent = true, j.note
		crash := func() (v any) {
			defer func() { v = recover() }()
			return chanx.Supervise(t.Context(), s.run, policy)
		}()
		p, ok := crash.(*chanx.PanicError)
		require.True(t, ok, "panicked with %v", crash)
		assert.Equal(t, errBoom, p.Value)
		assert.Contains(t, string(p.Stack), "supervise_test.go")
		assert.Equal(t, 3, s.runs)
		last := j.all()[len(j.all())-1]
		assert.Equal(t, chanx.EventExit, last.Kind)
		assert.Equal(t, error(p), last.Exit.Err)
		assert.True(t, last.Exit.Final)
	})
}

// TestCrashOnPanicIsForPanicsOnly: a *PanicError that the worker returns, from a
// Supervise that it calls, has been recovered.
func TestCrashOnPanicIsForPanicsOnly(t *testing.T) {
	policy := every(-1)
	policy.CrashOnPanic = true
	work := func(runs *int) func(context.Context) error {
		return func(ctx context.Context) error {
			if *runs++; *runs > 1 {
				return chanx.ErrStop
			}
			err := chanx.Supervise(ctx, func(context.Context) error {
				panic(errBoom)
			}, chanx.RestartPolicy{Restart: chanx.RestartNever})
			assert.IsType(t, &chanx.PanicError{}, err)
			return err
		}
	}
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		assert.NoError(t, chanx.Supervise(t.Context(), work(&runs), policy))
		assert.Equal(t, 2, runs)
	})
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, s.Add("a", work(&runs), policy))
		assert.NoError(t, s.Run(t.Context()))
		assert.Equal(t, 2, runs)
	})
}

// TestCrashOnAnyPanic: also on one during runtime.Goexit, and on panic(nil) of
// old.
func TestCrashOnAnyPanic(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	policy := every(-1)
	policy.CrashOnPanic, policy.MaxRestarts = true, 1
	for name, out := range map[string]func() error{
		"panic": byPanic, "after Goexit": goexitThenPanic,
		"nil": func() error { panic(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			work := func(context.Context) error { return out() }
			crash := func(f func()) (v any) {
				defer func() { v = recover() }()
				f()
				return nil
			}
			synctest.Test(t, func(t *testing.T) {
				assert.IsType(t, &chanx.PanicError{}, crash(func() {
					_ = chanx.Supervise(t.Context(), work, policy)
				}))
			})
			synctest.Test(t, func(t *testing.T) {
				s := chanx.NewSupervisor(chanx.SupervisorOptions{})
				require.NoError(t, s.Add("a", work, policy))
				assert.IsType(t, &chanx.PanicError{}, crash(func() {
					_ = s.Run(t.Context())
				}))
			})
		})
	}
}

// TestSuperviseInSupervise: giving up in the inner one is an ordinary failure to
// the outer one, with the stack still in it.
func TestSuperviseInSupervise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := every(time.Second)
		inner.MaxRestarts = 2
		runs := 0
		outer := every(time.Minute)
		outer.MaxRestarts = 1
		err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
			return chanx.Supervise(ctx, func(context.Context) error {
				runs++
				panic(errBoom)
			}, inner)
		}, outer)
		assert.Equal(t, 6, runs)
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, err, &limit)
		assert.Equal(t, 1, limit.Restarts)
		assert.IsType(t, limit, limit.Last)
		var p *chanx.PanicError
		require.ErrorAs(t, err, &p)
		assert.ErrorIs(t, err, errBoom)
	})
}

// TestShutdownReachesNestedWorkers through the contexts of their runs.
func TestShutdownReachesNestedWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := chanx.Supervise(ctx, func(ctx context.Context) error {
			return chanx.Supervise(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				return nil
			}, chanx.RestartPolicy{})
		}, chanx.RestartPolicy{})
		assert.Equal(t, context.DeadlineExceeded, err)
	})
}

// TestNothingStaysBehind restarts a worker very often, by every way out, and
// looks at goroutines and memory on the way. With -restarts 1000000 it takes
// some seconds.
func TestNothingStaysBehind(t *testing.T) {
	outs := []func() error{byError, byError, byNil, byError, byPanic, byGoexit}
	policy := every(-1)
	policy.Heartbeat = time.Hour
	policy.MaxRestarts, policy.Within = 1<<30, time.Nanosecond
	policy.OnEvent = func(chanx.Event) {}
	var first, last runtime.MemStats
	goroutines, runs := 0, 0
	n := *restarts
	if race.Enabled {
		n /= 10
	}
	err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
		chanx.Beat(ctx)
		switch runs++; runs {
		case n / 10:
			runtime.GC()
			runtime.ReadMemStats(&first)
			goroutines = runtime.NumGoroutine()
		case n:
			runtime.GC()
			runtime.ReadMemStats(&last)
			return chanx.ErrStop
		}
		if runs%100 == 0 {
			return outs[runs/100%len(outs)]()
		}
		return errBoom
	}, policy)
	require.NoError(t, err)
	assert.Equal(t, n, runs)
	assert.Less(t, int64(last.HeapObjects)-int64(first.HeapObjects), int64(n/100),
		"objects kept")
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines+2)
}

// TestManySupervised runs many workers at once on more threads than cores; the
// counts must be exact.
func TestManySupervised(t *testing.T) {
	manyProcs(t)
	const workers, each = 64, 500
	var runs, exits, again, missed atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			mine := 0
			policy := every(-1)
			policy.Heartbeat = time.Minute
			policy.OnEvent = func(e chanx.Event) {
				missed.Add(int64(e.Missed))
				switch e.Kind {
				case chanx.EventExit:
					exits.Add(1)
				case chanx.EventRestart:
					again.Add(1)
				}
			}
			err := chanx.Supervise(t.Context(), func(ctx context.Context) error {
				runs.Add(1)
				chanx.Beat(ctx)
				if mine++; mine == each {
					return chanx.ErrStop
				}
				time.Sleep(time.Microsecond)
				return []func() error{byError, byPanic, byNil, byGoexit}[mine%4]()
			}, policy)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.EqualValues(t, workers*each, runs.Load())
	// The last event of a worker is its last exit, so events missed at the very
	// end are not reported; no others may be missing.
	told := exits.Load() + again.Load() + missed.Load()
	assert.LessOrEqual(t, told, int64(workers*(2*each-1)))
	assert.LessOrEqual(t, int64(workers*(2*each-1))-told, int64(workers*64))
	t.Logf("%d events told, %d missed", exits.Load()+again.Load(), missed.Load())
}

// What a worker has done to its goroutine is there in the next run, unless it
// has left by Goexit.
func TestTheGoroutineIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		var ids []string
		require.NoError(t, chanx.Supervise(t.Context(), func(context.Context) error {
			ids = append(ids, goroutineID())
			switch runs++; runs {
			case 2:
				runtime.Goexit()
			case 3:
				return chanx.ErrStop
			}
			return errBoom
		}, atOnce))
		require.Len(t, ids, 3)
		assert.Equal(t, ids[0], ids[1])
		assert.NotEqual(t, ids[1], ids[2])
	})
}

func goroutineID() string {
	var b [64]byte
	n := 0
	for head := b[:runtime.Stack(b[:], false)]; n < len(head) && head[n] != '['; n++ {
	}
	return string(b[:n])
}

// A context that can be cancelled is two objects, and a Supervisor has one for
// the run that its Status shows.
func TestRestartAllocatesContextAndRun(t *testing.T) {
	if race.Enabled {
		t.Skip("allocations differ")
	}
	assert.InDelta(t, 2, allocsOfRestart(t, superviseAtOnce), 0.1, "Supervise")
	assert.InDelta(t, 3, allocsOfRestart(t, superviseNamed), 0.1, "Supervisor")
}

type worker = func(context.Context) error

func superviseAtOnce(w worker) error {
	return chanx.Supervise(context.Background(), w, atOnce)
}

func superviseNamed(w worker) error {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	if err := s.Add("worker", w, atOnce); err != nil {
		return err
	}
	return s.Run(context.Background())
}

// allocsOfRestart makes so many restarts that the fixed cost does not count.
func allocsOfRestart(t *testing.T, keep func(worker) error) float64 {
	const restarts = 1000
	return testing.AllocsPerRun(5, func() {
		left := restarts
		assert.NoError(t, keep(func(context.Context) error {
			if left--; left < 0 {
				return chanx.ErrStop
			}
			return errBoom
		}))
	}) / restarts
}

// Checking a valid policy once formatted an error, and doubled the stack of every
// goroutine that called Supervise.
func TestSuperviseOfDoneContextAllocatesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	policy := chanx.RestartPolicy{MaxRestarts: 50, Within: 1 << 40}
	noAllocs(t, "Supervise", func() {
		_ = chanx.Supervise(ctx, idle, policy)
	})
}

// failingContext calls fail in the method call of that number.
type failingContext struct {
	context.Context
	calls *atomic.Int64
	at    int64
	fail  func()
}

func (c failingContext) count() {
	if c.calls.Add(1) == c.at {
		c.fail()
	}
}

func (c failingContext) Err() error            { c.count(); return c.Context.Err() }
func (c failingContext) Done() <-chan struct{} { c.count(); return c.Context.Done() }
func (c failingContext) Value(key any) any     { c.count(); return c.Context.Value(key) }

// ends reports how f has ended: with the value of a panic, or by Goexit.
func ends(f func()) (value any, exited bool) {
	var all sync.WaitGroup
	all.Go(func() {
		exited = true
		defer func() {
			if value = recover(); value != nil {
				exited = false
			}
		}()
		f()
		exited = false
	})
	all.Wait()
	return value, exited
}

// A method of ctx that panics or calls Goexit does so on the goroutine of the
// caller, whichever call of whichever method it is, and nothing hangs.
func TestSuperviseEndedByItsContext(t *testing.T) {
	fails := map[string]func(){
		"panic": func() { panic("no") }, "Goexit": runtime.Goexit,
	}
	policies := map[string]chanx.RestartPolicy{
		"at once": atOnce,
		"backoff": everyOne(time.Second),
		"replaced": {
			MinBackoff: time.Second, Heartbeat: time.Second, ReplaceStalled: true,
		},
	}
	for how, fail := range fails {
		for name, policy := range policies {
			at := int64(1)
			for again := true; again; at++ {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					failing := failingContext{ctx, new(atomic.Int64), at, fail}
					var runs atomic.Int64
					value, exited := ends(func() {
						_ = chanx.Supervise(failing, func(context.Context) error {
							if runs.Add(1) > 2 {
								return chanx.ErrStop
							}
							if policy.ReplaceStalled {
								time.Sleep(3 * time.Second / 2)
							}
							return errors.New("again")
						}, policy)
					})
					time.Sleep(time.Minute) // until a leaked run has ended
					if again = failing.calls.Load() >= at; !again {
						assert.EqualValues(t, 3, runs.Load(), "%s %s", how, name)
						return
					}
					if value == nil && !exited { // in the check for a stall
						assert.True(t, policy.ReplaceStalled)
						assert.EqualValues(t, 3, runs.Load(), "%s %s", how, name)
						return
					}
					assert.Equal(t, how == "Goexit", exited, "%s %s %d", how, name, at)
					if p, ok := value.(*chanx.PanicError); ok {
						value = p.Value
						assert.Contains(t, string(p.Stack), "failingContext")
					}
					if how == "panic" {
						assert.Equal(t, "no", value, "%s %d", name, at)
					}
				})
			}
			assert.Greater(t, at, int64(4), "%s %s", how, name)
		}
	}
}

// panickingContext is done when its channel is closed; its Err panics.
type panickingContext struct {
	context.Context
	done chan struct{}
}

func (c panickingContext) Done() <-chan struct{} { return c.done }

func (c panickingContext) Err() error {
	select {
	case <-c.done:
		panic("no")
	default:
		return nil
	}
}

// A foreign ctx that is done ends the run even if its Err panics.
func TestSuperviseDoneContextWhoseErrPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := panickingContext{context.Background(), make(chan struct{})}
		time.AfterFunc(time.Second, func() { close(ctx.done) })
		value, _ := ends(func() {
			_ = chanx.Supervise(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}, chanx.RestartPolicy{})
		})
		p, ok := value.(*chanx.PanicError)
		require.True(t, ok, "%v", value)
		assert.Equal(t, "no", p.Value)
	})
}

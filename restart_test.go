package chanx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However a worker ends when it is told to restart, it is started again, alone,
// in its place, at once, and no limit counts it.
func TestRestart(t *testing.T) {
	for name, quit := range map[string]error{
		"nil": nil, "error": errSet, "ErrStop": chanx.ErrStop,
		"permanent": chanx.Permanent(errSet),
	} {
		for _, mode := range []chanx.RestartMode{
			chanx.RestartAlways, chanx.RestartOnFailure, chanx.RestartNever,
		} {
			t.Run(fmt.Sprint(name, " ", mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					opts := oneForAll
					opts.MaxRestarts = 1
					tr := newTroupe(t, opts)
					policy := everyOne(time.Hour)
					policy.Restart, policy.MaxRestarts = mode, 1
					all := tr.cast(policy, "a b c")
					all[1].linger, all[1].quit = time.Second, quit
					tr.start()
					for range 3 {
						require.NoError(t, tr.Restart(t.Context(), "b"))
						assert.Equal(t, chanx.ErrRestarting, all[1].stoppedFor())
					}
					assert.Equal(t, []string{
						"0s +a +b +c", "1s -b +b", "2s -b +b", "3s -b +b",
					}, tr.played())
					assert.Equal(t, 3, tr.status("b").Restarts)
					assert.Equal(t, "a running, b running, c running", tr.states())
					assert.Equal(t, context.Canceled, tr.end())
					assert.Equal(t, []string{"3s -c", "4s -b -a"}, tr.played(), "in its place")
				})
			})
		}
	}
}

// A worker that does not run is started at once, and counts again.
func TestRestartOfAWorkerThatDoesNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(everyOne(time.Hour), "a b")
		tr.start()
		all[0].exit(errSet)
		all[1].exit(chanx.ErrStop)
		require.NoError(t, tr.Restart(t.Context(), "a"))
		require.NoError(t, tr.Restart(t.Context(), "b"))
		assert.Equal(t, "a running, b running", tr.states())
		pause(2 * time.Hour)
		assert.Equal(t, []string{"0s +a +b -a -b +a +b"}, tr.played(), "once")
		all[0].exit(chanx.ErrStop)
		_, over := tr.over()
		assert.False(t, over, "b is alive")
		all[1].exit(chanx.ErrStop)
		assert.NoError(t, <-tr.result)
	})
}

func TestRestartIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, j := newTroupe(t, chanx.SupervisorOptions{}), newJournal()
		policy := atOnce
		policy.OnEvent = j.note
		tr.add(policy, tr.actor("a"))
		tr.start()
		pause(time.Second)
		require.NoError(t, tr.Restart(t.Context(), "a"))
		pause(time.Second)
		tr.end()
		const first = "<nil>, from 0s for 1s, after 0, wait 0s"
		assert.Equal(t, []string{
			"1s exit: " + first, "1s restart: " + first,
			"2s exit: <nil>, from 1s for 1s, after 0, wait 0s, final",
		}, j.lines())
	})
}

func TestRestartRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		ctx := context.Background()
		const stopped = `chanx: cannot restart worker "a": supervisor is not running`
		assert.EqualError(t, tr.Restart(ctx, "a"), stopped)
		tr.start()
		assert.EqualError(t, tr.Restart(ctx, "b"), `chanx: there is no worker "b"`)
		assert.Equal(t, context.Canceled, tr.Restart(done(), "a"))
		assert.Equal(t, int32(1), a.runs.Load())
		var none context.Context
		assert.PanicsWithValue(t, "chanx: nil context", func() { _ = tr.Restart(none, "a") })

		a.deaf = true
		a.exit(errSet) // the next run is deaf
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, tr.Restart(short, "a"))
		assert.Equal(t, "a running", tr.states())
		results := make(chan error, 1)
		go func() { results <- tr.Restart(ctx, "a") }()
		synctest.Wait()
		go func() { _ = tr.Remove(ctx, "a") }()
		synctest.Wait()
		assert.EqualError(t, tr.Restart(ctx, "a"),
			`chanx: cannot restart worker "a": it is being removed`)
		a.exit(nil)
		assert.EqualError(t, <-results, `chanx: worker "a" was stopped and not restarted`)
		tr.cast(atOnce, "a")
		assert.Equal(t, context.Canceled, tr.end())
		assert.EqualError(t, tr.Restart(ctx, "a"), stopped)
	})
}

// A Restart that was not waited for happens all the same.
func TestRestartLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.actor("a")
		a.linger = time.Minute
		tr.add(watchedWorker, a) // which is not replaced meanwhile
		tr.start()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, tr.Restart(ctx, "a"))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, int32(1), a.most.Load())
		a.linger = 0
		tr.end()
	})
}

// A worker that restarts itself waits until its own ctx is cancelled.
func TestRestartByTheWorkerItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		tr.start()
		a.do(func(ctx context.Context) error { return tr.Restart(ctx, "a") })
		assert.Equal(t, context.Canceled, tr.status("a").Exits[0].Err)
		assert.Equal(t, int32(2), a.runs.Load())
		tr.end()
	})
}

// A Restart and the end of the set, or a restart of the group, at once.
func TestRestartMeetsOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(*troupe, []*actor)
		err  string
		runs int32
	}{
		"two":   {func(tr *troupe, _ []*actor) { go func() { _ = tr.Restart(tr.ctx, "b") }() }, "", 2},
		"group": {func(_ *troupe, all []*actor) { all[0].exit(errSet) }, "", 2},
		"stop": {func(tr *troupe, _ []*actor) { tr.cancel(nil) },
			`chanx: worker "b" was stopped and not restarted`, 1},
		"crash": {func(_ *troupe, all []*actor) { all[2].panic(errSet) },
			`chanx: worker "b" was stopped and not restarted`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTroupe(t, oneForAll)
				policy := atOnce
				policy.CrashOnPanic = true
				all := tr.cast(policy, "a b c")
				all[1].linger = time.Second
				go func() {
					defer func() { _ = recover() }()
					tr.result <- tr.Run(tr.ctx)
				}()
				synctest.Wait()
				result := make(chan error, 1)
				go func() { result <- tr.Restart(context.Background(), "b") }()
				synctest.Wait()
				tc.do(tr, all)
				err := <-result
				synctest.Wait()
				if tc.err == "" {
					assert.NoError(t, err)
				} else {
					assert.EqualError(t, err, tc.err)
				}
				assert.Equal(t, int32(1), all[1].most.Load())
				assert.Equal(t, tc.runs, all[1].runs.Load())
				tr.cancel(nil)
				pause(time.Minute)
			})
		})
	}
}

// A Restart and the restart of the group, in either order: the worker is
// started again, however it ends, although the group alone would not do so.
func TestRestartWithinAGroup(t *testing.T) {
	for _, order := range []string{"before", "after"} {
		for _, end := range []error{nil, errSet, chanx.ErrStop, chanx.Permanent(errSet)} {
			synctest.Test(t, func(t *testing.T) {
				tr := newTroupe(t, oneForAll)
				a := tr.cast(every(time.Minute), "a")[0]
				runs := 0
				require.NoError(t, tr.Add("b", func(ctx context.Context) error {
					runs++
					<-ctx.Done()
					time.Sleep(time.Second)
					return end
				}, chanx.RestartPolicy{Restart: chanx.RestartNever}))
				tr.start()
				if order == "after" {
					a.exit(errSet)
				}
				result := make(chan error, 1)
				go func() { result <- tr.Restart(context.Background(), "b") }()
				synctest.Wait()
				if order == "before" {
					a.exit(errSet)
				}
				assert.NoError(t, <-result, "%s, %v", order, end)
				pause(time.Hour)
				assert.Equal(t, 2, runs)
				b := tr.status("b")
				assert.Equal(t, time.Minute, b.Exits[0].Backoff)
				assert.False(t, b.Exits[0].Final)
				assert.Equal(t, "a running, b running", tr.states())
				tr.end()
			})
		}
	}
}

// A child Supervisor takes workers between two of its runs, and starts them
// with the next.
func TestAddBetweenTwoRunsInATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newTroupe(t, chanx.SupervisorOptions{})
		child := top.branch("child", chanx.SupervisorOptions{MaxRestarts: 1}, everyOne(time.Minute))
		a := child.cast(atOnce, "a")[0]
		top.start()
		a.exit(errSet)
		a.exit(errSet)
		require.Equal(t, "child backing off", top.states())
		child.cast(atOnce, "b")
		assert.Equal(t, "a failed, b starting", child.states())
		pause(time.Minute)
		assert.Equal(t, "a running, b running", child.states())
		go func() { _ = top.Restart(context.Background(), "child") }()
		synctest.Wait()
		child.cast(atOnce, "c")
		assert.Equal(t, context.Canceled, top.end())
		assert.Error(t, child.Add("d", idle, atOnce), "it has stopped")
	})
}

// What a worker is told of the end: shutdown, with the cause of the ctx of Run,
// removal and restart can be told apart, at any depth.
func TestCauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newTroupe(t, chanx.SupervisorOptions{})
		mid := top.branch("mid", chanx.SupervisorOptions{}, atOnce)
		leaf := mid.cast(atOnce, "leaf other")[0]
		top.start()
		require.NoError(t, mid.Restart(t.Context(), "leaf"))
		assert.Equal(t, chanx.ErrRestarting, leaf.stoppedFor())
		require.NoError(t, top.Restart(t.Context(), "mid"))
		synctest.Wait()
		assert.ErrorIs(t, leaf.stoppedFor(), chanx.ErrStopping)
		assert.ErrorIs(t, leaf.stoppedFor(), chanx.ErrRestarting)
		require.NoError(t, mid.Remove(t.Context(), "leaf"))
		assert.Equal(t, chanx.ErrRemoved, leaf.stoppedFor())
		mid.add(atOnce, leaf)
		synctest.Wait()
		top.cancel(io.ErrUnexpectedEOF)
		assert.Equal(t, context.Canceled, <-top.result, "bare")
		assert.ErrorIs(t, leaf.stoppedFor(), chanx.ErrStopping)
		assert.ErrorIs(t, leaf.stoppedFor(), io.ErrUnexpectedEOF)
		assert.NotErrorIs(t, leaf.stoppedFor(), chanx.ErrRestarting)
	})
}

func TestCauseOfGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 1})
		all := tr.cast(atOnce, "a b")
		tr.start()
		all[0].exit(errSet)
		all[0].exit(errSet)
		<-tr.result
		assert.ErrorIs(t, all[1].stoppedFor(), chanx.ErrStopping)
		var limit *chanx.RestartLimitError
		assert.ErrorAs(t, all[1].stoppedFor(), &limit)
	})
}

// The two ways to end for good, as they are, wrapped, and joined with another
// error, which must not be lost.
func TestEndsForGood(t *testing.T) {
	foreign := isError{chanx.ErrStop}
	for name, tc := range map[string]struct {
		err    error
		ends   bool
		result error // what Supervise returns
	}{
		"stop":            {chanx.ErrStop, true, nil},
		"wrapped":         {fmt.Errorf("x: %w", chanx.ErrStop), true, nil},
		"joined alone":    {errors.Join(nil, chanx.ErrStop), true, nil},
		"joined twice":    {errors.Join(chanx.ErrStop, chanx.ErrStop), true, nil},
		"is":              {foreign, true, nil},
		"wrapped is":      {fmt.Errorf("x: %w", foreign), true, nil},
		"permanent":       {chanx.Permanent(errBoom), true, errBoom},
		"permanent stop":  {chanx.Permanent(chanx.ErrStop), true, chanx.ErrStop},
		"permanent nil":   {chanx.Permanent(nil), false, nil},
		"plain":           {errBoom, false, nil},
		"joined":          {errors.Join(errBoom, errSet), false, nil},
		"panic of stop":   {&chanx.PanicError{Value: chanx.ErrStop}, false, nil},
		"panic permanent": {&chanx.PanicError{Value: chanx.Permanent(errBoom)}, false, nil},
	} {
		t.Run(name, func(t *testing.T) { endsForGood(t, tc.err, tc.ends, tc.result) })
	}
	for name, err := range map[string]error{
		"error and stop":  errors.Join(errBoom, chanx.ErrStop),
		"stop and error":  errors.Join(chanx.ErrStop, errBoom),
		"deep":            fmt.Errorf("x: %w", errors.Join(errors.Join(errBoom, chanx.ErrStop))),
		"two %w":          fmt.Errorf("%w, %w", errBoom, chanx.ErrStop),
		"wrapped":         fmt.Errorf("x: %w", chanx.Permanent(errBoom)),
		"permanent, stop": errors.Join(chanx.Permanent(errBoom), chanx.ErrStop),
	} {
		t.Run(name, func(t *testing.T) { endsForGood(t, err, true, err) })
	}
	assert.NoError(t, chanx.Permanent(nil))
	assert.EqualError(t, chanx.Permanent(errBoom), "boom")
	assert.ErrorIs(t, chanx.Permanent(errBoom), errBoom)
}

// isError is what its Is method says.
type isError struct{ like error }

func (e isError) Error() string        { return "like " + e.like.Error() }
func (e isError) Is(target error) bool { return target == e.like }

func endsForGood(t *testing.T, err error, ends bool, want error) {
	synctest.Test(t, func(t *testing.T) {
		limited := chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 2}
		runs := 0
		got := chanx.Supervise(t.Context(), func(context.Context) error {
			runs++
			return err
		}, limited)
		if !ends {
			assert.Equal(t, 3, runs)
			return
		}
		assert.Equal(t, 1, runs)
		assert.Equal(t, want, got)

		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(limited, "a b")[0]
		tr.start()
		a.exit(err)
		state := "stopped"
		if want != nil {
			state = "failed"
		}
		assert.Equal(t, "a "+state+", b running", tr.states())
		assert.Equal(t, err, tr.status("a").Exits[0].Err, "as it was returned")
		assert.Equal(t, context.Canceled, tr.end())
	})
}

// The hook of a set is told of every worker, one event at a time, and has room
// for all of them to start at once.
func TestHookOfASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers = 500
		var mu sync.Mutex
		kinds := map[string]int{}
		missed := uint64(0)
		var own, ofSet atomic.Int64 // events of w1
		opts := chanx.SupervisorOptions{OnEvent: func(e chanx.Event) {
			if !mu.TryLock() {
				t.Error("two events at a time")
				return
			}
			defer mu.Unlock()
			kinds[e.Kind.String()]++
			if e.Worker == "w1" {
				ofSet.Add(1)
			}
			missed += e.Missed
			time.Sleep(time.Millisecond)
		}}
		tr := newTroupe(t, opts)
		policy := atOnce
		for i := range workers {
			policy.OnEvent = nil
			if i == 1 {
				policy.OnEvent = func(chanx.Event) { own.Add(1) }
			}
			tr.add(policy, tr.actor(fmt.Sprint("w", i)))
		}
		tr.start()
		pause(time.Second)
		assert.Equal(t, map[string]int{"start": workers}, kinds)
		assert.Equal(t, context.Canceled, tr.end())
		assert.Zero(t, missed)
		assert.Equal(t, workers, kinds["exit"])
		assert.EqualValues(t, 2, own.Load())
		assert.EqualValues(t, 2, ofSet.Load())
		tr.ctx, tr.cancel = context.WithCancelCause(context.Background())
		tr.start()
		pause(time.Second)
		assert.Equal(t, 2*workers, kinds["start"], "each Run starts anew")
		require.NoError(t, tr.Remove(t.Context(), "w7"))
		tr.end()
	})
}

// TestStartIsTold, before anything else of that worker.
func TestStartIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []chanx.Event
		note := func(e chanx.Event) { events = append(events, e) }
		policy := every(time.Second)
		policy.OnEvent = note
		s := script{things: []func() error{byError}}
		opened := time.Now()
		assert.NoError(t, chanx.Supervise(t.Context(), s.run, policy))
		require.Len(t, events, 4)
		assert.Equal(t, chanx.Event{
			Kind: chanx.EventStart, At: opened, Exit: chanx.Exit{Started: opened},
		}, events[0])

		events, opened = nil, time.Now()
		s = script{}
		set := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, set.Add("a", s.run, policy))
		assert.NoError(t, set.Run(t.Context()))
		require.Len(t, events, 2)
		assert.Equal(t, chanx.Event{Kind: chanx.EventStart, Worker: "a",
			At: opened, Exit: chanx.Exit{Started: opened}}, events[0])
	})
}

func TestWorkerOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := func(ctx context.Context) string {
			name, attempt := chanx.WorkerOf(ctx)
			return fmt.Sprint(name, " ", attempt)
		}
		assert.Equal(t, " 0", ask(t.Context()))
		for _, policy := range []chanx.RestartPolicy{
			atOnce, watchedWorker, everyOne(time.Second),
		} {
			var said []string
			assert.NoError(t, chanx.Supervise(t.Context(), func(ctx context.Context) error {
				below, cancel := context.WithCancel(ctx)
				defer cancel()
				if said = append(said, ask(below)); len(said) == 3 {
					return chanx.ErrStop
				}
				return errBoom
			}, policy))
			assert.Equal(t, []string{" 1", " 2", " 3"}, said)

			said = nil
			s := chanx.NewSupervisor(chanx.SupervisorOptions{})
			require.NoError(t, s.Add("a", func(ctx context.Context) error {
				if said = append(said, ask(ctx)); len(said)%2 == 0 {
					return chanx.ErrStop
				}
				return errBoom
			}, policy))
			assert.NoError(t, s.Run(t.Context()))
			assert.NoError(t, s.Run(t.Context()))
			assert.Equal(t, []string{"a 1", "a 2", "a 1", "a 2"}, said)
		}
	})
}

// The counts of exits add up to the runs, however many are kept.
func TestExitCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{KeepExits: 1})
		a := tr.actor("a")
		tr.add(watchedWorker, a)
		tr.start()
		a.exit(nil)
		for range 2 {
			a.exit(errSet)
		}
		for range 3 {
			a.panic(errSet)
		}
		for range 4 {
			a.do(func(context.Context) error { return byGoexit() })
		}
		a.deaf = true
		a.exit(chanx.ErrGoexit) // which is an error, if it is returned
		pause(time.Second + 1)
		a.deaf = false
		for range 2 {
			a.exit(nil) // the late end of the old run, and the end of the new
		}
		assert.Equal(t, context.Canceled, tr.end())
		got := tr.status("a").ExitCounts
		assert.Equal(t, a.runs.Load(), int32(got.Nil+got.Error+got.Panic+got.Goexit+got.Stall))
		got.Nil = 0
		assert.Equal(t, chanx.ExitCounts{Error: 3, Panic: 3, Goexit: 4, Stall: 1}, got)
	})
}

package chanx_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errSet = errors.New("boom")

func TestStrategyPrints(t *testing.T) {
	assert.Equal(t, "one for one", chanx.OneForOne.String())
	assert.Equal(t, "one for all", chanx.OneForAll.String())
	assert.Equal(t, "rest for one", chanx.RestForOne.String())
	assert.Equal(t, "Strategy(3)", chanx.Strategy(3).String())
	assert.Equal(t, "Strategy(-1)", chanx.Strategy(-1).String())
}

func TestStrategyText(t *testing.T) {
	for want, text := range map[chanx.Strategy]string{
		chanx.OneForOne:  "one for one",
		chanx.OneForAll:  "one for all",
		chanx.RestForOne: "rest for one",
	} {
		var got chanx.Strategy
		require.NoError(t, got.UnmarshalText([]byte(text)))
		assert.Equal(t, want, got)
		back, err := want.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, text, string(back))
	}
	got := chanx.OneForAll
	for _, wrong := range []string{"", "one_for_all", "Strategy(1)", "1"} {
		assert.ErrorContains(t, got.UnmarshalText([]byte(wrong)), "want one of")
	}
	assert.Equal(t, chanx.OneForAll, got)
	_, err := chanx.Strategy(3).MarshalText()
	assert.EqualError(t, err, "chanx: unknown Strategy(3)")
	_, err = chanx.Strategy(-1).MarshalText()
	assert.Error(t, err)
}

func TestNewSupervisorPanicsOnWrongOptions(t *testing.T) {
	for want, opts := range map[string]chanx.SupervisorOptions{
		"chanx: supervisor: unknown Strategy(3)":  {Strategy: 3},
		"chanx: supervisor: unknown Strategy(-1)": {Strategy: -1},
	} {
		assert.PanicsWithValue(t, want, func() { chanx.NewSupervisor(opts) })
		assert.EqualError(t, opts.Validate(), want)
	}
	assert.NoError(t, chanx.SupervisorOptions{}.Validate())
	for _, opts := range []chanx.SupervisorOptions{
		{MaxRestarts: -1}, {Within: -1}, {StopTimeout: -1}, {KeepExits: -1},
	} {
		assert.PanicsWithValue(t, "chanx: supervisor: negative option",
			func() { chanx.NewSupervisor(opts) })
		assert.EqualError(t, opts.Validate(), "chanx: supervisor: negative option")
	}
}

func TestSupervisorPanicsOnProgrammerErrors(t *testing.T) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	worker := func(context.Context) error { return nil }
	var none context.Context
	assert.PanicsWithValue(t, "chanx: nil worker", func() {
		_ = s.Add("a", nil, chanx.RestartPolicy{})
	})
	assert.PanicsWithValue(t, "chanx: restart policy: MaxRestarts < 0", func() {
		_ = s.Add("a", worker, chanx.RestartPolicy{MaxRestarts: -1})
	})
	assert.PanicsWithValue(t, "chanx: nil context", func() { _ = s.Run(none) })
	assert.PanicsWithValue(t, "chanx: nil context", func() {
		_ = s.Remove(none, "a")
	})
	assert.Empty(t, s.Status(), "nothing was added")

	var zero chanx.Supervisor
	const unmade = "chanx: Supervisor not made by NewSupervisor"
	assert.PanicsWithValue(t, unmade, func() {
		_ = zero.Add("a", worker, chanx.RestartPolicy{})
	})
	assert.PanicsWithValue(t, unmade, func() { _ = zero.Run(t.Context()) })
	assert.Error(t, zero.Remove(t.Context(), "a"), "nobody there")
	assert.Empty(t, zero.Status())
}

func TestAddBeforeDuringAndAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.workers(atOnce, "a b")
		assert.Empty(t, h.played(), "not before Run")
		assert.Equal(t, "a starting, b starting", h.states())
		h.start()
		assert.Equal(t, []string{"0s +a +b"}, h.played())
		pause(time.Second)
		c := h.workers(atOnce, "c")[0]
		assert.Equal(t, []string{"1s +c"}, h.played())
		assert.Equal(t, "a running, b running, c running", h.states())

		c.linger = time.Second
		h.cancel(nil)
		synctest.Wait()
		err := h.Add("d", c.work, atOnce)
		assert.EqualError(t, err, `chanx: cannot add worker "d": supervisor has stopped`)
		assert.Equal(t, context.Canceled, <-h.result)
		assert.Error(t, h.Add("d", c.work, atOnce))
		assert.Len(t, h.Status(), 3)
	})
}

func TestAddRefusesEmptyAndTakenNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		assert.EqualError(t, h.Add("", a.work, atOnce), "chanx: worker without a name")
		taken := `chanx: there is a worker "a" already`
		assert.EqualError(t, h.Add("a", a.work, atOnce), taken)
		h.start()
		assert.EqualError(t, h.Add("a", a.work, atOnce), taken)

		a.deaf = true
		a.exit(errSet) // the next run is deaf
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, h.Remove(ctx, "a"))
		assert.EqualError(t, h.Add("a", a.work, atOnce), taken, "being removed")
		a.exit(nil)
		assert.NoError(t, h.Add("a", h.worker("a").work, atOnce))
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestAddAWorkerThatHasEndedForGoodKeepsItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a b")[0]
		h.start()
		a.exit(chanx.ErrStop)
		assert.Error(t, h.Add("a", a.work, atOnce))
		assert.NoError(t, h.Remove(context.Background(), "a"))
		assert.NoError(t, h.Add("a", a.work, atOnce))
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, int32(2), a.runs.Load())
	})
}

func TestRemove(t *testing.T) {
	type scene struct {
		h *harness
		a *scriptedWorker
	}
	for name, tc := range map[string]struct {
		before func(scene)
		takes  time.Duration
		plays  []string
	}{
		"running": {
			func(s scene) { s.h.start() },
			0, []string{"0s +a +b", "1s -a"},
		},
		"running and slow": {
			func(s scene) { s.a.linger = time.Hour; s.h.start() },
			time.Hour, []string{"0s +a +b", "1h0m1s -a"},
		},
		"backing off": {
			func(s scene) { s.h.start(); s.a.exit(errSet) },
			0, []string{"0s +a +b -a"},
		},
		"ended": {
			func(s scene) { s.h.start(); s.a.exit(chanx.ErrStop) },
			0, []string{"0s +a +b -a"},
		},
		"never started": {func(scene) {}, 0, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, chanx.SupervisorOptions{})
				a := h.workers(everyOne(time.Minute), "a b")[0]
				tc.before(scene{h, a})
				pause(time.Second)
				before := time.Now()
				require.NoError(t, h.Remove(context.Background(), "a"))
				assert.Equal(t, tc.takes, time.Since(before))
				assert.Equal(t, tc.plays, h.played())
				require.Len(t, h.Status(), 1)
				assert.Equal(t, "b", h.Status()[0].Name)
				assert.EqualError(t, h.Remove(context.Background(), "a"),
					`chanx: there is no worker "a"`)
				pause(2 * time.Minute)
				assert.Empty(t, h.played(), "it does not come back")
				if name != "never started" {
					assert.Equal(t, context.Canceled, h.end())
				}
			})
		})
	}
}

func TestRemoveTellsTheWorkerWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(atOnce, "a b")
		h.start()
		require.NoError(t, h.Remove(context.Background(), "a"))
		assert.Equal(t, chanx.ErrRemoved, all[0].stoppedFor())
		h.end()
		assert.EqualError(t, all[1].stoppedFor(),
			"chanx: supervisor is stopping: context canceled")
		assert.ErrorIs(t, all[1].stoppedFor(), chanx.ErrStopping)
	})
}

func TestRemoveWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(atOnce, "a b")
		all[0].linger, all[1].linger = time.Second, time.Second
		h.start()
		h.cancel(nil)
		synctest.Wait() // b is told, a is not yet
		require.NoError(t, h.Remove(context.Background(), "a"))
		assert.Equal(t, []string{"0s +a +b", "1s -b -a"}, sortedStops(h))
		assert.Equal(t, context.Canceled, <-h.result)
		assert.Equal(t, "b stopped", h.states())
		require.NoError(t, h.Remove(context.Background(), "b"))
		assert.Empty(t, h.Status())
	})
}

// sortedStops is played, where two workers stop at the same moment.
func sortedStops(h *harness) []string {
	lines := h.played()
	for i, l := range lines {
		if l == "1s -a -b" {
			lines[i] = "1s -b -a"
		}
	}
	return lines
}

func TestRemoveReturnsWhenItsContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a b")[0]
		a.linger = time.Minute
		h.start()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		before := time.Now()
		assert.Equal(t, context.DeadlineExceeded, h.Remove(ctx, "a"))
		assert.Equal(t, time.Second, time.Since(before))
		assert.Len(t, h.Status(), 2, "it still runs")
		time.Sleep(59*time.Second - 1)
		assert.Len(t, h.Status(), 2)
		pause(1)
		assert.Len(t, h.Status(), 1, "forgotten when it stops")
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, int32(1), a.runs.Load())
	})
}

func TestRemoveWithACancelledContextDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.workers(atOnce, "a")
		h.start()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		assert.Equal(t, context.Canceled, h.Remove(ctx, "a"))
		assert.Equal(t, "a running", h.states())
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestRemoveByTheWorkerItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a b")[0]
		h.start()
		var got error
		a.do(func(ctx context.Context) error {
			got = h.Remove(ctx, "a")
			return got
		})
		assert.Equal(t, context.Canceled, got)
		assert.Equal(t, "b running", h.states())
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, int32(1), a.runs.Load())
	})
}

func TestRemoveTwiceWaitsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.workers(atOnce, "a b")[0].linger = time.Second
		h.start()
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- h.Remove(context.Background(), "a") }()
		}
		pause(time.Second - 1)
		assert.Empty(t, results)
		pause(1)
		assert.NoError(t, <-results)
		assert.NoError(t, <-results)
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestRemoveTheLastWorkerWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.workers(atOnce, "a")
		h.start()
		require.NoError(t, h.Remove(context.Background(), "a"))
		pause(time.Hour)
		_, over := h.over()
		assert.False(t, over)
		b := h.workers(atOnce, "b")[0]
		assert.Equal(t, []string{"0s +a -a", "1h0m0s +b"}, h.played())
		b.exit(chanx.ErrStop)
		assert.NoError(t, <-h.result)
	})
}

// The remaining workers have already ended for good.
func TestRemoveTheLastWorkerThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(atOnce, "a b")
		h.start()
		all[0].exit(chanx.ErrStop)
		require.NoError(t, h.Remove(context.Background(), "b"))
		assert.NoError(t, <-h.result)
	})
}

func TestRunWithADoneContextStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.workers(atOnce, "a")
		h.cancel(errSet)
		assert.Equal(t, context.Canceled, h.Run(h.ctx))
		assert.Empty(t, h.played())
		h.ctx = context.Background()
		h.workers(atOnce, "b")
		assert.Equal(t, "a starting, b starting", h.states(), "still to be run")
	})
}

func TestRunReturnsNilOnceAllHaveEndedForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		b, c := h.worker("b"), h.worker("c")
		h.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure}, b)
		h.add(chanx.RestartPolicy{Restart: chanx.RestartNever}, c)
		h.start()
		b.exit(nil)
		c.exit(errSet)
		_, over := h.over()
		assert.False(t, over)
		assert.Equal(t, "a running, b stopped, c failed", h.states())
		a.exit(fmt.Errorf("wrapped: %w", chanx.ErrStop))
		err, over := h.over()
		assert.True(t, over)
		assert.NoError(t, err)
		assert.Equal(t, "a stopped, b stopped, c failed", h.states())
		assert.Equal(t, []string{"0s +a +b +c -b -c -a"}, h.played())
	})
}

func TestRunWithoutWorkersWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.start()
		pause(24 * time.Hour)
		_, over := h.over()
		assert.False(t, over)
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestRunTwiceAtOnceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.workers(atOnce, "a")[0].linger = time.Second
		h.start()
		const already = "chanx: supervisor is running already"
		assert.EqualError(t, h.Run(context.Background()), already)
		h.cancel(nil)
		synctest.Wait()
		assert.EqualError(t, h.Run(context.Background()), already, "stopping")
		assert.Equal(t, context.Canceled, <-h.result)
	})
}

func TestRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(everyOne(time.Second), "a b")
		h.start()
		all[0].exit(errSet) // backing off when the set stops
		all[1].exit(chanx.ErrStop)
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, "a stopped, b stopped", h.states())
		pause(time.Hour)
		h.played()

		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		h.start()
		assert.Equal(t, []string{"1h0m0s +a +b"}, h.played(), "all anew")
		require.Len(t, h.status("a").Exits, 1)
		assert.Equal(t, errSet, h.status("a").Exits[0].Err, "kept")
		all[1].exit(chanx.ErrStop)
		_, over := h.over()
		assert.False(t, over, "a is alive")
		assert.Len(t, h.status("b").Exits, 2)
		all[0].exit(chanx.ErrStop)
		assert.NoError(t, <-h.result, "b has ended once more")
	})
}

func TestRunAgainWaitsForLateWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{StopTimeout: time.Second})
		a := h.workers(atOnce, "a b")[0]
		a.deaf = true
		h.start()
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, h.end(), &late)
		err := h.Run(context.Background())
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"a"}, late.Workers)
		assert.NotErrorIs(t, err, context.Canceled)
		assert.Equal(t, "a running, b stopped", h.states())
		a.exit(errSet)
		exits := h.status("a").Exits
		require.Len(t, exits, 1)
		assert.Equal(t, errSet, exits[0].Err, "its end is still noted")
		assert.True(t, exits[0].Final)
		assert.Equal(t, "a stopped, b stopped", h.states())
		a.deaf = false
		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		h.start()
		assert.Equal(t, "a running, b running", h.states())
		assert.Equal(t, context.Canceled, h.end())
	})
}

// What a Run has used of the limits, of the set and of a worker, is not
// missing in the next one.
func TestRunAgainStartsTheLimitsAnew(t *testing.T) {
	limited := atOnce
	limited.MaxRestarts = 2
	for name, tt := range map[string]struct {
		opts   chanx.SupervisorOptions
		policy chanx.RestartPolicy
	}{
		"set":              {chanx.SupervisorOptions{MaxRestarts: 2}, atOnce},
		"set, in a window": {chanx.SupervisorOptions{MaxRestarts: 2, Within: time.Hour}, atOnce},
		"worker":           {chanx.SupervisorOptions{}, limited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, tt.opts)
				a := h.workers(tt.policy, "a")[0]
				for range 2 {
					h.ctx, h.cancel = context.WithCancelCause(context.Background())
					h.start()
					a.exit(errSet)
					a.exit(errSet)
					assert.Equal(t, context.Canceled, h.end())
				}
			})
		})
	}
}

// A restart that was waiting when Run returned does not come in the next one.
func TestRunAgainForgetsOldBackoffs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(everyOne(time.Second), "a")[0]
		h.start()
		a.exit(errSet)
		h.end()
		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		h.start()
		pause(time.Second - 1)
		a.exit(errSet)
		pause(1)
		assert.Equal(t, "a backing off", h.states())
		pause(time.Second - 2)
		assert.Equal(t, "a backing off", h.states())
		pause(1)
		assert.Equal(t, "a running", h.states())
		assert.Equal(t, int32(1), a.most.Load())
		h.end()
	})
}

func TestRunGivesUpWithAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.worker("a")
		h.add(chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}, a)
		b := h.workers(atOnce, "b")[0]
		b.linger = time.Second
		h.start()
		a.exit(errSet)
		a.exit(errSet)
		_, over := h.over()
		assert.False(t, over, "b is being stopped")
		err := <-h.result
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, err, &limit)
		assert.Equal(t, 1, limit.Restarts)
		assert.EqualError(t, limit.Last, `worker "a": boom`)
		assert.ErrorIs(t, err, errSet)
		assert.Equal(t, "a failed, b stopped", h.states())
		assert.Equal(t, []string{"0s +a +b -a +a -a", "1s -b"}, h.played())
	})
}

func TestRunGivesUpOnAWorkerThatReturnsNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 1})
		a := h.workers(atOnce, "a")[0]
		h.start()
		a.exit(nil)
		a.exit(nil)
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, <-h.result, &limit)
		assert.EqualError(t, limit.Last, `worker "a" returned nil`)
	})
}

func TestSetLimitInAWindow(t *testing.T) {
	for name, tc := range map[string]struct {
		spacing time.Duration
		gaveUp  bool
	}{
		"at the edge":            {time.Second, false},
		"a nanosecond before it": {time.Second - 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, chanx.SupervisorOptions{
					MaxRestarts: 2, Within: 2 * time.Second,
				})
				all := h.workers(atOnce, "a b c")
				h.start()
				all[0].exit(errSet)
				pause(tc.spacing)
				all[1].exit(errSet)
				pause(time.Second)
				all[2].exit(errSet)
				err, over := h.over()
				require.Equal(t, tc.gaveUp, over)
				if !over {
					assert.Equal(t, context.Canceled, h.end())
					return
				}
				var limit *chanx.RestartLimitError
				require.ErrorAs(t, err, &limit)
				assert.Equal(t, 2, limit.Restarts)
				assert.Equal(t, 2*time.Second, limit.Within)
				assert.EqualError(t, limit.Last, `worker "c": boom`)
				assert.Equal(t, "a stopped, b stopped, c failed", h.states())
			})
		})
	}
}

// With a zero Within the restarts of each worker since its last healthy run
// count; a run of ResetAfter, even one that still lasts, takes them away.
func TestSetLimitSinceTheLastHealthyRun(t *testing.T) {
	for name, tc := range map[string]struct {
		healthy time.Duration
		gaveUp  bool
	}{
		"healthy":                {time.Minute, false},
		"a nanosecond too short": {time.Minute - 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 3})
				all := h.workers(atOnce, "a b")
				h.start()
				a, b := all[0], all[1]
				a.exit(errSet)
				a.exit(errSet)
				pause(tc.healthy) // a's restarts are forgotten, or not
				b.exit(errSet)    // of a run that was healthy or not
				b.exit(errSet)
				err, over := h.over()
				require.Equal(t, tc.gaveUp, over)
				if !over {
					b.exit(errSet)
					_, over = h.over()
					require.False(t, over, "three are allowed")
					b.exit(errSet)
					err, over = h.over()
					require.True(t, over)
				}
				var limit *chanx.RestartLimitError
				require.ErrorAs(t, err, &limit)
				assert.Equal(t, 3, limit.Restarts)
				assert.Zero(t, limit.Within)
			})
		})
	}
}

// A worker counts as healthy only while it runs and is not stalled: neither
// the wait for a restart nor silence makes up for its failures.
func TestSetLimitForgivesOnlyWhoIsWell(t *testing.T) {
	for name, tt := range map[string]struct {
		policy chanx.RestartPolicy
		gaveUp bool
	}{
		"running":     {atOnce, false},
		"stalled":     {chanx.RestartPolicy{MinBackoff: -1, Heartbeat: time.Second}, true},
		"backing off": {everyOne(time.Hour), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 1})
				a, b := h.workers(tt.policy, "a")[0], h.workers(atOnce, "b")[0]
				h.start()
				a.exit(errSet)
				pause(2 * time.Minute)
				b.exit(errSet)
				_, over := h.over()
				assert.Equal(t, tt.gaveUp, over)
				if !over {
					h.end()
				}
			})
		})
	}
}

// Restarts that remain after healthy runs are subtracted can all be used.
func TestSetLimitIsReachedToTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 3})
		all := h.workers(atOnce, "a b")
		h.start()
		all[0].exit(errSet)
		all[1].exit(errSet)
		pause(30 * time.Second)
		all[1].exit(errSet)
		pause(31 * time.Second)
		all[1].exit(errSet) // a is healthy by now
		_, over := h.over()
		assert.False(t, over, "three are left")
		all[1].exit(errSet)
		assert.ErrorIs(t, <-h.result, errSet)
	})
}

func TestStopOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		for _, a := range h.workers(atOnce, "a b c") {
			a.linger = time.Second
		}
		h.start()
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, []string{"0s +a +b +c", "1s -c", "2s -b", "3s -a"}, h.played())
	})
}

// c gets a third of 12 s, b half of the remainder, a the rest.
func TestStopShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{StopTimeout: 12 * time.Second})
		all := h.workers(atOnce, "a b c")
		a, b, c := all[0], all[1], all[2]
		c.linger = 12*time.Second - 1 // in time, though past its share
		b.linger = 2 * time.Second
		a.deaf = true
		h.start()
		err := h.end()
		assert.Equal(t, 12*time.Second, time.Since(h.born))
		assert.Equal(t, []string{"0s +a +b +c", "6s -b", "11.999999999s -c"}, h.played())
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"a"}, late.Workers)
		a.exit(nil)
	})
}

func TestStopTimeoutNamesWhoDidNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(atOnce, "a b c d")
		all[0].deaf, all[2].deaf = true, true
		h.start()
		err := h.end()
		assert.Equal(t, 10*time.Second, time.Since(h.born), "the default")
		assert.Equal(t, &chanx.StopTimeoutError{
			Workers: []string{"a", "c"},
			Timeout: 10 * time.Second,
			Err:     context.Canceled,
		}, err)
		assert.ErrorIs(t, err, context.Canceled)
		assert.EqualError(t, err, "chanx: not stopped after 10s: a, c "+
			"(stopping because: context canceled)")
		all[0].exit(nil)
		all[2].exit(nil)
		assert.Equal(t, "a stopped, b stopped, c stopped, d stopped", h.states())
	})
}

func TestStopTimeoutAfterGivingUpWrapsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{StopTimeout: time.Second})
		a, b := h.worker("a"), h.worker("b")
		b.deaf = true
		h.add(chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}, a, b)
		h.start()
		a.exit(errSet)
		a.panic("the last one")
		err := <-h.result
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"b"}, late.Workers)
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, err, &limit)
		var p *chanx.PanicError
		require.ErrorAs(t, err, &p)
		assert.Equal(t, "the last one", p.Value)
		b.exit(nil)
	})
}

// The workers' context carries values, and ends only in their turn.
func TestWorkerContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		h := newHarness(t, chanx.SupervisorOptions{})
		h.ctx = context.WithValue(h.ctx, key{}, "value")
		all := h.workers(atOnce, "a b")
		all[1].linger = time.Second
		h.start()
		var ctx context.Context
		all[0].do(func(c context.Context) error { ctx = c; return errGoOn })
		assert.Equal(t, "value", ctx.Value(key{}))
		_, limited := ctx.Deadline()
		assert.False(t, limited)
		h.cancel(nil)
		pause(time.Second - 1)
		assert.NoError(t, ctx.Err(), "b is not done yet")
		pause(1)
		assert.Equal(t, context.Canceled, ctx.Err())
		<-h.result
	})
}

// What a run started with its context ends with the run.
func TestWorkerContextEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		h.start()
		var ctx context.Context
		a.do(func(c context.Context) error { ctx = c; return nil })
		assert.Equal(t, context.Canceled, ctx.Err())
		assert.Equal(t, "a running", h.states())
		h.end()
	})
}

// A context.Canceled from elsewhere is a failure, not a shutdown.
func TestForeignCancelIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		h.start()
		a.exit(context.Canceled)
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestGoexitIsAnExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		h.start()
		a.do(func(context.Context) error { runtime.Goexit(); return nil })
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, chanx.ErrGoexit, h.status("a").Exits[0].Err)
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestOneForOneRestartsAloneAtTheEndOfBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(everyOne(time.Second), "a b")
		h.start()
		all[0].exit(errSet)
		pause(time.Second - 1)
		assert.Equal(t, "a backing off, b running", h.states())
		pause(1)
		assert.Equal(t, []string{"0s +a +b -a", "1s +a"}, h.played())
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestStopDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(everyOne(time.Second), "a b")
		all[1].linger = 2 * time.Second // the backoff ends meanwhile
		h.start()
		all[0].exit(errSet)
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, "a stopped, b stopped", h.states())
		pause(time.Hour)
		assert.Equal(t, []string{"0s +a +b -a", "2s -b"}, h.played())
	})
}

func TestCrashOnPanicCrashesRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a, b := h.worker("a"), h.worker("b")
		told := make(chan chanx.Event, 9)
		h.add(chanx.RestartPolicy{CrashOnPanic: true, MinBackoff: -1,
			OnEvent: func(e chanx.Event) {
				time.Sleep(time.Millisecond)
				told <- e
			}}, a)
		h.add(atOnce, b)
		b.linger = time.Hour
		crashed := make(chan any, 1)
		go func() {
			defer func() { crashed <- recover() }()
			_ = h.Run(h.ctx)
		}()
		synctest.Wait()
		a.exit(errSet) // an error is no crash
		assert.Equal(t, int32(2), a.runs.Load())
		a.orders <- func(context.Context) error { panic(errSet) }
		p, ok := (<-crashed).(*chanx.PanicError)
		require.True(t, ok)
		assert.Equal(t, errSet, p.Value)
		assert.Contains(t, string(p.Stack), "chanx_test.TestCrashOnPanic")
		assert.Equal(t, 4*time.Millisecond, time.Since(h.born), "hooks are told first")
		assert.Len(t, told, 4)
		assert.Equal(t, "a failed, b running", h.states())
		pause(time.Hour)
		assert.Equal(t, "a failed, b stopped", h.states(), "cancelled, not waited for")
		assert.ErrorIs(t, b.stoppedFor(), chanx.ErrStopping)
		assert.ErrorIs(t, b.stoppedFor(), p, "why it stops")
	})
}

// All are cancelled at the crash, not one after the other.
func TestACrashCancelsAllTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(chanx.RestartPolicy{CrashOnPanic: true}, "a b c")
		all[0].linger, all[2].linger = time.Second, 2*time.Second
		crashed := make(chan any, 1)
		go func() {
			defer func() { crashed <- recover() }()
			_ = h.Run(h.ctx)
		}()
		synctest.Wait()
		all[1].panic(errSet)
		assert.IsType(t, &chanx.PanicError{}, <-crashed)
		pause(time.Minute)
		assert.Equal(t, []string{"0s +a +b +c -b", "1s -a", "2s -c"}, h.played())
	})
}

func TestReplaceStalledInASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.worker("a")
		a.deaf = true
		h.add(chanx.RestartPolicy{MinBackoff: -1, Heartbeat: time.Second,
			ReplaceStalled: true}, a)
		b := h.workers(atOnce, "b")[0]
		h.start()
		pause(time.Second)
		assert.Equal(t, int32(1), a.runs.Load())
		pause(1)
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, int32(2), a.live.Load(), "beside the old one")
		assert.Equal(t, "a running, b running", h.states())
		exits := h.status("a").Exits
		require.Len(t, exits, 1)
		assert.Equal(t, chanx.ErrStalled, exits[0].Err)

		pause(time.Second + 1)
		assert.Equal(t, int32(3), a.runs.Load())
		assert.Equal(t, 2, h.status("a").Restarts)
		assert.Equal(t, int32(1), b.runs.Load(), "b is left alone")
		a.deaf = false
		for a.live.Load() > 1 { // any run takes it; the last is a successor
			a.exit(errSet)
		}
		a.exit(errSet)
		assert.Equal(t, context.Canceled, h.end())
	})
}

func TestRunReturnsBesideStrays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		var runs atomic.Int32 // two runs at once
		release := make(chan error)
		require.NoError(t, h.Add("a", func(ctx context.Context) error {
			if runs.Add(1) == 1 {
				return <-release
			}
			for ctx.Err() == nil {
				chanx.Beat(ctx)
				time.Sleep(time.Millisecond)
			}
			return nil
		}, chanx.RestartPolicy{MinBackoff: -1, Heartbeat: time.Second,
			ReplaceStalled: true}))
		h.start()
		pause(time.Minute)
		assert.Equal(t, int32(2), runs.Load())
		before := time.Now()
		assert.Equal(t, context.Canceled, h.end())
		assert.LessOrEqual(t, time.Since(before), time.Millisecond)
		release <- errSet
		synctest.Wait()
		exits := h.status("a").Exits
		require.Len(t, exits, 3, "stalled, stopped, and the late end")
		assert.Equal(t, chanx.ErrStalled, exits[0].Err)
		assert.NoError(t, exits[1].Err)
		assert.ErrorIs(t, exits[2].Err, chanx.ErrStalled)
		assert.ErrorIs(t, exits[2].Err, errSet)
		assert.Equal(t, "a stopped", h.states())
	})
}

func TestExtremeStopTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{StopTimeout: math.MaxInt64})
		for _, a := range h.workers(atOnce, "a b") {
			a.linger = time.Hour
		}
		h.start()
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, []string{"0s +a +b", "1h0m0s -b", "2h0m0s -a"}, h.played())
	})
}

// The set counts the restarts of a live run without changing them: the runs of
// the worker that hangs look healthy to it for a while, and are not.
func TestCountingForTheSetChangesNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 3})
		hangs := h.worker("hangs")
		hangs.deaf = true
		h.add(chanx.RestartPolicy{
			MinBackoff: -1, Heartbeat: 2 * time.Minute, ReplaceStalled: true, MaxRestarts: 2,
		}, hangs)
		fails := h.workers(atOnce, "fails")[0]
		h.start()
		for range 24 * 60 / 5 { // five minutes are a healthy run
			pause(90 * time.Second)
			if _, over := h.over(); over {
				break
			}
			fails.exit(errSet)
		}
		assert.LessOrEqual(t, hangs.runs.Load(), int32(3))
		h.cancel(nil)
		pause(time.Minute)
		for range hangs.live.Load() {
			hangs.exit(nil)
		}
	})
}

// A worker that has ended for good takes its restarts with it.
func TestTheEndedDoNotUseUpTheSetsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 3})
		all := h.workers(atOnce, "ends runs")
		h.start()
		for range 3 {
			all[0].exit(errSet)
		}
		all[0].exit(chanx.ErrStop)
		pause(365 * 24 * time.Hour)
		for range 3 {
			all[1].exit(errSet)
		}
		_, over := h.over()
		require.False(t, over)
		all[1].exit(errSet)
		assert.ErrorIs(t, <-h.result, errSet)
	})
}

// Within is a window, of a worker as of a set: healthy runs do not empty it.
func TestAWindowIsNotEmptiedByAHealthyRun(t *testing.T) {
	worker := func(runs *int) func(context.Context) error {
		return func(context.Context) error {
			*runs++
			time.Sleep(2 * time.Minute)
			return errSet
		}
	}
	limit := chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 3, Within: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
		defer cancel()
		runs := 0
		assert.ErrorIs(t, chanx.Supervise(ctx, worker(&runs), limit), errSet)
		assert.Equal(t, 4, runs)
	})
	for _, policy := range []chanx.RestartPolicy{atOnce, limit} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
			defer cancel()
			runs := 0
			s := chanx.NewSupervisor(chanx.SupervisorOptions{
				MaxRestarts: 3, Within: time.Hour,
			})
			require.NoError(t, s.Add("a", worker(&runs), policy))
			assert.ErrorIs(t, s.Run(ctx), errSet)
			assert.Equal(t, 4, runs)
		})
	}
}

// Without MaxRestarts too, a worker that always hangs leaks only so many.
func TestTheLeakIsBounded(t *testing.T) {
	for name, run := range map[string]func(ctx context.Context, w worker, p chanx.RestartPolicy) error{
		"Supervise": chanx.Supervise,
		"Supervisor": func(ctx context.Context, w worker, p chanx.RestartPolicy) error {
			s := chanx.NewSupervisor(chanx.SupervisorOptions{})
			_ = s.Add("a", w, p)
			return s.Run(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				var live, most atomic.Int64
				gate := make(chan struct{})
				time.AfterFunc(23*time.Hour, func() { close(gate) })
				policy := every(time.Second)
				policy.Heartbeat, policy.ReplaceStalled = 10*time.Second, true
				_ = run(ctx, func(ctx context.Context) error {
					most.Store(max(most.Load(), live.Add(1)))
					defer live.Add(-1)
					<-gate
					beatUntil(ctx, ctx.Done())
					return nil
				}, policy)
				assert.EqualValues(t, 17, most.Load(), "16 leaked, and the one that runs")
				synctest.Wait()
				assert.Zero(t, live.Load())
			})
		})
	}
}

// With a window that is never full, one more than MaxRestarts are leaked.
func TestTheLeakIsBoundedByMaxRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var live atomic.Int64
		gate := make(chan struct{})
		policy := every(time.Second)
		policy.Heartbeat, policy.ReplaceStalled = time.Second, true
		policy.MaxRestarts, policy.Within = 16, 20*time.Second
		time.AfterFunc(time.Hour, func() {
			assert.EqualValues(t, 18, live.Load(), "17 leaked, and the last")
			close(gate)
		})
		assert.Equal(t, context.DeadlineExceeded, chanx.Supervise(ctx,
			func(context.Context) error { live.Add(1); <-gate; return nil }, policy))
	})
}

// A sibling that is being stopped for a restart gets StopTimeout, like everyone
// that is to stop, and not a successor as well.
func TestASiblingThatStopsIsNotReplaced(t *testing.T) {
	for _, opts := range []chanx.SupervisorOptions{oneForAll, restForOne} {
		synctest.Test(t, func(t *testing.T) {
			h := newHarness(t, opts)
			fails := h.workers(atOnce, "fails")[0]
			slow := h.worker("slow")
			slow.linger = 9 * time.Second
			h.add(watchedWorker, slow)
			h.start()
			fails.exit(errSet)
			pause(9 * time.Second)
			assert.Equal(t, int32(1), slow.most.Load())
			assert.Equal(t, int32(2), slow.runs.Load())
			assert.Equal(t, context.Canceled, h.end())
		})
	}
}

// doneContext is done and has no error, which no context should.
type doneContext struct {
	context.Context
	done chan struct{}
}

func (c doneContext) Done() <-chan struct{} { return c.done }
func (c doneContext) Err() error            { return nil }

func TestDoneContextWithoutError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := doneContext{context.Background(), make(chan struct{})}
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		h.ctx = ctx
		h.start()
		result := make(chan error, 1)
		go func() { result <- chanx.Supervise(ctx, byErrorOf(errSet), everyOne(time.Hour)) }()
		synctest.Wait()
		close(ctx.done)
		assert.Equal(t, context.Canceled, <-h.result)
		assert.Equal(t, chanx.ErrStopping, a.stoppedFor())
		assert.Equal(t, context.Canceled, <-result)
		assert.Zero(t, time.Since(h.born))
	})
}

// As soon as it is done, nothing is started, or goes on, with such a context.
func TestWorkersOfADoneContextWithoutError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := doneContext{context.Background(), make(chan struct{})}
		result := make(chan error, 2)
		go func() {
			result <- chanx.Supervise(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}, atOnce)
		}()
		go func() { result <- chanx.Supervise(ctx, byErrorOf(errSet), every(time.Second)) }()
		pause(time.Minute)
		close(ctx.done)
		assert.Equal(t, context.Canceled, <-result)
		assert.Equal(t, context.Canceled, <-result)
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		a.linger = time.Second
		h.start()
		assert.Equal(t, context.Canceled, h.Restart(ctx, "a"))
		assert.Equal(t, context.Canceled, h.Remove(ctx, "a"))
		assert.Equal(t, context.Canceled, chanx.Supervise(ctx, byErrorOf(errSet), atOnce))
		assert.Equal(t, context.Canceled, chanx.NewSupervisor(oneForAll).Run(ctx))
		assert.Equal(t, []string{"0s +a"}, h.played(), "still there")
		later := func() context.Context { return &laterContext{Context: context.Background()} }
		assert.Equal(t, context.Canceled, h.Restart(later(), "a"))
		assert.Equal(t, context.Canceled, h.Remove(later(), "a"))
		h.end()
	})
}

// laterContext is done as soon as it was asked once whether it is.
type laterContext struct {
	context.Context
	asked int
}

func (c *laterContext) Done() <-chan struct{} {
	if c.asked++; c.asked == 1 {
		return nil
	}
	return done().Done()
}

// rogueContext panics, or worse, when it is asked for a value.
type rogueContext struct {
	context.Context
	value func()
}

func (c rogueContext) Value(any) any { c.value(); return nil }

// A ctx that ends Run takes the workers along.
func TestRunEndedByItsContext(t *testing.T) {
	for name, value := range map[string]func(){
		"panic": func() { panic("no") }, "Goexit": runtime.Goexit,
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHarness(t, chanx.SupervisorOptions{})
			a := h.workers(atOnce, "a")[0]
			go func() {
				defer func() { _ = recover(); h.result <- nil }()
				_ = h.Run(rogueContext{h.ctx, value})
			}()
			assert.NoError(t, <-h.result)
			synctest.Wait()
			assert.Equal(t, "a stopped", h.states(), name)
			assert.Equal(t, chanx.ErrStopping, a.stoppedFor())
			assert.False(t, h.Health().Ready)
			assert.Error(t, h.Add("b", idle, atOnce))
		})
	}
}

// A worker that is removed is so reported, even if ctx is done as well.
func TestRemoveAndDoneAtOnce(t *testing.T) {
	for range 64 {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.workers(atOnce, "a")
		require.NoError(t, h.Remove(&laterContext{Context: context.Background()}, "a"))
	}
}

func byErrorOf(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// What Add has accepted is started, and Run does not return before it has
// ended; and nothing is accepted that is not.
func TestAddAtTheEnd(t *testing.T) {
	manyProcs(t)
	limited := chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}
	for name, last := range map[string]struct {
		err    error
		policy chanx.RestartPolicy
	}{"ended": {chanx.ErrStop, atOnce}, "given up": {errSet, limited}} {
		t.Run(name, func(t *testing.T) {
			for range rounds(100_000) / 20 {
				s := chanx.NewSupervisor(chanx.SupervisorOptions{})
				release := make(chan struct{})
				require.NoError(t, s.Add("a", func(context.Context) error {
					<-release
					return last.err
				}, last.policy))
				var all sync.WaitGroup
				var added bool
				var stopped atomic.Bool
				all.Go(func() {
					<-release
					for range 3 {
						runtime.Gosched()
					}
					added = s.Add("late", func(ctx context.Context) error {
						if name == "given up" {
							<-ctx.Done()
						}
						stopped.Store(ctx.Err() != nil)
						return chanx.ErrStop
					}, atOnce) == nil
				})
				all.Go(func() { close(release) })
				err := s.Run(context.Background())
				all.Wait()
				if err == nil && added && stopped.Load() {
					t.Fatal("Add returned nil, the worker was stopped, and Run returned nil")
				}
			}
		})
	}
}

// After EventGiveUp the set is over, and takes no more workers.
func TestAddAfterGivingUp(t *testing.T) {
	manyProcs(t)
	for range 300 {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		var accepted atomic.Bool
		policy := chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}
		policy.OnEvent = func(e chanx.Event) {
			if e.Kind == chanx.EventGiveUp {
				accepted.Store(s.Add("late", idle, atOnce) == nil)
			}
		}
		require.NoError(t, s.Add("a", func(context.Context) error { return errSet }, policy))
		require.ErrorIs(t, s.Run(context.Background()), errSet)
		require.False(t, accepted.Load())
	}
}

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
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.cast(atOnce, "a b")
		assert.Empty(t, tr.played(), "not before Run")
		assert.Equal(t, "a starting, b starting", tr.states())
		tr.start()
		assert.Equal(t, []string{"0s +a +b"}, tr.played())
		pause(time.Second)
		c := tr.cast(atOnce, "c")[0]
		assert.Equal(t, []string{"1s +c"}, tr.played())
		assert.Equal(t, "a running, b running, c running", tr.states())

		c.linger = time.Second
		tr.cancel(nil)
		synctest.Wait()
		err := tr.Add("d", c.work, atOnce)
		assert.EqualError(t, err, `chanx: cannot add worker "d": supervisor has stopped`)
		assert.Equal(t, context.Canceled, <-tr.result)
		assert.Error(t, tr.Add("d", c.work, atOnce))
		assert.Len(t, tr.Status(), 3)
	})
}

func TestAddRefusesEmptyAndTakenNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		assert.EqualError(t, tr.Add("", a.work, atOnce), "chanx: worker without a name")
		taken := `chanx: there is a worker "a" already`
		assert.EqualError(t, tr.Add("a", a.work, atOnce), taken)
		tr.start()
		assert.EqualError(t, tr.Add("a", a.work, atOnce), taken)

		a.deaf = true
		a.exit(errSet) // the next run is deaf
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, tr.Remove(ctx, "a"))
		assert.EqualError(t, tr.Add("a", a.work, atOnce), taken, "being removed")
		a.exit(nil)
		assert.NoError(t, tr.Add("a", tr.actor("a").work, atOnce))
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestAddAWorkerThatHasEndedForGoodKeepsItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a b")[0]
		tr.start()
		a.exit(chanx.ErrStop)
		assert.Error(t, tr.Add("a", a.work, atOnce))
		assert.NoError(t, tr.Remove(context.Background(), "a"))
		assert.NoError(t, tr.Add("a", a.work, atOnce))
		assert.Equal(t, context.Canceled, tr.end())
		assert.Equal(t, int32(2), a.runs.Load())
	})
}

func TestRemove(t *testing.T) {
	type scene struct {
		tr *troupe
		a  *actor
	}
	for name, tc := range map[string]struct {
		before func(scene)
		takes  time.Duration
		plays  []string
	}{
		"running": {
			func(s scene) { s.tr.start() },
			0, []string{"0s +a +b", "1s -a"},
		},
		"running and slow": {
			func(s scene) { s.a.linger = time.Hour; s.tr.start() },
			time.Hour, []string{"0s +a +b", "1h0m1s -a"},
		},
		"backing off": {
			func(s scene) { s.tr.start(); s.a.exit(errSet) },
			0, []string{"0s +a +b -a"},
		},
		"ended": {
			func(s scene) { s.tr.start(); s.a.exit(chanx.ErrStop) },
			0, []string{"0s +a +b -a"},
		},
		"never started": {func(scene) {}, 0, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTroupe(t, chanx.SupervisorOptions{})
				a := tr.cast(everyOne(time.Minute), "a b")[0]
				tc.before(scene{tr, a})
				pause(time.Second)
				before := time.Now()
				require.NoError(t, tr.Remove(context.Background(), "a"))
				assert.Equal(t, tc.takes, time.Since(before))
				assert.Equal(t, tc.plays, tr.played())
				require.Len(t, tr.Status(), 1)
				assert.Equal(t, "b", tr.Status()[0].Name)
				assert.EqualError(t, tr.Remove(context.Background(), "a"),
					`chanx: there is no worker "a"`)
				pause(2 * time.Minute)
				assert.Empty(t, tr.played(), "it does not come back")
				if name != "never started" {
					assert.Equal(t, context.Canceled, tr.end())
				}
			})
		})
	}
}

func TestRemoveTellsTheWorkerWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(atOnce, "a b")
		tr.start()
		require.NoError(t, tr.Remove(context.Background(), "a"))
		assert.Equal(t, chanx.ErrRemoved, all[0].stoppedFor())
		tr.end()
		assert.EqualError(t, all[1].stoppedFor(),
			"chanx: supervisor is stopping: context canceled")
		assert.ErrorIs(t, all[1].stoppedFor(), chanx.ErrStopping)
	})
}

func TestRemoveWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(atOnce, "a b")
		all[0].linger, all[1].linger = time.Second, time.Second
		tr.start()
		tr.cancel(nil)
		synctest.Wait() // b is told, a is not yet
		require.NoError(t, tr.Remove(context.Background(), "a"))
		assert.Equal(t, []string{"0s +a +b", "1s -b -a"}, sortedStops(tr))
		assert.Equal(t, context.Canceled, <-tr.result)
		assert.Equal(t, "b stopped", tr.states())
		require.NoError(t, tr.Remove(context.Background(), "b"))
		assert.Empty(t, tr.Status())
	})
}

// sortedStops is played, where two workers stop at the same moment.
func sortedStops(tr *troupe) []string {
	lines := tr.played()
	for i, l := range lines {
		if l == "1s -a -b" {
			lines[i] = "1s -b -a"
		}
	}
	return lines
}

func TestRemoveReturnsWhenItsContextIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a b")[0]
		a.linger = time.Minute
		tr.start()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		before := time.Now()
		assert.Equal(t, context.DeadlineExceeded, tr.Remove(ctx, "a"))
		assert.Equal(t, time.Second, time.Since(before))
		assert.Len(t, tr.Status(), 2, "it still runs")
		time.Sleep(59*time.Second - 1)
		assert.Len(t, tr.Status(), 2)
		pause(1)
		assert.Len(t, tr.Status(), 1, "forgotten when it stops")
		assert.Equal(t, context.Canceled, tr.end())
		assert.Equal(t, int32(1), a.runs.Load())
	})
}

func TestRemoveWithACancelledContextDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.cast(atOnce, "a")
		tr.start()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		assert.Equal(t, context.Canceled, tr.Remove(ctx, "a"))
		assert.Equal(t, "a running", tr.states())
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestRemoveByTheWorkerItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a b")[0]
		tr.start()
		var got error
		a.do(func(ctx context.Context) error {
			got = tr.Remove(ctx, "a")
			return got
		})
		assert.Equal(t, context.Canceled, got)
		assert.Equal(t, "b running", tr.states())
		assert.Equal(t, context.Canceled, tr.end())
		assert.Equal(t, int32(1), a.runs.Load())
	})
}

func TestRemoveTwiceWaitsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.cast(atOnce, "a b")[0].linger = time.Second
		tr.start()
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- tr.Remove(context.Background(), "a") }()
		}
		pause(time.Second - 1)
		assert.Empty(t, results)
		pause(1)
		assert.NoError(t, <-results)
		assert.NoError(t, <-results)
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestRemoveTheLastWorkerWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.cast(atOnce, "a")
		tr.start()
		require.NoError(t, tr.Remove(context.Background(), "a"))
		pause(time.Hour)
		_, over := tr.over()
		assert.False(t, over)
		b := tr.cast(atOnce, "b")[0]
		assert.Equal(t, []string{"0s +a -a", "1h0m0s +b"}, tr.played())
		b.exit(chanx.ErrStop)
		assert.NoError(t, <-tr.result)
	})
}

// What is left has ended for good already.
func TestRemoveTheLastWorkerThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(atOnce, "a b")
		tr.start()
		all[0].exit(chanx.ErrStop)
		require.NoError(t, tr.Remove(context.Background(), "b"))
		assert.NoError(t, <-tr.result)
	})
}

func TestRunWithADoneContextStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.cast(atOnce, "a")
		tr.cancel(errSet)
		assert.Equal(t, context.Canceled, tr.Run(tr.ctx))
		assert.Empty(t, tr.played())
		tr.ctx = context.Background()
		tr.cast(atOnce, "b")
		assert.Equal(t, "a starting, b starting", tr.states(), "still to be run")
	})
}

func TestRunReturnsNilOnceAllHaveEndedForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		b, c := tr.actor("b"), tr.actor("c")
		tr.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure}, b)
		tr.add(chanx.RestartPolicy{Restart: chanx.RestartNever}, c)
		tr.start()
		b.exit(nil)
		c.exit(errSet)
		_, over := tr.over()
		assert.False(t, over)
		assert.Equal(t, "a running, b stopped, c failed", tr.states())
		a.exit(fmt.Errorf("wrapped: %w", chanx.ErrStop))
		err, over := tr.over()
		assert.True(t, over)
		assert.NoError(t, err)
		assert.Equal(t, "a stopped, b stopped, c failed", tr.states())
		assert.Equal(t, []string{"0s +a +b +c -b -c -a"}, tr.played())
	})
}

func TestRunWithoutWorkersWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.start()
		pause(24 * time.Hour)
		_, over := tr.over()
		assert.False(t, over)
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestRunTwiceAtOnceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.cast(atOnce, "a")[0].linger = time.Second
		tr.start()
		const already = "chanx: supervisor is running already"
		assert.EqualError(t, tr.Run(context.Background()), already)
		tr.cancel(nil)
		synctest.Wait()
		assert.EqualError(t, tr.Run(context.Background()), already, "stopping")
		assert.Equal(t, context.Canceled, <-tr.result)
	})
}

func TestRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(everyOne(time.Second), "a b")
		tr.start()
		all[0].exit(errSet) // backing off when the set stops
		all[1].exit(chanx.ErrStop)
		assert.Equal(t, context.Canceled, tr.end())
		assert.Equal(t, "a stopped, b stopped", tr.states())
		pause(time.Hour)
		tr.played()

		tr.ctx, tr.cancel = context.WithCancelCause(context.Background())
		tr.start()
		assert.Equal(t, []string{"1h0m0s +a +b"}, tr.played(), "all anew")
		require.Len(t, tr.status("a").Exits, 1)
		assert.Equal(t, errSet, tr.status("a").Exits[0].Err, "kept")
		all[1].exit(chanx.ErrStop)
		_, over := tr.over()
		assert.False(t, over, "a is alive")
		assert.Len(t, tr.status("b").Exits, 2)
		all[0].exit(chanx.ErrStop)
		assert.NoError(t, <-tr.result, "b has ended once more")
	})
}

func TestRunAgainWaitsForLateWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{StopTimeout: time.Second})
		a := tr.cast(atOnce, "a b")[0]
		a.deaf = true
		tr.start()
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, tr.end(), &late)
		err := tr.Run(context.Background())
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"a"}, late.Workers)
		assert.NotErrorIs(t, err, context.Canceled)
		assert.Equal(t, "a running, b stopped", tr.states())
		a.exit(errSet)
		exits := tr.status("a").Exits
		require.Len(t, exits, 1)
		assert.Equal(t, errSet, exits[0].Err, "its end is still noted")
		assert.True(t, exits[0].Final)
		assert.Equal(t, "a stopped, b stopped", tr.states())
		a.deaf = false
		tr.ctx, tr.cancel = context.WithCancelCause(context.Background())
		tr.start()
		assert.Equal(t, "a running, b running", tr.states())
		assert.Equal(t, context.Canceled, tr.end())
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
				tr := newTroupe(t, tt.opts)
				a := tr.cast(tt.policy, "a")[0]
				for range 2 {
					tr.ctx, tr.cancel = context.WithCancelCause(context.Background())
					tr.start()
					a.exit(errSet)
					a.exit(errSet)
					assert.Equal(t, context.Canceled, tr.end())
				}
			})
		})
	}
}

// A restart that was waiting when Run returned does not come in the next one.
func TestRunAgainForgetsOldBackoffs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(everyOne(time.Second), "a")[0]
		tr.start()
		a.exit(errSet)
		tr.end()
		tr.ctx, tr.cancel = context.WithCancelCause(context.Background())
		tr.start()
		pause(time.Second - 1)
		a.exit(errSet)
		pause(1)
		assert.Equal(t, "a backing off", tr.states())
		pause(time.Second - 2)
		assert.Equal(t, "a backing off", tr.states())
		pause(1)
		assert.Equal(t, "a running", tr.states())
		assert.Equal(t, int32(1), a.most.Load())
		tr.end()
	})
}

func TestRunGivesUpWithAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.actor("a")
		tr.add(chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}, a)
		b := tr.cast(atOnce, "b")[0]
		b.linger = time.Second
		tr.start()
		a.exit(errSet)
		a.exit(errSet)
		_, over := tr.over()
		assert.False(t, over, "b is being stopped")
		err := <-tr.result
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, err, &limit)
		assert.Equal(t, 1, limit.Restarts)
		assert.EqualError(t, limit.Last, `worker "a": boom`)
		assert.ErrorIs(t, err, errSet)
		assert.Equal(t, "a failed, b stopped", tr.states())
		assert.Equal(t, []string{"0s +a +b -a +a -a", "1s -b"}, tr.played())
	})
}

func TestRunGivesUpOnAWorkerThatReturnsNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 1})
		a := tr.cast(atOnce, "a")[0]
		tr.start()
		a.exit(nil)
		a.exit(nil)
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, <-tr.result, &limit)
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
				tr := newTroupe(t, chanx.SupervisorOptions{
					MaxRestarts: 2, Within: 2 * time.Second,
				})
				all := tr.cast(atOnce, "a b c")
				tr.start()
				all[0].exit(errSet)
				pause(tc.spacing)
				all[1].exit(errSet)
				pause(time.Second)
				all[2].exit(errSet)
				err, over := tr.over()
				require.Equal(t, tc.gaveUp, over)
				if !over {
					assert.Equal(t, context.Canceled, tr.end())
					return
				}
				var limit *chanx.RestartLimitError
				require.ErrorAs(t, err, &limit)
				assert.Equal(t, 2, limit.Restarts)
				assert.Equal(t, 2*time.Second, limit.Within)
				assert.EqualError(t, limit.Last, `worker "c": boom`)
				assert.Equal(t, "a stopped, b stopped, c failed", tr.states())
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
				tr := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 3})
				all := tr.cast(atOnce, "a b")
				tr.start()
				a, b := all[0], all[1]
				a.exit(errSet)
				a.exit(errSet)
				pause(tc.healthy) // a's restarts are forgotten, or not
				b.exit(errSet)    // of a run that was healthy or not
				b.exit(errSet)
				err, over := tr.over()
				require.Equal(t, tc.gaveUp, over)
				if !over {
					b.exit(errSet)
					_, over = tr.over()
					require.False(t, over, "three are allowed")
					b.exit(errSet)
					err, over = tr.over()
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
				tr := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 1})
				a, b := tr.cast(tt.policy, "a")[0], tr.cast(atOnce, "b")[0]
				tr.start()
				a.exit(errSet)
				pause(2 * time.Minute)
				b.exit(errSet)
				_, over := tr.over()
				assert.Equal(t, tt.gaveUp, over)
				if !over {
					tr.end()
				}
			})
		})
	}
}

// What is left when the healthy are forgiven may be all there is to use.
func TestSetLimitIsReachedToTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 3})
		all := tr.cast(atOnce, "a b")
		tr.start()
		all[0].exit(errSet)
		all[1].exit(errSet)
		pause(30 * time.Second)
		all[1].exit(errSet)
		pause(31 * time.Second)
		all[1].exit(errSet) // a is healthy by now
		_, over := tr.over()
		assert.False(t, over, "three are left")
		all[1].exit(errSet)
		assert.ErrorIs(t, <-tr.result, errSet)
	})
}

func TestStopOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		for _, a := range tr.cast(atOnce, "a b c") {
			a.linger = time.Second
		}
		tr.start()
		assert.Equal(t, context.Canceled, tr.end())
		assert.Equal(t, []string{"0s +a +b +c", "1s -c", "2s -b", "3s -a"}, tr.played())
	})
}

// c gets a third of 12 s, b half of what is left, a the rest of it.
func TestStopShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{StopTimeout: 12 * time.Second})
		all := tr.cast(atOnce, "a b c")
		a, b, c := all[0], all[1], all[2]
		c.linger = 12*time.Second - 1 // in time, though past its share
		b.linger = 2 * time.Second
		a.deaf = true
		tr.start()
		err := tr.end()
		assert.Equal(t, 12*time.Second, time.Since(tr.born))
		assert.Equal(t, []string{"0s +a +b +c", "6s -b", "11.999999999s -c"}, tr.played())
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"a"}, late.Workers)
		a.exit(nil)
	})
}

func TestStopTimeoutNamesWhoDidNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(atOnce, "a b c d")
		all[0].deaf, all[2].deaf = true, true
		tr.start()
		err := tr.end()
		assert.Equal(t, 10*time.Second, time.Since(tr.born), "the default")
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
		assert.Equal(t, "a stopped, b stopped, c stopped, d stopped", tr.states())
	})
}

func TestStopTimeoutAfterGivingUpWrapsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{StopTimeout: time.Second})
		a, b := tr.actor("a"), tr.actor("b")
		b.deaf = true
		tr.add(chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}, a, b)
		tr.start()
		a.exit(errSet)
		a.panic("the last one")
		err := <-tr.result
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
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.ctx = context.WithValue(tr.ctx, key{}, "value")
		all := tr.cast(atOnce, "a b")
		all[1].linger = time.Second
		tr.start()
		var ctx context.Context
		all[0].do(func(c context.Context) error { ctx = c; return errGoOn })
		assert.Equal(t, "value", ctx.Value(key{}))
		_, limited := ctx.Deadline()
		assert.False(t, limited)
		tr.cancel(nil)
		pause(time.Second - 1)
		assert.NoError(t, ctx.Err(), "b is not done yet")
		pause(1)
		assert.Equal(t, context.Canceled, ctx.Err())
		<-tr.result
	})
}

// What a run started with its context ends with the run.
func TestWorkerContextEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		tr.start()
		var ctx context.Context
		a.do(func(c context.Context) error { ctx = c; return nil })
		assert.Equal(t, context.Canceled, ctx.Err())
		assert.Equal(t, "a running", tr.states())
		tr.end()
	})
}

// A context.Canceled from elsewhere is a failure, not a shutdown.
func TestForeignCancelIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		tr.start()
		a.exit(context.Canceled)
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestGoexitIsAnExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		tr.start()
		a.do(func(context.Context) error { runtime.Goexit(); return nil })
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, chanx.ErrGoexit, tr.status("a").Exits[0].Err)
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestOneForOneRestartsAloneAtTheEndOfBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(everyOne(time.Second), "a b")
		tr.start()
		all[0].exit(errSet)
		pause(time.Second - 1)
		assert.Equal(t, "a backing off, b running", tr.states())
		pause(1)
		assert.Equal(t, []string{"0s +a +b -a", "1s +a"}, tr.played())
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestStopDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(everyOne(time.Second), "a b")
		all[1].linger = 2 * time.Second // the backoff ends meanwhile
		tr.start()
		all[0].exit(errSet)
		assert.Equal(t, context.Canceled, tr.end())
		assert.Equal(t, "a stopped, b stopped", tr.states())
		pause(time.Hour)
		assert.Equal(t, []string{"0s +a +b -a", "2s -b"}, tr.played())
	})
}

func TestCrashOnPanicCrashesRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a, b := tr.actor("a"), tr.actor("b")
		told := make(chan chanx.Event, 9)
		tr.add(chanx.RestartPolicy{CrashOnPanic: true, MinBackoff: -1,
			OnEvent: func(e chanx.Event) {
				time.Sleep(time.Millisecond)
				told <- e
			}}, a)
		tr.add(atOnce, b)
		b.linger = time.Hour
		crashed := make(chan any, 1)
		go func() {
			defer func() { crashed <- recover() }()
			_ = tr.Run(tr.ctx)
		}()
		synctest.Wait()
		a.exit(errSet) // an error is no crash
		assert.Equal(t, int32(2), a.runs.Load())
		a.orders <- func(context.Context) error { panic(errSet) }
		p, ok := (<-crashed).(*chanx.PanicError)
		require.True(t, ok)
		assert.Equal(t, errSet, p.Value)
		assert.Contains(t, string(p.Stack), "chanx_test.TestCrashOnPanic")
		assert.Equal(t, 4*time.Millisecond, time.Since(tr.born), "hooks are told first")
		assert.Len(t, told, 4)
		assert.Equal(t, "a failed, b running", tr.states())
		pause(time.Hour)
		assert.Equal(t, "a failed, b stopped", tr.states(), "cancelled, not waited for")
		assert.ErrorIs(t, b.stoppedFor(), chanx.ErrStopping)
		assert.ErrorIs(t, b.stoppedFor(), p, "why it stops")
	})
}

// All are cancelled at the crash, not one after the other.
func TestACrashCancelsAllTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(chanx.RestartPolicy{CrashOnPanic: true}, "a b c")
		all[0].linger, all[2].linger = time.Second, 2*time.Second
		crashed := make(chan any, 1)
		go func() {
			defer func() { crashed <- recover() }()
			_ = tr.Run(tr.ctx)
		}()
		synctest.Wait()
		all[1].panic(errSet)
		assert.IsType(t, &chanx.PanicError{}, <-crashed)
		pause(time.Minute)
		assert.Equal(t, []string{"0s +a +b +c -b", "1s -a", "2s -c"}, tr.played())
	})
}

func TestReplaceStalledInASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.actor("a")
		a.deaf = true
		tr.add(chanx.RestartPolicy{MinBackoff: -1, Heartbeat: time.Second,
			ReplaceStalled: true}, a)
		b := tr.cast(atOnce, "b")[0]
		tr.start()
		pause(time.Second)
		assert.Equal(t, int32(1), a.runs.Load())
		pause(1)
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, int32(2), a.live.Load(), "beside the old one")
		assert.Equal(t, "a running, b running", tr.states())
		exits := tr.status("a").Exits
		require.Len(t, exits, 1)
		assert.Equal(t, chanx.ErrStalled, exits[0].Err)

		pause(time.Second + 1)
		assert.Equal(t, int32(3), a.runs.Load())
		assert.Equal(t, 2, tr.status("a").Restarts)
		assert.Equal(t, int32(1), b.runs.Load(), "b is left alone")
		a.deaf = false
		for a.live.Load() > 1 { // whoever takes it; the last is a successor
			a.exit(errSet)
		}
		a.exit(errSet)
		assert.Equal(t, context.Canceled, tr.end())
	})
}

func TestRunReturnsBesideStrays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		var runs atomic.Int32 // one run is beside the other
		release := make(chan error)
		require.NoError(t, tr.Add("a", func(ctx context.Context) error {
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
		tr.start()
		pause(time.Minute)
		assert.Equal(t, int32(2), runs.Load())
		before := time.Now()
		assert.Equal(t, context.Canceled, tr.end())
		assert.LessOrEqual(t, time.Since(before), time.Millisecond)
		release <- errSet
		synctest.Wait()
		exits := tr.status("a").Exits
		require.Len(t, exits, 3, "stalled, stopped, and the late end")
		assert.Equal(t, chanx.ErrStalled, exits[0].Err)
		assert.NoError(t, exits[1].Err)
		assert.ErrorIs(t, exits[2].Err, chanx.ErrStalled)
		assert.ErrorIs(t, exits[2].Err, errSet)
		assert.Equal(t, "a stopped", tr.states())
	})
}

func TestExtremeStopTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{StopTimeout: math.MaxInt64})
		for _, a := range tr.cast(atOnce, "a b") {
			a.linger = time.Hour
		}
		tr.start()
		assert.Equal(t, context.Canceled, tr.end())
		assert.Equal(t, []string{"0s +a +b", "1h0m0s -b", "2h0m0s -a"}, tr.played())
	})
}

// The set counts the restarts of a live run without changing them: the runs of
// the worker that hangs look healthy to it for a while, and are not.
func TestCountingForTheSetChangesNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 3})
		hangs := tr.actor("hangs")
		hangs.deaf = true
		tr.add(chanx.RestartPolicy{
			MinBackoff: -1, Heartbeat: 2 * time.Minute, ReplaceStalled: true, MaxRestarts: 2,
		}, hangs)
		fails := tr.cast(atOnce, "fails")[0]
		tr.start()
		for range 24 * 60 / 5 { // five minutes are a healthy run
			pause(90 * time.Second)
			if _, over := tr.over(); over {
				break
			}
			fails.exit(errSet)
		}
		assert.LessOrEqual(t, hangs.runs.Load(), int32(3))
		tr.cancel(nil)
		pause(time.Minute)
		for range hangs.live.Load() {
			hangs.exit(nil)
		}
	})
}

// A worker that has ended for good takes its restarts with it.
func TestTheEndedDoNotUseUpTheSetsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 3})
		all := tr.cast(atOnce, "ends runs")
		tr.start()
		for range 3 {
			all[0].exit(errSet)
		}
		all[0].exit(chanx.ErrStop)
		pause(365 * 24 * time.Hour)
		for range 3 {
			all[1].exit(errSet)
		}
		_, over := tr.over()
		require.False(t, over)
		all[1].exit(errSet)
		assert.ErrorIs(t, <-tr.result, errSet)
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
// that is to stop, and not a successor beside it.
func TestASiblingThatStopsIsNotReplaced(t *testing.T) {
	for _, opts := range []chanx.SupervisorOptions{oneForAll, restForOne} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTroupe(t, opts)
			fails := tr.cast(atOnce, "fails")[0]
			slow := tr.actor("slow")
			slow.linger = 9 * time.Second
			tr.add(watchedWorker, slow)
			tr.start()
			fails.exit(errSet)
			pause(9 * time.Second)
			assert.Equal(t, int32(1), slow.most.Load())
			assert.Equal(t, int32(2), slow.runs.Load())
			assert.Equal(t, context.Canceled, tr.end())
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
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		tr.ctx = ctx
		tr.start()
		result := make(chan error, 1)
		go func() { result <- chanx.Supervise(ctx, byErrorOf(errSet), everyOne(time.Hour)) }()
		synctest.Wait()
		close(ctx.done)
		assert.Equal(t, context.Canceled, <-tr.result)
		assert.Equal(t, chanx.ErrStopping, a.stoppedFor())
		assert.Equal(t, context.Canceled, <-result)
		assert.Zero(t, time.Since(tr.born))
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
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		a.linger = time.Second
		tr.start()
		assert.Equal(t, context.Canceled, tr.Restart(ctx, "a"))
		assert.Equal(t, context.Canceled, tr.Remove(ctx, "a"))
		assert.Equal(t, context.Canceled, chanx.Supervise(ctx, byErrorOf(errSet), atOnce))
		assert.Equal(t, context.Canceled, chanx.NewSupervisor(oneForAll).Run(ctx))
		assert.Equal(t, []string{"0s +a"}, tr.played(), "still there")
		later := func() context.Context { return &laterContext{Context: context.Background()} }
		assert.Equal(t, context.Canceled, tr.Restart(later(), "a"))
		assert.Equal(t, context.Canceled, tr.Remove(later(), "a"))
		tr.end()
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
			tr := newTroupe(t, chanx.SupervisorOptions{})
			a := tr.cast(atOnce, "a")[0]
			go func() {
				defer func() { _ = recover(); tr.result <- nil }()
				_ = tr.Run(rogueContext{tr.ctx, value})
			}()
			assert.NoError(t, <-tr.result)
			synctest.Wait()
			assert.Equal(t, "a stopped", tr.states(), name)
			assert.Equal(t, chanx.ErrStopping, a.stoppedFor())
			assert.False(t, tr.Health().Ready)
			assert.Error(t, tr.Add("b", idle, atOnce))
		})
	}
}

// A worker that is removed is so reported, even if ctx is done as well.
func TestRemoveAndDoneAtOnce(t *testing.T) {
	for range 64 {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.cast(atOnce, "a")
		require.NoError(t, tr.Remove(&laterContext{Context: context.Background()}, "a"))
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

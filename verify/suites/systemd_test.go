package suites

// systemd.service(5), the table of exit causes and the effect of the Restart=
// settings, for no, always and on-failure; RestartSec=, RestartSteps= with
// RestartMaxDelaySec=, RestartPreventExitStatus= and, of systemd.unit(5),
// StartLimitBurst= with StartLimitIntervalSec=. An unclean exit code is an
// error, an unclean signal a panic or a runtime.Goexit, a timeout an error of
// a context that is not ours, the watchdog is Heartbeat with ReplaceStalled.
// on-success, on-abnormal, on-abort and on-watchdog have no counterpart.

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

func timingOut() error { return fmt.Errorf("start: %w", context.DeadlineExceeded) }

func TestSystemdRestartMatrix(t *testing.T) {
	causes := map[string]struct {
		way      func() error
		restarts [3]bool // always, on failure, never
	}{
		"clean exit":        {normally, [3]bool{true, false, false}},
		"unclean exit code": {failing, [3]bool{true, true, false}},
		"unclean signal":    {panicking, [3]bool{true, true, false}},
		"killed":            {exiting, [3]bool{true, true, false}},
		"timeout":           {timingOut, [3]bool{true, true, false}},
		"prevented status":  {stopping, [3]bool{false, false, false}},
	}
	for cause, c := range causes {
		for i, restarts := range c.restarts {
			mode := chanx.RestartMode(i)
			t.Run(fmt.Sprintf("%s, %v", cause, mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { restartCell(t, mode, c.way, restarts) })
			})
		}
	}
}

// restartCell makes a worker end once, with another that keeps the set running.
func restartCell(t *testing.T, mode chanx.RestartMode, way func() error, restarts bool) {
	a, keeper := newScripted("unit"), newScripted("keeper")
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	require.NoError(t, s.Add("unit", a.work, chanx.RestartPolicy{Restart: mode}))
	require.NoError(t, s.Add("keeper", keeper.work, chanx.RestartPolicy{}))
	r := run(t, s)
	a.orders <- way
	time.Sleep(time.Hour)
	want := 1
	if restarts {
		want = 2
	}
	require.EqualValues(t, want, a.starts.Load())
	require.Equal(t, want-1, s.Status()[0].Restarts)
	require.Equal(t, restarts, s.Status()[0].State == chanx.StateRunning)
	require.EqualValues(t, 1, keeper.starts.Load())
	require.Equal(t, context.Canceled, r.end())
	require.EqualValues(t, want, a.starts.Load(), "stopping the unit restarts it")
}

func TestSystemdWatchdog(t *testing.T) {
	for _, mode := range []chanx.RestartMode{
		chanx.RestartAlways, chanx.RestartOnFailure, chanx.RestartNever,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { watchdogCell(t, mode) })
		})
	}
}

// watchdogCell's worker beats for a while and then falls silent.
func watchdogCell(t *testing.T, mode chanx.RestartMode) {
	restarts := mode != chanx.RestartNever
	var starts atomic.Int64
	policy := chanx.RestartPolicy{
		Restart: mode, Heartbeat: time.Minute, ReplaceStalled: restarts,
	}
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	require.NoError(t, s.Add("unit", func(ctx context.Context) error {
		first := starts.Add(1) == 1
		for beats := 0; !first || beats < 10; beats++ {
			select {
			case <-time.After(time.Minute - time.Second):
				chanx.Beat(ctx)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}, policy))
	r := run(t, s)
	time.Sleep(10 * (time.Minute - time.Second))
	require.EqualValues(t, 1, starts.Load(), "it beats")
	time.Sleep(time.Hour)
	if restarts {
		require.EqualValues(t, 2, starts.Load())
		require.Equal(t, chanx.StateRunning, s.Status()[0].State)
	} else {
		require.EqualValues(t, 1, starts.Load())
		require.Equal(t, chanx.StateStalled, s.Status()[0].State)
	}
	require.Equal(t, context.Canceled, r.end())
}

func TestSystemdRestartSec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			starts = append(starts, time.Now())
			if len(starts) == 4 {
				return chanx.ErrStop
			}
			return errBoom
		}, chanx.RestartPolicy{MinBackoff: 5 * time.Second, MaxBackoff: 5 * time.Second})
		require.NoError(t, err)
		for i := 1; i < len(starts); i++ {
			require.Equal(t, 5*time.Second, starts[i].Sub(starts[i-1]))
		}
	})
}

func TestSystemdRestartSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		policy := chanx.RestartPolicy{MinBackoff: time.Second, MaxBackoff: 8 * time.Second}
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			starts = append(starts, time.Now())
			if len(starts) == 40 {
				return chanx.ErrStop
			}
			return errBoom
		}, policy)
		require.NoError(t, err)
		longest := time.Duration(0)
		for i := 1; i < len(starts); i++ {
			wait := starts[i].Sub(starts[i-1])
			most := min(time.Second<<min(i-1, 10), policy.MaxBackoff)
			require.GreaterOrEqual(t, wait, policy.MinBackoff)
			require.LessOrEqual(t, wait, most, "restart %d", i)
			longest = max(longest, wait)
		}
		require.Greater(t, longest, policy.MinBackoff, "it never grows")
	})
}

// A unit that is stopped during its RestartSec= stays down.
func TestSystemdStopDuringRestartSec(t *testing.T) {
	for name, stop := range map[string]func(set) error{
		"the unit": func(r set) error { return r.Remove(context.Background(), "a") },
		"all":      func(r set) error { r.stop(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, workers, _ := staff(t, 2, chanx.SupervisorOptions{}, soon)
				workers[0].orders <- failing
				synctest.Wait()
				require.Equal(t, chanx.StateBackingOff, states(r.Status())["a"])
				start := time.Now()
				require.NoError(t, stop(r))
				synctest.Wait()
				require.Zero(t, time.Since(start), "nothing is waited for")
				time.Sleep(time.Hour)
				require.EqualValues(t, 1, workers[0].starts.Load())
				require.Equal(t, context.Canceled, r.end())
			})
		})
	}
}

// A burst of 5 starts in 10 s is four restarts; the fifth fails the unit.
func TestSystemdStartLimit(t *testing.T) {
	limit := chanx.RestartPolicy{
		MinBackoff: 100 * time.Millisecond, MaxBackoff: 100 * time.Millisecond,
		MaxRestarts: 4, Within: 10 * time.Second,
	}
	for name, c := range map[string]struct {
		lasts  time.Duration
		starts int
	}{
		"in a burst":          {0, 5},
		"just in a burst":     {2399 * time.Millisecond, 5},
		"just not in a burst": {2400 * time.Millisecond, 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				starts := 0
				err := chanx.Supervise(t.Context(), func(context.Context) error {
					if starts++; starts == 50 {
						return chanx.ErrStop
					}
					time.Sleep(c.lasts)
					return errBoom
				}, limit)
				require.Equal(t, c.starts, starts)
				if c.starts == 50 {
					require.NoError(t, err)
					return
				}
				var gaveUp *chanx.RestartLimitError
				require.ErrorAs(t, err, &gaveUp)
				require.ErrorIs(t, err, errBoom)
			})
		})
	}
}

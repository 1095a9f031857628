package suites

// erlang/otp, lib/stdlib/test/supervisor_SUITE.erl: permanent_normal,
// transient_normal, temporary_normal, permanent_abnormal, transient_abnormal,
// temporary_abnormal, permanent_shutdown, transient_shutdown,
// temporary_shutdown, temporary_bystander, child_adm, count_children,
// multiple_restarts, one_for_one, one_for_one_escalation, one_for_all,
// one_for_all_escalation, one_for_all_other_child_fails_restart, rest_for_one,
// rest_for_one_escalation, rest_for_one_other_child_fails_restart,
// sup_stop_timeout, tree, hanging_restart_loop. permanent, transient and
// temporary are RestartAlways, RestartOnFailure and RestartNever.

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// staff adds workers a, b, c and so on under policy to a new set, and runs it.
func staff(t *testing.T, n int, opts chanx.SupervisorOptions, policy chanx.RestartPolicy) (set, []*scripted, *trace) {
	s, ends := chanx.NewSupervisor(opts), new(trace)
	var workers []*scripted
	for i := range n {
		a := newScripted(string(rune('a' + i)))
		a.trace = ends
		workers = append(workers, a)
		require.NoError(t, s.Add(a.name, a.work, policy))
	}
	r := run(t, s)
	synctest.Wait()
	return r, workers, ends
}

func starts(workers []*scripted) (n []int) {
	for _, a := range workers {
		n = append(n, int(a.starts.Load()))
	}
	return n
}

// soon restarts after a second, so that "before" can be looked at.
var soon = chanx.RestartPolicy{MinBackoff: time.Second, MaxBackoff: time.Second}

func TestOTPTerminations(t *testing.T) {
	type row struct {
		mode  chanx.RestartMode
		way   func() error
		again bool
	}
	for name, r := range map[string]row{
		"permanent_normal":   {chanx.RestartAlways, normally, true},
		"transient_normal":   {chanx.RestartOnFailure, normally, false},
		"temporary_normal":   {chanx.RestartNever, normally, false},
		"permanent_abnormal": {chanx.RestartAlways, failing, true},
		"transient_abnormal": {chanx.RestartOnFailure, failing, true},
		"temporary_abnormal": {chanx.RestartNever, failing, false},
		// In OTP a permanent child is restarted after shutdown too. ErrStop is
		// for a worker that knows it is done, whatever its policy says.
		"permanent_shutdown": {chanx.RestartAlways, stopping, false},
		"transient_shutdown": {chanx.RestartOnFailure, stopping, false},
		"temporary_shutdown": {chanx.RestartNever, stopping, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { restartCell(t, r.mode, r.way, r.again) })
		})
	}
}

func TestOTPChildAdm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, workers, _ := staff(t, 4, chanx.SupervisorOptions{}, soon)
		require.Error(t, r.Add("b", workers[1].work, soon), "already present")
		require.Error(t, r.Remove(t.Context(), "z"), "not found")
		require.NoError(t, r.Remove(t.Context(), "b"))
		require.Zero(t, workers[1].living.Load())
		require.Error(t, r.Remove(t.Context(), "b"), "removed twice")
		require.Equal(t, []string{"a", "c", "d"}, order(r.Status()))
		require.NoError(t, r.Add("b", workers[1].work, soon))
		synctest.Wait()
		require.Equal(t, []int{1, 2, 1, 1}, starts(workers))
		require.Equal(t, []string{"a", "c", "d", "b"}, order(r.Status()))
		require.Equal(t, context.Canceled, r.end())
		require.Error(t, r.Add("e", workers[0].work, soon), "stopped")
	})
}

func order(all []chanx.WorkerStatus) (names []string) {
	for _, w := range all {
		names = append(names, w.Name)
	}
	return names
}

func TestOTPCountChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, workers, _ := staff(t, 4, chanx.SupervisorOptions{}, soon)
		workers[1].orders <- failing
		workers[2].orders <- stopping
		synctest.Wait()
		require.Equal(t, map[string]chanx.WorkerState{
			"a": chanx.StateRunning, "b": chanx.StateBackingOff,
			"c": chanx.StateStopped, "d": chanx.StateRunning,
		}, states(r.Status()))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, chanx.StateRunning, states(r.Status())["b"])
		require.Equal(t, context.Canceled, r.end())
	})
}

func TestOTPMultipleRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, workers, _ := staff(t, 2, chanx.SupervisorOptions{}, soon)
		for i := range 20 {
			for _, a := range workers {
				a.orders <- failing
			}
			time.Sleep(time.Second)
			synctest.Wait()
			require.Equal(t, []int{i + 2, i + 2}, starts(workers))
		}
		require.EqualValues(t, 1, workers[0].most.Load())
		require.Equal(t, context.Canceled, r.end())
	})
}

// strategies says who of four is started again when the second fails, and then
// the third.
var strategies = map[string]struct {
	strategy     chanx.Strategy
	starts, then []int
	stopped      []string // by order of their ends
}{
	"one_for_one": {
		chanx.OneForOne, []int{1, 2, 1, 1}, []int{1, 2, 2, 1}, []string{"b"},
	},
	"one_for_all": {
		chanx.OneForAll, []int{2, 2, 2, 2}, []int{3, 3, 3, 3},
		[]string{"b", "d", "c", "a"},
	},
	"rest_for_one": {
		chanx.RestForOne, []int{1, 2, 2, 2}, []int{1, 2, 3, 3},
		[]string{"b", "d", "c"},
	},
}

func TestOTPStrategies(t *testing.T) {
	for name, c := range strategies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				once := soon // being restarted with a sibling does not count
				once.MaxRestarts = 1
				opts := chanx.SupervisorOptions{Strategy: c.strategy}
				r, workers, ends := staff(t, 4, opts, once)
				workers[1].orders <- failing
				synctest.Wait()
				require.Equal(t, c.stopped, ends.take())
				time.Sleep(time.Second)
				synctest.Wait()
				require.Equal(t, c.starts, starts(workers))
				workers[2].orders <- failing
				time.Sleep(time.Second)
				synctest.Wait()
				require.Equal(t, c.then, starts(workers))
				ends.take()
				require.Equal(t, context.Canceled, r.end())
				require.Equal(t, []string{"d", "c", "b", "a"}, ends.take(), "the last first")
			})
		})
	}
}

func TestOTPEscalation(t *testing.T) {
	for name, c := range strategies {
		for _, within := range []time.Duration{0, time.Hour} {
			opts := chanx.SupervisorOptions{
				Strategy: c.strategy, MaxRestarts: 4, Within: within,
			}
			t.Run(name+", "+within.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { escalate(t, opts) })
			})
		}
	}
}

// escalate has one of four fail once too often for its set.
func escalate(t *testing.T, opts chanx.SupervisorOptions) {
	r, workers, _ := staff(t, 4, opts, soon)
	for range opts.MaxRestarts + 1 {
		workers[1].orders <- failing
		time.Sleep(time.Second)
		synctest.Wait()
	}
	err := <-r.result
	var gaveUp *chanx.RestartLimitError
	require.ErrorAs(t, err, &gaveUp)
	require.ErrorIs(t, err, errBoom)
	require.ErrorContains(t, err, `"b"`)
	require.EqualValues(t, 5, workers[1].starts.Load())
	for _, a := range workers {
		require.Zero(t, a.living.Load())
	}
	r.stop()
}

// The restart of one fails because another cannot be started: all are started
// again, once each time, until it can.
func TestOTPOtherChildFailsRestart(t *testing.T) {
	for _, strategy := range []chanx.Strategy{chanx.OneForAll, chanx.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := chanx.SupervisorOptions{Strategy: strategy}
				r, workers, _ := staff(t, 2, opts, soon)
				failures := 3
				workers[1].onRun = func() error {
					if failures--; failures >= 0 {
						return errBoom
					}
					return nil
				}
				workers[0].orders <- failing
				time.Sleep(time.Minute)
				synctest.Wait()
				require.EqualValues(t, 1, workers[0].most.Load(), "two runs at once")
				require.EqualValues(t, 1, workers[1].most.Load(), "two runs at once")
				require.EqualValues(t, 5, workers[1].starts.Load())
				if strategy == chanx.OneForAll {
					require.EqualValues(t, 5, workers[0].starts.Load())
				} else {
					require.EqualValues(t, 2, workers[0].starts.Load())
				}
				require.Equal(t, context.Canceled, r.end())
			})
		})
	}
}

// A temporary sibling is stopped with the others and not started again; a
// transient one is.
func TestOTPTemporaryBystander(t *testing.T) {
	for _, strategy := range []chanx.Strategy{chanx.OneForAll, chanx.RestForOne} {
		t.Run(strategy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := chanx.NewSupervisor(chanx.SupervisorOptions{Strategy: strategy})
				var workers []*scripted
				for mode := chanx.RestartAlways; mode <= chanx.RestartNever; mode++ {
					a, policy := newScripted(mode.String()), soon
					policy.Restart = mode
					workers = append(workers, a)
					require.NoError(t, s.Add(a.name, a.work, policy))
				}
				r := run(t, s)
				workers[0].orders <- failing
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, []int{2, 2, 1}, starts(workers))
				require.Equal(t, chanx.StateStopped, states(s.Status())["never"])
				require.Equal(t, context.Canceled, r.end())
			})
		})
	}
}

func TestOTPStopTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := chanx.SupervisorOptions{StopTimeout: time.Second}
		r, workers, _ := staff(t, 1, opts, soon)
		release := make(chan struct{})
		for _, name := range []string{"deaf", "deaf too"} {
			require.NoError(t, r.Add(name, func(context.Context) error {
				<-release
				return nil
			}, soon))
		}
		synctest.Wait()
		start := time.Now()
		err := r.end()
		require.Equal(t, time.Second, time.Since(start), "together")
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		require.Equal(t, []string{"deaf", "deaf too"}, late.Workers)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, workers[0].living.Load())
		close(release)
	})
}

// A leaf that gives up takes its own set down, which the top starts anew, with
// nothing held against anybody; the other set does not notice. When the top
// gives up as well, all end.
func TestOTPTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := chanx.NewSupervisor(chanx.SupervisorOptions{MaxRestarts: 1, Within: time.Hour})
		right := chanx.NewSupervisor(chanx.SupervisorOptions{})
		a, b, c := newScripted("a"), newScripted("b"), newScripted("c")
		once := soon
		once.MaxRestarts = 1
		require.NoError(t, left.Add("a", a.work, once))
		require.NoError(t, left.Add("b", b.work, soon))
		require.NoError(t, right.Add("c", c.work, soon))
		top := chanx.NewSupervisor(chanx.SupervisorOptions{MaxRestarts: 1, Within: time.Hour})
		require.NoError(t, top.Add("left", left.Run, soon))
		require.NoError(t, top.Add("right", right.Run, soon))
		r := run(t, top)
		fail := func() {
			a.orders <- failing
			time.Sleep(3 * time.Second)
			synctest.Wait()
		}
		fail()
		require.Equal(t, []int{2, 1, 1}, starts([]*scripted{a, b, c}))
		fail() // one too many for left
		require.Equal(t, []int{3, 2, 1}, starts([]*scripted{a, b, c}))
		fail()
		fail() // and for top
		err := <-r.result
		require.ErrorIs(t, err, errBoom)
		require.ErrorContains(t, err, `"left"`)
		require.Zero(t, a.living.Load()+b.living.Load()+c.living.Load())
		require.EqualValues(t, 1, c.starts.Load())
		r.stop()
	})
}

// A worker that always fails at once does not block calls to the set. This
// one runs in real time: a bubble with such a worker is never at rest.
func TestOTPHangingRestartLoop(t *testing.T) {
	for name, c := range strategies {
		t.Run(name, func(t *testing.T) {
			s := chanx.NewSupervisor(chanx.SupervisorOptions{Strategy: c.strategy})
			policy := chanx.RestartPolicy{MinBackoff: -1}
			failed := make(chan struct{}, 1)
			require.NoError(t, s.Add("loop", func(context.Context) error {
				chanx.TrySend(failed, struct{}{})
				return errBoom
			}, policy))
			r := run(t, s)
			for range 10 {
				<-failed
				require.NotEmpty(t, s.Status())
				idle := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
				require.NoError(t, s.Add("other", idle, policy))
				require.NoError(t, s.Remove(t.Context(), "other"))
			}
			require.Equal(t, context.Canceled, r.end())
			kept := s.Status()[0].Exits
			require.True(t, slices.ContainsFunc(kept, func(e chanx.Exit) bool {
				return errors.Is(e.Err, errBoom)
			}))
		})
	}
}

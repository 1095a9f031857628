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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

var (
	oneForAll  = chanx.SupervisorOptions{Strategy: chanx.OneForAll}
	restForOne = chanx.SupervisorOptions{Strategy: chanx.RestForOne}
)

func TestGroupRestart(t *testing.T) {
	for name, tc := range map[string]struct {
		opts  chanx.SupervisorOptions
		fails int
		plays []string
	}{
		"one for all, the first": {
			oneForAll, 0, []string{"0s -a", "1s -c", "2s -b", "7s +a +b +c"},
		},
		"one for all, the middle": {
			oneForAll, 1, []string{"0s -b", "1s -c", "2s -a", "7s +a +b +c"},
		},
		"one for all, the last": {
			oneForAll, 2, []string{"0s -c", "1s -b", "2s -a", "7s +a +b +c"},
		},
		"rest for one, the first": {
			restForOne, 0, []string{"0s -a", "1s -c", "2s -b", "7s +a +b +c"},
		},
		"rest for one, the middle": {
			restForOne, 1, []string{"0s -b", "1s -c", "6s +b +c"},
		},
		"rest for one, the last": {
			restForOne, 2, []string{"0s -c", "5s +c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, tc.opts)
				all := h.workers(everyOne(5*time.Second), "a b c")
				for _, a := range all {
					a.linger = time.Second
				}
				h.start()
				h.played()
				all[tc.fails].exit(errSet)
				pause(time.Minute)
				assert.Equal(t, tc.plays, h.played())
				assert.Equal(t, "a running, b running, c running", h.states())
				assert.Equal(t, context.Canceled, h.end())
			})
		})
	}
}

func TestGroupRestartIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		all := h.workers(everyOne(5*time.Second), "a b")
		events := make(chan chanx.Event, 9)
		policy := atOnce
		policy.OnEvent = func(e chanx.Event) { events <- e }
		c := h.worker("c")
		h.add(policy, c)
		h.start()
		all[0].exit(errSet)
		assert.Equal(t, "a backing off, b backing off, c backing off", h.states())
		assert.Equal(t, chanx.ErrRestarting, c.stoppedFor())
		pause(5 * time.Second)
		for _, st := range h.Status() {
			assert.Equal(t, 1, st.Restarts, st.Name)
			require.Len(t, st.Exits, 1)
			e := st.Exits[0]
			assert.Equal(t, 5*time.Second, e.Backoff, "%s waits for the group", st.Name)
			assert.False(t, e.Final)
			assert.Zero(t, e.Restarts)
		}
		require.Len(t, events, 3)
		assert.Equal(t, chanx.EventStart, (<-events).Kind)
		exit, restart := <-events, <-events
		assert.Equal(t, chanx.EventExit, exit.Kind)
		assert.NoError(t, exit.Exit.Err)
		assert.Equal(t, chanx.EventRestart, restart.Kind)
		assert.Equal(t, errSet, restart.Exit.Err, "what it is restarted for")
		assert.Equal(t, 5*time.Second, restart.At.Sub(h.born))
		h.end()
	})
}

// Siblings restarted along count neither for their own limits nor the set's.
func TestSiblingsDoNotCountTowardsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.MaxRestarts = 3
		h := newHarness(t, opts)
		a := h.workers(atOnce, "a")[0]
		b := h.worker("b")
		h.add(chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}, b)
		h.start()
		for range 3 {
			a.exit(errSet)
		}
		assert.Equal(t, int32(4), b.runs.Load())
		_, over := h.over()
		require.False(t, over)
		a.exit(errSet)
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, <-h.result, &limit)
		assert.Equal(t, 3, limit.Restarts)
	})
}

func TestSiblingsThatFailAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		all := h.workers(everyOne(5*time.Second), "a b c d")
		all[3].linger = time.Second
		h.start()
		h.played()
		all[0].exit(errSet)
		all[1].exit(errSet) // before it was its turn to stop
		all[2].panic("mine")
		pause(time.Hour)
		assert.Equal(t, []string{"0s -a -b -c", "1s -d", "6s +a +b +c +d"}, h.played())
		assert.Equal(t, errSet, h.status("b").Exits[0].Err)
		var p *chanx.PanicError
		assert.ErrorAs(t, h.status("c").Exits[0].Err, &p)
		h.end()
	})
}

func TestSiblingsThatEndForGoodWhenStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		a := h.workers(atOnce, "a")[0]
		never, onFailure, stops := h.worker("never"), h.worker("failure"), h.worker("stops")
		stops.quit = chanx.ErrStop
		never.quit = errSet
		h.add(chanx.RestartPolicy{Restart: chanx.RestartNever}, never)
		h.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure}, onFailure)
		final := h.worker("final")
		final.quit = fmt.Errorf("no disk: %w", chanx.Permanent(errSet))
		h.add(atOnce, stops, final)
		h.start()
		a.exit(errSet)
		assert.Equal(t, "a running, never stopped, failure running, "+
			"stops running, final failed", h.states())
		a.exit(errSet)
		assert.Equal(t, int32(1), never.runs.Load())
		assert.Equal(t, int32(3), onFailure.runs.Load())
		assert.Equal(t, int32(3), stops.runs.Load(), "it has ended because it was told to")
		assert.Equal(t, int32(1), final.runs.Load())
		onFailure.exit(nil)
		stops.exit(chanx.ErrStop)
		a.exit(chanx.ErrStop)
		assert.NoError(t, <-h.result)
	})
}

// Between the failure of a sibling and their own turn to stop, workers may
// end for good by themselves.
func TestSiblingsThatEndForGoodBeforeTheyAreStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		a := h.workers(atOnce, "a")[0]
		done, failed := h.worker("done"), h.worker("failed")
		h.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure}, done)
		h.add(chanx.RestartPolicy{Restart: chanx.RestartNever}, failed)
		h.workers(atOnce, "slow")[0].linger = time.Second
		h.start()
		a.exit(errSet)
		done.exit(nil)
		failed.exit(errSet)
		pause(time.Minute)
		assert.Equal(t, "a running, done stopped, failed failed, slow running", h.states())
		h.end()
	})
}

// Who fails by itself meanwhile is restarted with the rest, as its policy has
// it.
func TestSiblingsThatFailBeforeTheyAreStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		policy chanx.RestartPolicy
		err    error
	}{
		"on failure, an error": {chanx.RestartPolicy{
			MinBackoff: -1, Restart: chanx.RestartOnFailure,
		}, errSet},
		"always, nil": {atOnce, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, oneForAll)
				a := h.workers(atOnce, "a")[0]
				failing := h.worker("failing")
				h.add(tt.policy, failing)
				h.workers(atOnce, "slow")[0].linger = time.Second
				h.start()
				a.exit(errSet)
				failing.exit(tt.err)
				pause(time.Minute)
				assert.Equal(t, int32(2), failing.runs.Load())
				h.end()
			})
		})
	}
}

func TestGroupBackoffIsTheFailedWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		a := h.workers(everyOne(time.Second), "a")[0]
		b := h.workers(everyOne(time.Minute), "b")[0]
		h.start()
		a.exit(errSet)
		pause(time.Second)
		b.exit(errSet)
		pause(time.Minute)
		assert.Equal(t, []string{"0s +a +b -a -b", "1s +a +b -b -a", "1m1s +a +b"},
			h.played())
		h.end()
	})
}

func TestASiblingThatDoesNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.StopTimeout = time.Second
		h := newHarness(t, opts)
		all := h.workers(atOnce, "a b c")
		all[1].deaf = true
		h.start()
		all[0].exit(errSet)
		err := <-h.result
		assert.Equal(t, 2*time.Second, time.Since(h.born), "one more for the set")
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"b"}, late.Workers)
		assert.Equal(t, time.Second, late.Timeout)
		assert.EqualError(t, late.Err, `worker "a": boom`)
		assert.ErrorIs(t, err, errSet)
		assert.Equal(t, []string{"0s +a +b +c -a -c"}, h.played())
		all[1].exit(nil)
	})
}

// It was too late for the group, and in time for the set.
func TestASiblingThatStopsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.StopTimeout = time.Second
		h := newHarness(t, opts)
		all := h.workers(atOnce, "a b")
		all[1].linger = time.Second + 1
		h.start()
		all[0].exit(nil)
		err := <-h.result
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"b"}, late.Workers)
		assert.EqualError(t, late.Err, `worker "a" returned nil`)
		assert.Equal(t, time.Second+1, time.Since(h.born))
	})
}

func TestStopDuringAGroupRestart(t *testing.T) {
	for name, backoff := range map[string]time.Duration{
		"while siblings stop": time.Minute,
		"during the backoff":  3 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, oneForAll)
				all := h.workers(everyOne(backoff), "a b")
				all[1].linger = 2 * time.Second
				if name == "while siblings stop" {
					all[1].linger = 9 * time.Second
				}
				h.start()
				all[0].exit(errSet)
				pause(4 * time.Second)
				h.cancel(nil)
				assert.Equal(t, context.Canceled, <-h.result)
				assert.Equal(t, max(4*time.Second, all[1].linger), time.Since(h.born))
				pause(time.Hour)
				assert.Equal(t, int32(1), all[0].runs.Load())
				assert.Equal(t, "a stopped, b stopped", h.states())
			})
		})
	}
}

// b fails and takes c along; meanwhile a fails, to which both belong. However
// the two overlap, no worker may ever run twice.
func TestOverlappingGroupRestarts(t *testing.T) {
	for name, tc := range map[string]struct {
		wait, at time.Duration
		plays    []string
	}{
		"while the first stops, no backoff": {
			-1, time.Second,
			[]string{"0s -b", "1s -a", "2s -c +a +b +c"},
		},
		"while the first stops": {
			5 * time.Second, time.Second,
			[]string{"0s -b", "1s -a", "2s -c", "7s +a +b +c"},
		},
		"while the first waits": {
			5 * time.Second, 4 * time.Second,
			[]string{"0s -b", "2s -c", "4s -a", "9s +a +b +c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, restForOne)
				policy := atOnce
				if tc.wait > 0 {
					policy = everyOne(tc.wait)
				}
				all := h.workers(policy, "a b c")
				a, b, c := all[0], all[1], all[2]
				c.linger = 2 * time.Second
				h.start()
				h.played()
				b.exit(errSet)
				pause(tc.at)
				a.exit(errSet)
				pause(time.Minute)
				assert.Equal(t, tc.plays, h.played())
				for _, x := range all {
					assert.Equal(t, int32(1), x.most.Load(), "%s at most once", x.name)
					assert.Equal(t, int32(1), x.live.Load())
				}
				assert.Equal(t, "a running, b running, c running", h.states())
				h.end()
			})
		})
	}
}

// The workers behind a are for a to bring back: not before it, however short
// their own wait was, and not after it, however long.
func TestTheLaterOfOverlappingRestartsDecides(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b  time.Duration
		at    time.Duration
		plays []string
	}{
		"shorter, while it stops": {
			5 * time.Second, 1, time.Second,
			[]string{"0s -b", "1s -a", "2s -c", "7s +a +b +c"},
		},
		"longer, while it stops": {
			1 * time.Second, time.Hour, time.Second,
			[]string{"0s -b", "1s -a", "2s -c", "3s +a +b +c"},
		},
		"shorter, while it waits": {
			5 * time.Second, 2 * time.Second, 3 * time.Second,
			[]string{"0s -b", "2s -c", "3s -a", "8s +a +b +c"},
		},
		"longer, while it waits": {
			time.Second, time.Hour, 3 * time.Second,
			[]string{"0s -b", "2s -c", "3s -a", "4s +a +b +c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, restForOne)
				a := h.workers(everyOne(tc.a), "a")[0]
				all := h.workers(everyOne(tc.b), "b c")
				all[1].linger = 2 * time.Second
				h.start()
				h.played()
				all[0].exit(errSet)
				pause(tc.at)
				a.exit(errSet)
				pause(2 * time.Hour)
				assert.Equal(t, tc.plays, h.played())
				h.end()
			})
		})
	}
}

// A worker added while its siblings are being stopped is started at once, and
// its own failure restarts them all.
func TestAddDuringAGroupRestart(t *testing.T) {
	for name, policy := range map[string]chanx.RestartPolicy{
		"no backoff": atOnce, "backoff": everyOne(5 * time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, oneForAll)
				all := h.workers(policy, "a b")
				all[1].linger = 2 * time.Second
				h.start()
				all[0].exit(errSet)
				pause(time.Second)
				late := h.workers(policy, "late")[0]
				synctest.Wait()
				assert.Equal(t, int32(1), late.runs.Load())
				late.exit(errSet)
				pause(time.Minute)
				for _, x := range append(all, late) {
					assert.Equal(t, int32(1), x.most.Load(), "%s at most once", x.name)
					assert.Equal(t, int32(2), x.runs.Load(), x.name)
				}
				h.end()
			})
		})
	}
}

// A member that waits for the backoff of one failure when another follows is
// started when the running members have stopped, not when that backoff is over.
func TestARestartTakesThePlaceOfOneThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		first := h.workers(everyOne(2*time.Second), "a b")
		h.start()
		first[0].exit(errSet)
		late := h.workers(atOnce, "c d")
		late[1].linger = 5 * time.Second
		pause(time.Second)
		late[0].exit(errSet)
		pause(time.Minute)
		assert.Equal(t, []string{
			"0s +a +b -a -b +c +d", "1s -c", "6s -d +a +b +c +d",
		}, h.played())
		h.end()
	})
}

func TestRemoveDuringAGroupRestart(t *testing.T) {
	for name, tc := range map[string]struct {
		at     time.Duration
		remove string
	}{
		"who failed, while siblings stop":  {time.Second, "a"},
		"who failed, during the backoff":   {4 * time.Second, "a"},
		"a sibling that is being stopped":  {time.Second, "c"},
		"a sibling that is to be stopped":  {time.Second, "b"},
		"a sibling, during the backoff":    {4 * time.Second, "b"},
		"a sibling that stops last, later": {4 * time.Second, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, oneForAll)
				all := h.workers(everyOne(5*time.Second), "a b c")
				all[2].linger = 2 * time.Second
				h.start()
				all[0].exit(errSet)
				pause(tc.at)
				require.NoError(t, h.Remove(context.Background(), tc.remove))
				pause(time.Hour)
				for _, x := range all {
					want := int32(2)
					if x.name == tc.remove {
						want = 1
					}
					assert.Equal(t, want, x.runs.Load(), x.name)
				}
				require.Len(t, h.Status(), 2)
				h.end()
			})
		})
	}
}

// The removed worker does not stop, which is no longer the group's concern.
func TestAGroupDoesNotWaitForTheRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.StopTimeout = time.Second
		h := newHarness(t, opts)
		all := h.workers(atOnce, "a b c")
		all[2].deaf = true
		h.start()
		all[0].exit(errSet)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		require.Equal(t, context.DeadlineExceeded, h.Remove(ctx, "c"))
		pause(time.Minute)
		assert.Equal(t, int32(2), all[0].runs.Load())
		assert.Equal(t, int32(2), all[1].runs.Load())
		all[2].exit(nil)
		assert.Equal(t, "a running, b running", h.states())
		h.end()
	})
}

// A removal that empties the group leaves a set that has ended for good.
// A second group neither stops nor waits for a member that was removed before
// its turn.
func TestTheNextGroupDoesNotWaitForTheRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		all := h.workers(atOnce, "a b")
		all[1].linger = time.Minute
		h.start()
		all[0].exit(errSet)
		h.workers(atOnce, "late")[0].exit(errSet)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, h.Remove(ctx, "b"))
		pause(30 * time.Second)
		assert.Equal(t, []string{
			"0s +a +b -a +late -late", "10s +a +late",
		}, h.played())
		pause(time.Minute) // for b
		h.end()
	})
}

func TestRemoveTheOneToBeRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, restForOne)
		all := h.workers(everyOne(time.Minute), "a b")
		h.start()
		all[0].exit(chanx.ErrStop)
		all[1].exit(errSet)
		require.NoError(t, h.Remove(context.Background(), "b"))
		assert.NoError(t, <-h.result)
	})
}

// What ends the set does not wait for a group that is being stopped.
func TestGivingUpDuringAGroupRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, restForOne)
		a := h.worker("a")
		h.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure, MinBackoff: -1,
			MaxRestarts: 1}, a)
		all := h.workers(atOnce, "b c")
		h.start()
		a.exit(errSet)
		all[1].deaf = true
		all[1].exit(errSet) // the next run is deaf
		all[0].exit(errSet)
		pause(time.Second)
		a.exit(errSet)
		err := <-h.result
		assert.Equal(t, 11*time.Second, time.Since(h.born))
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, err, &limit)
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"c"}, late.Workers)
		all[1].exit(nil)
	})
}

func TestCrashDuringAGroupRestart(t *testing.T) {
	for name, before := range map[string]func(*harness){
		"while it stops":  func(*harness) {},
		"while all stops": func(h *harness) { h.cancel(nil); synctest.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, oneForAll)
				a := h.workers(atOnce, "a")[0]
				b := h.worker("b")
				h.add(chanx.RestartPolicy{CrashOnPanic: true}, b)
				c := h.workers(atOnce, "c")[0]
				c.deaf = true
				crashed := make(chan any, 1)
				go func() {
					defer func() { crashed <- recover() }()
					_ = h.Run(h.ctx)
				}()
				synctest.Wait()
				a.exit(errSet)
				pause(time.Second)
				before(h)
				b.orders <- func(context.Context) error { panic(errSet) }
				assert.IsType(t, new(chanx.PanicError), <-crashed)
				assert.Equal(t, time.Second, time.Since(h.born), "nobody waited for c")
				c.exit(nil)
			})
		})
	}
}

// A group that fails as soon as it is started must not keep Run from ctx.
func TestAGroupThatFailsForEverCanBeStopped(t *testing.T) {
	for _, strategy := range []chanx.Strategy{
		chanx.OneForOne, chanx.OneForAll, chanx.RestForOne,
	} {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{Strategy: strategy})
		ctx, cancel := context.WithCancel(context.Background())
		runs := 0
		require.NoError(t, s.Add("a", func(context.Context) error {
			if runs++; runs == 1000 {
				cancel()
			}
			return errSet
		}, atOnce))
		require.NoError(t, s.Add("b", func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}, atOnce))
		assert.Equal(t, context.Canceled, s.Run(ctx), strategy)
		assert.GreaterOrEqual(t, runs, 1000)
	}
}

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
					h := newHarness(t, opts)
					policy := everyOne(time.Hour)
					policy.Restart, policy.MaxRestarts = mode, 1
					all := h.workers(policy, "a b c")
					all[1].linger, all[1].quit = time.Second, quit
					h.start()
					for range 3 {
						require.NoError(t, h.Restart(t.Context(), "b"))
						assert.Equal(t, chanx.ErrRestarting, all[1].stoppedFor())
					}
					assert.Equal(t, []string{
						"0s +a +b +c", "1s -b +b", "2s -b +b", "3s -b +b",
					}, h.played())
					assert.Equal(t, 3, h.status("b").Restarts)
					assert.Equal(t, "a running, b running, c running", h.states())
					assert.Equal(t, context.Canceled, h.end())
					assert.Equal(t, []string{"3s -c", "4s -b -a"}, h.played(), "in its place")
				})
			})
		}
	}
}

// A worker that does not run is started at once, and counts again.
func TestRestartOfAWorkerThatDoesNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(everyOne(time.Hour), "a b")
		h.start()
		all[0].exit(errSet)
		all[1].exit(chanx.ErrStop)
		require.NoError(t, h.Restart(t.Context(), "a"))
		require.NoError(t, h.Restart(t.Context(), "b"))
		assert.Equal(t, "a running, b running", h.states())
		pause(2 * time.Hour)
		assert.Equal(t, []string{"0s +a +b -a -b +a +b"}, h.played(), "once")
		all[0].exit(chanx.ErrStop)
		_, over := h.over()
		assert.False(t, over, "b is alive")
		all[1].exit(chanx.ErrStop)
		assert.NoError(t, <-h.result)
	})
}

func TestRestartIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, j := newHarness(t, chanx.SupervisorOptions{}), newJournal()
		policy := atOnce
		policy.OnEvent = j.note
		h.add(policy, h.worker("a"))
		h.start()
		pause(time.Second)
		require.NoError(t, h.Restart(t.Context(), "a"))
		pause(time.Second)
		h.end()
		const first = "<nil>, from 0s for 1s, after 0, wait 0s"
		assert.Equal(t, []string{
			"1s exit: " + first, "1s restart: " + first,
			"2s exit: <nil>, from 1s for 1s, after 0, wait 0s, final",
		}, j.lines())
	})
}

func TestRestartRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		ctx := context.Background()
		const stopped = `chanx: cannot restart worker "a": supervisor is not running`
		assert.EqualError(t, h.Restart(ctx, "a"), stopped)
		h.start()
		assert.EqualError(t, h.Restart(ctx, "b"), `chanx: there is no worker "b"`)
		assert.Equal(t, context.Canceled, h.Restart(done(), "a"))
		assert.Equal(t, int32(1), a.runs.Load())
		var none context.Context
		assert.PanicsWithValue(t, "chanx: nil context", func() { _ = h.Restart(none, "a") })

		a.deaf = true
		a.exit(errSet) // the next run is deaf
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, h.Restart(short, "a"))
		assert.Equal(t, "a running", h.states())
		results := make(chan error, 1)
		go func() { results <- h.Restart(ctx, "a") }()
		synctest.Wait()
		go func() { _ = h.Remove(ctx, "a") }()
		synctest.Wait()
		assert.EqualError(t, h.Restart(ctx, "a"),
			`chanx: cannot restart worker "a": it is being removed`)
		a.exit(nil)
		assert.EqualError(t, <-results, `chanx: worker "a" was stopped and not restarted`)
		h.workers(atOnce, "a")
		assert.Equal(t, context.Canceled, h.end())
		assert.EqualError(t, h.Restart(ctx, "a"), stopped)
	})
}

// A Restart that was not waited for happens all the same.
func TestRestartLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.worker("a")
		a.linger = time.Minute
		h.add(watchedWorker, a) // which is not replaced meanwhile
		h.start()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, h.Restart(ctx, "a"))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, int32(2), a.runs.Load())
		assert.Equal(t, int32(1), a.most.Load())
		a.linger = 0
		h.end()
	})
}

// A worker that restarts itself waits until its own ctx is cancelled.
func TestRestartByTheWorkerItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		h.start()
		a.do(func(ctx context.Context) error { return h.Restart(ctx, "a") })
		assert.Equal(t, context.Canceled, h.status("a").Exits[0].Err)
		assert.Equal(t, int32(2), a.runs.Load())
		h.end()
	})
}

// A Restart and the end of the set, or a restart of the group, at once.
func TestRestartMeetsOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(*harness, []*scriptedWorker)
		err  string
		runs int32
	}{
		"two":   {func(h *harness, _ []*scriptedWorker) { go func() { _ = h.Restart(h.ctx, "b") }() }, "", 2},
		"group": {func(_ *harness, all []*scriptedWorker) { all[0].exit(errSet) }, "", 2},
		"stop": {func(h *harness, _ []*scriptedWorker) { h.cancel(nil) },
			`chanx: worker "b" was stopped and not restarted`, 1},
		"crash": {func(_ *harness, all []*scriptedWorker) { all[2].panic(errSet) },
			`chanx: worker "b" was stopped and not restarted`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, oneForAll)
				policy := atOnce
				policy.CrashOnPanic = true
				all := h.workers(policy, "a b c")
				all[1].linger = time.Second
				go func() {
					defer func() { _ = recover() }()
					h.result <- h.Run(h.ctx)
				}()
				synctest.Wait()
				result := make(chan error, 1)
				go func() { result <- h.Restart(context.Background(), "b") }()
				synctest.Wait()
				tc.do(h, all)
				err := <-result
				synctest.Wait()
				if tc.err == "" {
					assert.NoError(t, err)
				} else {
					assert.EqualError(t, err, tc.err)
				}
				assert.Equal(t, int32(1), all[1].most.Load())
				assert.Equal(t, tc.runs, all[1].runs.Load())
				h.cancel(nil)
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
				h := newHarness(t, oneForAll)
				a := h.workers(every(time.Minute), "a")[0]
				runs := 0
				require.NoError(t, h.Add("b", func(ctx context.Context) error {
					runs++
					<-ctx.Done()
					time.Sleep(time.Second)
					return end
				}, chanx.RestartPolicy{Restart: chanx.RestartNever}))
				h.start()
				if order == "after" {
					a.exit(errSet)
				}
				result := make(chan error, 1)
				go func() { result <- h.Restart(context.Background(), "b") }()
				synctest.Wait()
				if order == "before" {
					a.exit(errSet)
				}
				assert.NoError(t, <-result, "%s, %v", order, end)
				pause(time.Hour)
				assert.Equal(t, 2, runs)
				b := h.status("b")
				assert.Equal(t, time.Minute, b.Exits[0].Backoff)
				assert.False(t, b.Exits[0].Final)
				assert.Equal(t, "a running, b running", h.states())
				h.end()
			})
		}
	}
}

// A child Supervisor takes workers between two of its runs, and starts them
// with the next.
func TestAddBetweenTwoRunsInATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		child := top.branch("child", chanx.SupervisorOptions{MaxRestarts: 1}, everyOne(time.Minute))
		a := child.workers(atOnce, "a")[0]
		top.start()
		a.exit(errSet)
		a.exit(errSet)
		require.Equal(t, "child backing off", top.states())
		child.workers(atOnce, "b")
		assert.Equal(t, "a failed, b starting", child.states())
		pause(time.Minute)
		assert.Equal(t, "a running, b running", child.states())
		go func() { _ = top.Restart(context.Background(), "child") }()
		synctest.Wait()
		child.workers(atOnce, "c")
		assert.Equal(t, context.Canceled, top.end())
		assert.Error(t, child.Add("d", idle, atOnce), "it has stopped")
	})
}

// What a worker is told of the end: shutdown, with the cause of the ctx of Run,
// removal and restart can be told apart, at any depth.
func TestCauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		mid := top.branch("mid", chanx.SupervisorOptions{}, atOnce)
		leaf := mid.workers(atOnce, "leaf other")[0]
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
		h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 1})
		all := h.workers(atOnce, "a b")
		h.start()
		all[0].exit(errSet)
		all[0].exit(errSet)
		<-h.result
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

		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(limited, "a b")[0]
		h.start()
		a.exit(err)
		state := "stopped"
		if want != nil {
			state = "failed"
		}
		assert.Equal(t, "a "+state+", b running", h.states())
		assert.Equal(t, err, h.status("a").Exits[0].Err, "as it was returned")
		assert.Equal(t, context.Canceled, h.end())
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
		h := newHarness(t, opts)
		policy := atOnce
		for i := range workers {
			policy.OnEvent = nil
			if i == 1 {
				policy.OnEvent = func(chanx.Event) { own.Add(1) }
			}
			h.add(policy, h.worker(fmt.Sprint("w", i)))
		}
		h.start()
		pause(time.Second)
		assert.Equal(t, map[string]int{"start": workers}, kinds)
		assert.Equal(t, context.Canceled, h.end())
		assert.Zero(t, missed)
		assert.Equal(t, workers, kinds["exit"])
		assert.EqualValues(t, 2, own.Load())
		assert.EqualValues(t, 2, ofSet.Load())
		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		h.start()
		pause(time.Second)
		assert.Equal(t, 2*workers, kinds["start"], "each Run starts anew")
		require.NoError(t, h.Remove(t.Context(), "w7"))
		h.end()
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
		h := newHarness(t, chanx.SupervisorOptions{KeepExits: 1})
		a := h.worker("a")
		h.add(watchedWorker, a)
		h.start()
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
		assert.Equal(t, context.Canceled, h.end())
		got := h.status("a").ExitCounts
		assert.Equal(t, a.runs.Load(), int32(got.Nil+got.Error+got.Panic+got.Goexit+got.Stall))
		got.Nil = 0
		assert.Equal(t, chanx.ExitCounts{Error: 3, Panic: 3, Goexit: 4, Stall: 1}, got)
	})
}

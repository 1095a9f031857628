package chanx_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
				tr := newTroupe(t, tc.opts)
				all := tr.cast(everyOne(5*time.Second), "a b c")
				for _, a := range all {
					a.linger = time.Second
				}
				tr.start()
				tr.played()
				all[tc.fails].exit(errSet)
				pause(time.Minute)
				assert.Equal(t, tc.plays, tr.played())
				assert.Equal(t, "a running, b running, c running", tr.states())
				assert.Equal(t, context.Canceled, tr.end())
			})
		})
	}
}

func TestGroupRestartIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, oneForAll)
		all := tr.cast(everyOne(5*time.Second), "a b")
		events := make(chan chanx.Event, 9)
		policy := atOnce
		policy.OnEvent = func(e chanx.Event) { events <- e }
		c := tr.actor("c")
		tr.add(policy, c)
		tr.start()
		all[0].exit(errSet)
		assert.Equal(t, "a backing off, b backing off, c backing off", tr.states())
		assert.Equal(t, chanx.ErrRestarting, c.stoppedFor())
		pause(5 * time.Second)
		for _, st := range tr.Status() {
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
		assert.Equal(t, 5*time.Second, restart.At.Sub(tr.born))
		tr.end()
	})
}

// Siblings restarted along count neither for their own limits nor the set's.
func TestSiblingsDoNotCountTowardsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.MaxRestarts = 3
		tr := newTroupe(t, opts)
		a := tr.cast(atOnce, "a")[0]
		b := tr.actor("b")
		tr.add(chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1}, b)
		tr.start()
		for range 3 {
			a.exit(errSet)
		}
		assert.Equal(t, int32(4), b.runs.Load())
		_, over := tr.over()
		require.False(t, over)
		a.exit(errSet)
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, <-tr.result, &limit)
		assert.Equal(t, 3, limit.Restarts)
	})
}

func TestSiblingsThatFailAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, oneForAll)
		all := tr.cast(everyOne(5*time.Second), "a b c d")
		all[3].linger = time.Second
		tr.start()
		tr.played()
		all[0].exit(errSet)
		all[1].exit(errSet) // before it was its turn to stop
		all[2].panic("mine")
		pause(time.Hour)
		assert.Equal(t, []string{"0s -a -b -c", "1s -d", "6s +a +b +c +d"}, tr.played())
		assert.Equal(t, errSet, tr.status("b").Exits[0].Err)
		var p *chanx.PanicError
		assert.ErrorAs(t, tr.status("c").Exits[0].Err, &p)
		tr.end()
	})
}

func TestSiblingsThatEndForGoodWhenStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, oneForAll)
		a := tr.cast(atOnce, "a")[0]
		never, onFailure, stops := tr.actor("never"), tr.actor("failure"), tr.actor("stops")
		stops.quit = chanx.ErrStop
		never.quit = errSet
		tr.add(chanx.RestartPolicy{Restart: chanx.RestartNever}, never)
		tr.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure}, onFailure)
		final := tr.actor("final")
		final.quit = fmt.Errorf("no disk: %w", chanx.Permanent(errSet))
		tr.add(atOnce, stops, final)
		tr.start()
		a.exit(errSet)
		assert.Equal(t, "a running, never stopped, failure running, "+
			"stops running, final failed", tr.states())
		a.exit(errSet)
		assert.Equal(t, int32(1), never.runs.Load())
		assert.Equal(t, int32(3), onFailure.runs.Load())
		assert.Equal(t, int32(3), stops.runs.Load(), "it has ended because it was told to")
		assert.Equal(t, int32(1), final.runs.Load())
		onFailure.exit(nil)
		stops.exit(chanx.ErrStop)
		a.exit(chanx.ErrStop)
		assert.NoError(t, <-tr.result)
	})
}

// Between the failure of a sibling and their own turn to stop, workers may
// end for good by themselves.
func TestSiblingsThatEndForGoodBeforeTheyAreStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, oneForAll)
		a := tr.cast(atOnce, "a")[0]
		done, failed := tr.actor("done"), tr.actor("failed")
		tr.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure}, done)
		tr.add(chanx.RestartPolicy{Restart: chanx.RestartNever}, failed)
		tr.cast(atOnce, "slow")[0].linger = time.Second
		tr.start()
		a.exit(errSet)
		done.exit(nil)
		failed.exit(errSet)
		pause(time.Minute)
		assert.Equal(t, "a running, done stopped, failed failed, slow running", tr.states())
		tr.end()
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
				tr := newTroupe(t, oneForAll)
				a := tr.cast(atOnce, "a")[0]
				failing := tr.actor("failing")
				tr.add(tt.policy, failing)
				tr.cast(atOnce, "slow")[0].linger = time.Second
				tr.start()
				a.exit(errSet)
				failing.exit(tt.err)
				pause(time.Minute)
				assert.Equal(t, int32(2), failing.runs.Load())
				tr.end()
			})
		})
	}
}

func TestGroupBackoffIsTheFailedWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, oneForAll)
		a := tr.cast(everyOne(time.Second), "a")[0]
		b := tr.cast(everyOne(time.Minute), "b")[0]
		tr.start()
		a.exit(errSet)
		pause(time.Second)
		b.exit(errSet)
		pause(time.Minute)
		assert.Equal(t, []string{"0s +a +b -a -b", "1s +a +b -b -a", "1m1s +a +b"},
			tr.played())
		tr.end()
	})
}

func TestASiblingThatDoesNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.StopTimeout = time.Second
		tr := newTroupe(t, opts)
		all := tr.cast(atOnce, "a b c")
		all[1].deaf = true
		tr.start()
		all[0].exit(errSet)
		err := <-tr.result
		assert.Equal(t, 2*time.Second, time.Since(tr.born), "one more for the set")
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"b"}, late.Workers)
		assert.Equal(t, time.Second, late.Timeout)
		assert.EqualError(t, late.Err, `worker "a": boom`)
		assert.ErrorIs(t, err, errSet)
		assert.Equal(t, []string{"0s +a +b +c -a -c"}, tr.played())
		all[1].exit(nil)
	})
}

// It was too late for the group, and in time for the set.
func TestASiblingThatStopsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.StopTimeout = time.Second
		tr := newTroupe(t, opts)
		all := tr.cast(atOnce, "a b")
		all[1].linger = time.Second + 1
		tr.start()
		all[0].exit(nil)
		err := <-tr.result
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"b"}, late.Workers)
		assert.EqualError(t, late.Err, `worker "a" returned nil`)
		assert.Equal(t, time.Second+1, time.Since(tr.born))
	})
}

func TestStopDuringAGroupRestart(t *testing.T) {
	for name, backoff := range map[string]time.Duration{
		"while siblings stop": time.Minute,
		"during the backoff":  3 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTroupe(t, oneForAll)
				all := tr.cast(everyOne(backoff), "a b")
				all[1].linger = 2 * time.Second
				if name == "while siblings stop" {
					all[1].linger = 9 * time.Second
				}
				tr.start()
				all[0].exit(errSet)
				pause(4 * time.Second)
				tr.cancel(nil)
				assert.Equal(t, context.Canceled, <-tr.result)
				assert.Equal(t, max(4*time.Second, all[1].linger), time.Since(tr.born))
				pause(time.Hour)
				assert.Equal(t, int32(1), all[0].runs.Load())
				assert.Equal(t, "a stopped, b stopped", tr.states())
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
				tr := newTroupe(t, restForOne)
				policy := atOnce
				if tc.wait > 0 {
					policy = everyOne(tc.wait)
				}
				all := tr.cast(policy, "a b c")
				a, b, c := all[0], all[1], all[2]
				c.linger = 2 * time.Second
				tr.start()
				tr.played()
				b.exit(errSet)
				pause(tc.at)
				a.exit(errSet)
				pause(time.Minute)
				assert.Equal(t, tc.plays, tr.played())
				for _, x := range all {
					assert.Equal(t, int32(1), x.most.Load(), "%s at most once", x.name)
					assert.Equal(t, int32(1), x.live.Load())
				}
				assert.Equal(t, "a running, b running, c running", tr.states())
				tr.end()
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
				tr := newTroupe(t, restForOne)
				a := tr.cast(everyOne(tc.a), "a")[0]
				all := tr.cast(everyOne(tc.b), "b c")
				all[1].linger = 2 * time.Second
				tr.start()
				tr.played()
				all[0].exit(errSet)
				pause(tc.at)
				a.exit(errSet)
				pause(2 * time.Hour)
				assert.Equal(t, tc.plays, tr.played())
				tr.end()
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
				tr := newTroupe(t, oneForAll)
				all := tr.cast(policy, "a b")
				all[1].linger = 2 * time.Second
				tr.start()
				all[0].exit(errSet)
				pause(time.Second)
				late := tr.cast(policy, "late")[0]
				synctest.Wait()
				assert.Equal(t, int32(1), late.runs.Load())
				late.exit(errSet)
				pause(time.Minute)
				for _, x := range append(all, late) {
					assert.Equal(t, int32(1), x.most.Load(), "%s at most once", x.name)
					assert.Equal(t, int32(2), x.runs.Load(), x.name)
				}
				tr.end()
			})
		})
	}
}

// Who waits for the backoff of one failure and is caught by another is not
// started when that backoff is over, but when those still running have stopped.
func TestARestartTakesThePlaceOfOneThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, oneForAll)
		first := tr.cast(everyOne(2*time.Second), "a b")
		tr.start()
		first[0].exit(errSet)
		late := tr.cast(atOnce, "c d")
		late[1].linger = 5 * time.Second
		pause(time.Second)
		late[0].exit(errSet)
		pause(time.Minute)
		assert.Equal(t, []string{
			"0s +a +b -a -b +c +d", "1s -c", "6s -d +a +b +c +d",
		}, tr.played())
		tr.end()
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
				tr := newTroupe(t, oneForAll)
				all := tr.cast(everyOne(5*time.Second), "a b c")
				all[2].linger = 2 * time.Second
				tr.start()
				all[0].exit(errSet)
				pause(tc.at)
				require.NoError(t, tr.Remove(context.Background(), tc.remove))
				pause(time.Hour)
				for _, x := range all {
					want := int32(2)
					if x.name == tc.remove {
						want = 1
					}
					assert.Equal(t, want, x.runs.Load(), x.name)
				}
				require.Len(t, tr.Status(), 2)
				tr.end()
			})
		})
	}
}

// The removed worker does not stop, which is no longer the group's concern.
func TestAGroupDoesNotWaitForTheRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := oneForAll
		opts.StopTimeout = time.Second
		tr := newTroupe(t, opts)
		all := tr.cast(atOnce, "a b c")
		all[2].deaf = true
		tr.start()
		all[0].exit(errSet)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		require.Equal(t, context.DeadlineExceeded, tr.Remove(ctx, "c"))
		pause(time.Minute)
		assert.Equal(t, int32(2), all[0].runs.Load())
		assert.Equal(t, int32(2), all[1].runs.Load())
		all[2].exit(nil)
		assert.Equal(t, "a running, b running", tr.states())
		tr.end()
	})
}

// A removal that empties the group leaves a set that has ended for good.
// A second group has not asked who was removed before its turn, and does not
// wait for it either.
func TestTheNextGroupDoesNotWaitForTheRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, oneForAll)
		all := tr.cast(atOnce, "a b")
		all[1].linger = time.Minute
		tr.start()
		all[0].exit(errSet)
		tr.cast(atOnce, "late")[0].exit(errSet)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, tr.Remove(ctx, "b"))
		pause(30 * time.Second)
		assert.Equal(t, []string{
			"0s +a +b -a +late -late", "10s +a +late",
		}, tr.played())
		pause(time.Minute) // for b
		tr.end()
	})
}

func TestRemoveTheOneToBeRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, restForOne)
		all := tr.cast(everyOne(time.Minute), "a b")
		tr.start()
		all[0].exit(chanx.ErrStop)
		all[1].exit(errSet)
		require.NoError(t, tr.Remove(context.Background(), "b"))
		assert.NoError(t, <-tr.result)
	})
}

// What ends the set does not wait for a group that is being stopped.
func TestGivingUpDuringAGroupRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, restForOne)
		a := tr.actor("a")
		tr.add(chanx.RestartPolicy{Restart: chanx.RestartOnFailure, MinBackoff: -1,
			MaxRestarts: 1}, a)
		all := tr.cast(atOnce, "b c")
		tr.start()
		a.exit(errSet)
		all[1].deaf = true
		all[1].exit(errSet) // the next run is deaf
		all[0].exit(errSet)
		pause(time.Second)
		a.exit(errSet)
		err := <-tr.result
		assert.Equal(t, 11*time.Second, time.Since(tr.born))
		var limit *chanx.RestartLimitError
		require.ErrorAs(t, err, &limit)
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"c"}, late.Workers)
		all[1].exit(nil)
	})
}

func TestCrashDuringAGroupRestart(t *testing.T) {
	for name, before := range map[string]func(*troupe){
		"while it stops":  func(*troupe) {},
		"while all stops": func(tr *troupe) { tr.cancel(nil); synctest.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTroupe(t, oneForAll)
				a := tr.cast(atOnce, "a")[0]
				b := tr.actor("b")
				tr.add(chanx.RestartPolicy{CrashOnPanic: true}, b)
				c := tr.cast(atOnce, "c")[0]
				c.deaf = true
				crashed := make(chan any, 1)
				go func() {
					defer func() { crashed <- recover() }()
					_ = tr.Run(tr.ctx)
				}()
				synctest.Wait()
				a.exit(errSet)
				pause(time.Second)
				before(tr)
				b.orders <- func(context.Context) error { panic(errSet) }
				assert.IsType(t, new(chanx.PanicError), <-crashed)
				assert.Equal(t, time.Second, time.Since(tr.born), "nobody waited for c")
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

package chanx_test

import (
	"context"
	"errors"
	"fmt"
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

// branch adds a Supervisor with workers to h, as a worker.
func (h *harness) branch(name string, opts chanx.SupervisorOptions, policy chanx.RestartPolicy) *harness {
	child := newHarness(h.t, opts)
	child.born = h.born
	if err := h.Add(name, child.Run, policy); err != nil {
		h.t.Fatal(err)
	}
	return child
}

func TestATreeCarriesCauseAndStackUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		once := chanx.SupervisorOptions{MaxRestarts: 1}
		top := newHarness(t, once)
		mid := top.branch("mid", once, atOnce)
		low := mid.branch("low", once, atOnce)
		leaf := low.workers(atOnce, "leaf")[0]
		top.start()
		for range 7 { // 2 runs of leaf in each of 2 of low in each of 2 of mid
			leaf.panic(errSet)
		}
		_, over := top.over()
		require.False(t, over)
		leaf.panic(errSet)
		err := <-top.result
		var p *chanx.PanicError
		require.ErrorAs(t, err, &p)
		assert.Equal(t, errSet, p.Value)
		assert.ErrorIs(t, err, errSet)
		assert.Contains(t, string(p.Stack), "chanx_test.(*scriptedWorker).panic")
		depth := 0
		var limit *chanx.RestartLimitError
		for e := err; errors.As(e, &limit); e = limit.Last {
			depth++
		}
		assert.Equal(t, 3, depth, "one of each level")
		for _, worker := range []string{`"mid"`, `"low"`, `"leaf"`} {
			assert.ErrorContains(t, err, "worker "+worker)
		}
		assert.Equal(t, int32(8), leaf.runs.Load())
		assert.Len(t, low.status("leaf").Exits, 8, "kept over all the Runs")
	})
}

func TestATreeStopsFromTheLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		first := top.branch("first", chanx.SupervisorOptions{}, atOnce)
		second := top.branch("second", chanx.SupervisorOptions{}, atOnce)
		for _, a := range append(first.workers(atOnce, "a b"), second.workers(atOnce, "c d")...) {
			a.h, a.linger = top, time.Second
		}
		top.start()
		assert.Equal(t, context.Canceled, top.end())
		assert.Equal(t, []string{"0s +a +b +c +d", "1s -d", "2s -c", "3s -b", "4s -a"},
			top.played())
	})
}

func TestATreeNamesWhoHangsBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		mid := top.branch("mid", chanx.SupervisorOptions{StopTimeout: 5 * time.Second}, atOnce)
		low := mid.branch("low", chanx.SupervisorOptions{StopTimeout: time.Second}, atOnce)
		leaf := low.workers(atOnce, "leaf other")[0]
		leaf.deaf = true
		top.start()
		err := top.end()
		assert.Equal(t, time.Second, time.Since(top.born))
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, []string{"mid/low/leaf"}, late.Workers)
		assert.Equal(t, context.Canceled, late.Err)
		assert.Equal(t, "mid stopped", top.states())
		leaf.exit(nil)

		leaf.deaf = false
		top.ctx, top.cancel = context.WithCancelCause(context.Background())
		top.start()
		assert.Equal(t, context.Canceled, top.end(), "told only once")
	})
}

// A child that left a worker behind is not started again while it runs.
func TestATreeDoesNotRestartBesideALateLeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		child := top.branch("child", chanx.SupervisorOptions{
			MaxRestarts: 1, StopTimeout: time.Second,
		}, everyOne(time.Second))
		all := child.workers(atOnce, "a b")
		all[1].deaf = true
		top.start()
		all[0].exit(errSet)
		all[0].exit(errSet)
		pause(2 * time.Second) // to stop and to back off
		assert.Equal(t, "child backing off", top.states())
		exits := top.status("child").Exits
		require.Len(t, exits, 2)
		assert.ErrorIs(t, exits[0].Err, errSet)
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, exits[1].Err, &late)
		assert.Equal(t, []string{"b"}, late.Workers)
		all[1].deaf = false
		all[1].exit(nil)
		pause(time.Second)
		assert.Equal(t, "child running", top.states())
		assert.Equal(t, "a running, b running", child.states())
		assert.Equal(t, int32(1), all[1].most.Load())
		assert.Equal(t, context.Canceled, top.end())
	})
}

func TestRemoveABranch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		child := top.branch("child", chanx.SupervisorOptions{}, atOnce)
		child.workers(atOnce, "a")[0].linger = time.Second
		top.workers(atOnce, "b")
		top.start()
		require.NoError(t, top.Remove(context.Background(), "child"))
		assert.Equal(t, time.Second, time.Since(top.born))
		assert.Equal(t, "a stopped", child.states())
		assert.Equal(t, "b running", top.states())
		top.end()
	})
}

func TestStatusOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		top.workers(atOnce, "plain")
		child := top.branch("child", chanx.SupervisorOptions{MaxRestarts: 1}, everyOne(time.Second))
		a := child.workers(atOnce, "a b")[0]
		assert.Nil(t, top.status("child").Workers, "not run yet")
		top.start()
		assert.Nil(t, top.status("plain").Workers)
		workers := top.status("child").Workers
		require.Len(t, workers, 2)
		assert.Equal(t, "a", workers[0].Name)
		assert.Equal(t, chanx.StateRunning, workers[0].State)
		assert.Equal(t, child.Status(), workers)
		a.exit(errSet)
		a.exit(errSet)
		assert.Equal(t, chanx.StateFailed, top.status("child").Workers[0].State,
			"how it ended can be seen during the backoff")
		pause(time.Second)
		assert.Equal(t, chanx.StateRunning, top.status("child").Workers[0].State)
		top.end()
		assert.Len(t, top.status("child").Workers, 2)
	})
}

// Two supervisors that have each other as a worker, and run in turns: the upper
// one shows the other, which is already running when it is to run again, so none
// is ever shown below itself.
func TestStatusOfSupervisorsThatRunEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newHarness(t, chanx.SupervisorOptions{})
		two := one.branch("two", chanx.SupervisorOptions{}, everyOne(time.Second))
		require.NoError(t, two.Add("one", one.Run, everyOne(time.Second)))
		for range 3 {
			for _, top := range []*harness{one, two} {
				top.ctx, top.cancel = context.WithCancelCause(context.Background())
				top.start()
				for range 2 { // as it is now, and when it has ended
					below := top.Status()[0].Workers
					require.Len(t, below, 1)
					exits := below[0].Exits
					require.ErrorContains(t, exits[len(exits)-1].Err, "running already")
					require.Nil(t, below[0].Workers)
					if top.ctx.Err() == nil {
						require.Equal(t, context.Canceled, top.end())
					}
				}
			}
		}
	})
}

// deepLeaf builds top over mid over low over a leaf that does not stop.
func deepLeaf(t *testing.T) (top *harness, leaf *scriptedWorker) {
	top = newHarness(t, chanx.SupervisorOptions{})
	mid := top.branch("mid", chanx.SupervisorOptions{StopTimeout: 5 * time.Second}, atOnce)
	low := mid.branch("low", chanx.SupervisorOptions{StopTimeout: time.Second}, atOnce)
	leaf = low.workers(atOnce, "leaf")[0]
	leaf.deaf = true
	top.start()
	return top, leaf
}

func TestRemoveNamesWhoHangsBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top, leaf := deepLeaf(t)
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, top.Remove(t.Context(), "mid"), &late)
		assert.Equal(t, []string{"mid/low/leaf"}, late.Workers)
		assert.Equal(t, 5*time.Second, late.Timeout, "that of mid")
		assert.EqualError(t, late.Err, "chanx: worker is being removed")
		assert.Empty(t, top.Status(), "it is removed all the same")
		top.workers(atOnce, "mid") // the name is free
		assert.Equal(t, context.Canceled, top.end(), "who was named is not again")
		leaf.exit(nil)
	})
}

// A worker that stopped before it was removed, and left others behind, is named
// by Run if that is stopping, and not if Run has returned.
func TestRemoveAfterLeavingOthersBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top, leaf := deepLeaf(t)
		slow := top.worker("slow")
		slow.linger = 2 * time.Second
		top.add(atOnce, slow)
		second := top.branch("second", chanx.SupervisorOptions{StopTimeout: time.Second}, atOnce)
		last := second.worker("last")
		last.deaf = true
		second.add(atOnce, last)
		synctest.Wait()
		top.cancel(nil)
		pause(time.Second + 1)
		require.Equal(t, "mid running, slow running, second stopped", top.states())
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, top.Remove(context.Background(), "second"), &late)
		assert.Equal(t, []string{"second/last"}, late.Workers)
		require.ErrorAs(t, <-top.result, &late)
		assert.Equal(t, []string{"mid/low/leaf", "second/last"}, late.Workers)
		assert.NoError(t, top.Remove(context.Background(), "mid"))
		leaf.exit(nil)
		last.exit(nil)
	})
}

// A removal that is under way when the set stops must not hide a name from
// Run.
func TestStopDuringTheRemovalOfABranch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top, leaf := deepLeaf(t)
		removed := make(chan error, 1)
		go func() { removed <- top.Remove(context.Background(), "mid") }()
		synctest.Wait()
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, top.end(), &late)
		assert.Equal(t, []string{"mid/low/leaf"}, late.Workers)
		assert.Equal(t, context.Canceled, late.Err)
		require.ErrorAs(t, <-removed, &late)
		assert.Equal(t, []string{"mid/low/leaf"}, late.Workers)
		leaf.exit(nil)
		top.ctx, top.cancel = context.WithCancelCause(context.Background())
		top.start()
		assert.Equal(t, context.Canceled, top.end(), "told only once")
	})
}

// watchedWorker is a policy that replaces a run that is silent for a second.
var watchedWorker = chanx.RestartPolicy{
	MinBackoff: -1, Heartbeat: time.Second, ReplaceStalled: true,
}

// Run beats for itself: when nothing happens, while a group is stopped, and
// while all are.
func TestABranchIsNotStalledWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{StopTimeout: time.Minute})
		child := top.branch("child", chanx.SupervisorOptions{
			Strategy: chanx.OneForAll, StopTimeout: time.Minute, MaxRestarts: 1,
		}, watchedWorker)
		all := child.workers(atOnce, "a b")
		all[1].linger = 10 * time.Second
		top.start()
		pause(time.Hour)
		all[0].exit(errSet)
		pause(10 * time.Second)
		assert.Equal(t, int32(2), all[1].runs.Load())
		all[0].exit(errSet) // gives up, and stops b
		pause(10 * time.Second)
		assert.Equal(t, int32(3), all[1].runs.Load())
		exits := top.status("child").Exits
		require.Len(t, exits, 1)
		assert.ErrorIs(t, exits[0].Err, errSet)
		assert.Equal(t, context.Canceled, top.end())
		assert.Len(t, top.status("child").Exits, 2)
	})
}

func TestABranchHasItsOwnHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		child := top.branch("child", chanx.SupervisorOptions{},
			chanx.RestartPolicy{Heartbeat: time.Second})
		child.add(chanx.RestartPolicy{Heartbeat: time.Minute}, child.worker("leaf"))
		top.start()
		pause(time.Minute)
		assert.Equal(t, "leaf running", child.states())
		pause(1)
		assert.Equal(t, "leaf stalled", child.states())
		assert.Equal(t, "child running", top.states(), "who is well itself")
		assert.Less(t, time.Since(top.status("child").LastBeat), time.Second)
		assert.Equal(t, context.Canceled, top.end())
	})
}

func TestStalledAndHealthyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.worker("a")
		h.add(chanx.RestartPolicy{Heartbeat: time.Second}, a)
		h.start()
		pause(time.Second)
		assert.Equal(t, "a running", h.states())
		pause(1)
		assert.Equal(t, "a stalled", h.states())
		assert.Equal(t, time.Second+1, h.status("a").Since.Sub(h.born))
		pause(time.Second)
		a.beat()
		assert.Equal(t, "a running", h.states())
		assert.Equal(t, time.Now(), h.status("a").LastBeat)
		assert.Equal(t, time.Now(), h.status("a").Since)
		pause(time.Second)
		assert.Equal(t, "a running", h.states())
		pause(1)
		assert.Equal(t, "a stalled", h.states())
		a.exit(errSet)
		assert.Equal(t, "a backing off", h.states())
		assert.Equal(t, context.Canceled, h.end())
		assert.Empty(t, h.status("a").Exits[1:], "a stall is no exit")
	})
}

// Who drains when told to stop does not beat, and is not left behind for it.
func TestTheSilentAreNotReplacedWhileTheyStop(t *testing.T) {
	for name, stop := range map[string]func(*harness) error{
		"set": func(h *harness) error { return h.end() },
		"remove": func(h *harness) error {
			err := h.Remove(context.Background(), "a")
			h.cancel(nil)
			<-h.result
			return err
		},
		"give up": func(h *harness) error {
			_ = h.Add("b", func(context.Context) error { return errSet },
				chanx.RestartPolicy{MinBackoff: -1, MaxRestarts: 1})
			return <-h.result
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, chanx.SupervisorOptions{})
				a := h.worker("a")
				a.linger = 9 * time.Second
				h.add(watchedWorker, a)
				h.start()
				err := stop(h)
				switch name {
				case "set":
					assert.Equal(t, context.Canceled, err)
				case "remove":
					assert.NoError(t, err)
				default:
					assert.ErrorIs(t, err, errSet)
				}
				assert.Equal(t, 9*time.Second, time.Since(h.born))
				assert.Zero(t, a.live.Load())
			})
		})
	}
}

func TestTheSilentThatDoNotStopAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{StopTimeout: 5 * time.Second})
		a := h.worker("a")
		a.deaf = true
		h.add(watchedWorker, a)
		h.start()
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, h.end(), &late)
		assert.Equal(t, []string{"a"}, late.Workers)
		assert.Equal(t, "a stalled", h.states())
		assert.Error(t, h.Run(context.Background()), "no second instance")
		a.exit(nil)
	})
}

// The events and exits of a stall, a replacement, a late end and a recovery.
func TestStallInASetIsToldInFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, j := newHarness(t, chanx.SupervisorOptions{}), newJournal()
		policy := watchedWorker
		policy.OnEvent = j.note
		var runs atomic.Int32
		require.NoError(t, h.Add("a", func(ctx context.Context) error {
			if runs.Add(1) == 1 {
				<-ctx.Done()
				assert.Equal(t, chanx.ErrStalled, context.Cause(ctx))
				time.Sleep(2 * time.Second)
				return errSet
			}
			beatUntil(ctx, ctx.Done())
			return nil
		}, policy))
		policy.ReplaceStalled = false
		b := h.worker("b")
		h.add(policy, b)
		h.start()
		pause(2 * time.Second)
		b.beat()
		pause(2 * time.Second)
		h.end()
		assert.ElementsMatch(t, []string{
			"1.000000001s stall: chanx: worker stalled, from 0s for 1.000000001s, after 0, wait 0s",
			"1.000000001s exit: chanx: worker stalled, from 0s for 1.000000001s, after 0, wait 0s",
			"1.000000001s restart: chanx: worker stalled, from 0s for 1.000000001s, after 0, wait 0s",
			"3.000000001s exit: chanx: worker stalled, replaced, and ended after all: boom, " +
				"from 0s for 3.000000001s, after 0, wait 0s",
			"4s exit: <nil>, from 1.000000001s for 2.999999999s, after 1, wait 0s, final",

			"1.000000001s stall: chanx: worker stalled, from 0s for 1.000000001s, after 0, wait 0s",
			"2s recover: <nil>, from 0s for 2s, after 0, wait 0s",
			"3.000000001s stall: chanx: worker stalled, from 0s for 3.000000001s, after 0, wait 0s",
			"4s exit: <nil>, from 0s for 4s, after 0, wait 0s, final",
		}, j.lines())
		var kept []error
		for _, e := range h.status("a").Exits {
			kept = append(kept, e.Err)
		}
		require.Len(t, kept, 3)
		assert.Equal(t, chanx.ErrStalled, kept[0])
		assert.ErrorIs(t, kept[1], errSet)
		assert.NoError(t, kept[2])
	})
}

// A stall in a group restarts the group while the leaked run goes on.
func TestReplaceStalledInAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, oneForAll)
		release, runs := make(chan struct{}), make(chan struct{}, 9)
		require.NoError(t, h.Add("a", func(ctx context.Context) error {
			runs <- struct{}{}
			if len(runs) == 1 {
				<-release
				return nil
			}
			for ctx.Err() == nil {
				chanx.Beat(ctx)
				time.Sleep(time.Millisecond)
			}
			return nil
		}, watchedWorker))
		b := h.workers(atOnce, "b")[0]
		h.start()
		pause(time.Second + 1)
		assert.Len(t, runs, 2)
		assert.Equal(t, int32(2), b.runs.Load())
		assert.Equal(t, int32(1), b.most.Load())
		assert.Equal(t, "a running, b running", h.states())
		close(release)
		synctest.Wait()
		assert.Equal(t, int32(2), b.runs.Load(), "a late end restarts nobody")
		require.Len(t, h.status("a").Exits, 2)
		h.end()
	})
}

// One hook blocks forever, one panics; neither delays a worker, and the events
// they miss are counted to the last.
func TestHooksDelayNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		block := make(chan struct{})
		a, b, c := h.worker("a"), h.worker("b"), h.worker("c")
		blocks, panics := atOnce, atOnce
		blocks.OnEvent = func(chanx.Event) { <-block }
		panics.OnEvent = func(chanx.Event) { panic("hook") }
		h.add(blocks, a)
		h.add(panics, b)
		h.add(atOnce, c)
		h.start()
		for range 50 { // an exit and a restart each
			a.exit(errSet)
			b.exit(errSet)
			c.exit(errSet)
		}
		assert.Equal(t, "a running, b running, c running", h.states())
		assert.Zero(t, time.Since(h.born))
		assert.EqualValues(t, 101-1-64, h.status("a").Missed, "one taken, 64 waiting")
		assert.EqualValues(t, 101, h.status("b").Missed)
		assert.Zero(t, h.status("c").Missed)
		assert.Equal(t, context.Canceled, h.end())
		assert.Equal(t, time.Second, time.Since(h.born), "the grace of the hooks")
		assert.EqualValues(t, 101, h.status("a").Missed, "and one exit, less one taken")
		assert.EqualValues(t, 102, h.status("b").Missed)
		close(block)
	})
}

// Run has not returned while it waits for hooks, and cannot be called again.
func TestRunIsBusyWhileHooksAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		policy := atOnce
		policy.OnEvent = func(chanx.Event) { time.Sleep(time.Second / 2) }
		h.add(policy, h.worker("a"))
		h.start()
		pause(time.Second / 2)
		h.cancel(nil)
		synctest.Wait()
		assert.Equal(t, "a stopped", h.states())
		assert.EqualError(t, h.Run(context.Background()),
			"chanx: supervisor is running already")
		assert.Equal(t, context.Canceled, <-h.result)
		assert.Equal(t, time.Second, time.Since(h.born))
		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		h.start()
		assert.Equal(t, context.Canceled, h.end())
		assert.Zero(t, h.status("a").Missed, "the hook is open again")
	})
}

func TestRemoveWaitsForTheHook(t *testing.T) {
	for name, tc := range map[string]struct{ takes, waits time.Duration }{
		"orderly": {time.Second - 1, time.Second - 1},
		"blocked": {time.Hour, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, chanx.SupervisorOptions{})
				policy := atOnce
				var took atomic.Bool
				policy.OnEvent = func(e chanx.Event) {
					if e.Kind == chanx.EventStart {
						return
					}
					time.Sleep(tc.takes)
					took.Store(true)
				}
				h.add(policy, h.worker("a"))
				h.start()
				require.NoError(t, h.Remove(context.Background(), "a"))
				assert.Equal(t, tc.waits, time.Since(h.born))
				assert.Equal(t, tc.takes == tc.waits, took.Load())
				assert.Equal(t, context.Canceled, h.end())
				pause(tc.takes)
			})
		})
	}
}

func TestEventsOfASetAreInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 2})
		var got []string
		a := h.worker("a")
		h.add(chanx.RestartPolicy{MinBackoff: -1, Heartbeat: time.Second,
			OnEvent: func(e chanx.Event) {
				got = append(got, e.Worker+" "+e.Kind.String())
			}}, a)
		h.start()
		a.exit(errSet)
		pause(time.Second + 1)
		a.beat()
		a.exit(errSet)
		a.exit(errSet)
		<-h.result
		assert.Equal(t, []string{"a start", "a exit", "a restart", "a stall", "a recover",
			"a exit", "a restart", "a exit", "a give up"}, got)
	})
}

// Both have the default StopTimeout, and the leaf hangs: it must be named, and
// not the branch it hangs in.
func TestTheLeafIsNamedWithDefaultTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		mid := top.branch("mid", chanx.SupervisorOptions{}, atOnce)
		low := mid.branch("low", chanx.SupervisorOptions{}, atOnce)
		block := make(chan struct{})
		defer close(block)
		leaf := low.workers(chanx.RestartPolicy{OnEvent: func(chanx.Event) { <-block }}, "leaf")[0]
		leaf.deaf = true
		top.start()
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, top.end(), &late)
		assert.Equal(t, []string{"mid/low/leaf"}, late.Workers)
		assert.Less(t, time.Since(top.born), 10*time.Second)
		leaf.exit(nil)
	})
}

// A child that has given up and left a worker behind is not the only one that
// knows.
func TestWhatAChildLeftBehindIsNotForgotten(t *testing.T) {
	for name, end := range map[string]func(*harness) error{
		"stop":   func(top *harness) error { return top.end() },
		"remove": func(top *harness) error { return top.Remove(context.Background(), "child") },
	} {
		for _, again := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					top := newHarness(t, chanx.SupervisorOptions{})
					child := top.branch("child", chanx.SupervisorOptions{
						MaxRestarts: 1, StopTimeout: time.Second,
					}, everyOne(time.Minute))
					all := child.workers(atOnce, "a b")
					all[1].deaf = true
					top.start()
					all[0].exit(errSet)
					all[0].exit(errSet)
					pause(2 * time.Second)
					if again { // and could not start
						pause(time.Minute)
						require.Len(t, top.status("child").Exits, 2)
					}
					var late *chanx.StopTimeoutError
					require.ErrorAs(t, end(top), &late)
					assert.Equal(t, []string{"child/b"}, late.Workers)
					all[1].exit(nil)
					top.cancel(nil)
				})
			})
		}
	}
}

// A set that ends because its last worker has, for which no reason is known.
func TestWhatTheLastChildLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		child := top.branch("child", chanx.SupervisorOptions{
			MaxRestarts: 1, StopTimeout: time.Second,
		}, chanx.RestartPolicy{Restart: chanx.RestartNever})
		all := child.workers(atOnce, "a b")
		all[1].deaf = true
		top.start()
		all[0].exit(errSet)
		all[0].exit(errSet)
		err := <-top.result
		assert.EqualError(t, err, "chanx: not stopped after 10s: child/b")
		assert.NoError(t, errors.Unwrap(err))
		all[1].exit(nil)
	})
}

// A Remove that was not waited for has told nothing, so Run does.
func TestRunNamesWhoHangsBelowTheRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top, leaf := deepLeaf(t)
		top.workers(atOnce, "other")
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, top.Remove(ctx, "mid"))
		pause(time.Minute)
		var late *chanx.StopTimeoutError
		require.ErrorAs(t, top.end(), &late)
		assert.Equal(t, []string{"mid/low/leaf"}, late.Workers)
		leaf.exit(nil)
	})
}

// Run waits for hooks as it waits for workers: it beats, and is not replaced.
func TestRunBeatsWhileItWaitsForHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		policy := chanx.RestartPolicy{MinBackoff: -1, CrashOnPanic: true,
			Heartbeat: 100 * time.Millisecond, ReplaceStalled: true}
		child := top.branch("child", chanx.SupervisorOptions{}, policy)
		block := make(chan struct{})
		a := child.worker("a")
		child.add(chanx.RestartPolicy{CrashOnPanic: true,
			OnEvent: func(chanx.Event) { <-block }}, a)
		crashed := make(chan any, 1)
		go func() {
			defer func() { crashed <- recover() }()
			_ = top.Run(top.ctx)
		}()
		synctest.Wait()
		a.panic(errSet)
		select {
		case p := <-crashed:
			assert.IsType(t, &chanx.PanicError{}, p)
		case <-time.After(time.Hour):
			t.Error("the crash was swallowed")
			top.cancel(nil)
		}
		close(block)
	})
}

// A hook of a worker that was removed is waited for as well.
func TestTheHookOfARemovedWorkerEndsWithRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		var calls atomic.Int64
		policy := atOnce
		policy.OnEvent = func(chanx.Event) {
			time.Sleep(400 * time.Millisecond)
			calls.Add(1)
		}
		a := h.worker("a")
		a.linger = 10 * time.Millisecond // it stops when Remove has given up
		h.add(policy, a)
		h.workers(atOnce, "b")[0].linger = 20 * time.Millisecond
		h.start()
		a.exit(errSet)
		a.exit(errSet) // four events, or more
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Millisecond, cancel)
		_ = h.Remove(ctx, "a")
		assert.Equal(t, context.Canceled, h.end())
		seen := calls.Load()
		time.Sleep(time.Hour)
		assert.LessOrEqual(t, calls.Load(), seen+1, "one call may have been under way")
	})
}

// A set that a worker has run and ended is not shown forever, and of two sets
// that run, both are shown.
func TestStatusShowsTheSetsThatRunBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		warm, one, two := newHarness(t, oneForAll), newHarness(t, oneForAll), newHarness(t, oneForAll)
		w := warm.workers(chanx.RestartPolicy{Restart: chanx.RestartNever}, "warm")[0]
		one.workers(atOnce, "one")
		two.workers(atOnce, "two")
		require.NoError(t, top.Add("a", func(ctx context.Context) error {
			_ = warm.Run(ctx)
			var all sync.WaitGroup
			all.Go(func() { _ = one.Run(ctx) })
			all.Go(func() { _ = chanx.Supervise(ctx, two.Run, atOnce) })
			all.Wait()
			return ctx.Err()
		}, atOnce))
		top.start()
		names := func() (all []string) {
			for _, w := range top.status("a").Workers {
				all = append(all, w.Name)
			}
			return all
		}
		assert.Equal(t, []string{"warm"}, names())
		w.exit(errSet)
		assert.ElementsMatch(t, []string{"one", "two"}, names())
		assert.Equal(t, context.Canceled, top.end())
	})
}

// Situations that users of other supervisors have reported.

// Deep below, each level ends its wait before the one above, and all have time.
func TestADeepTreeIsStoppedAtOnce(t *testing.T) {
	for range 20 {
		top := chanx.NewSupervisor(chanx.SupervisorOptions{})
		at := top
		for range 64 {
			next := chanx.NewSupervisor(chanx.SupervisorOptions{})
			require.NoError(t, at.Add("next", next.Run, chanx.RestartPolicy{}))
			at = next
		}
		require.NoError(t, at.Add("leaf", idle, chanx.RestartPolicy{}))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- top.Run(ctx) }()
		cancel()
		require.Equal(t, context.Canceled, <-done)
	}
}

// A stop right after a removal that was waited for reports nothing and takes
// no time, also while another worker backs off from a panic.
func TestStopRightAfterRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(everyOne(time.Hour), "a b c")[0]
		h.start()
		a.panic(errSet)
		require.NoError(t, h.Remove(t.Context(), "b"))
		assert.Equal(t, context.Canceled, h.end())
		assert.Zero(t, time.Since(h.born))
	})
}

// Workers that add workers to their own set, and to a set below them, while
// all of it starts, and while it stops.
func TestWorkersThatAddWorkers(t *testing.T) {
	manyProcs(t)
	for range 200 {
		top, child := chanx.NewSupervisor(chanx.SupervisorOptions{}),
			chanx.NewSupervisor(chanx.SupervisorOptions{})
		adder := func(to *chanx.Supervisor, name string) func(context.Context) error {
			return func(ctx context.Context) error {
				for i := 0; ctx.Err() == nil; i++ {
					_ = to.Add(fmt.Sprint(name, i), idle, chanx.RestartPolicy{})
					runtime.Gosched()
				}
				_ = to.Add(name+" late", idle, chanx.RestartPolicy{})
				return ctx.Err()
			}
		}
		require.NoError(t, top.Add("child", child.Run, chanx.RestartPolicy{}))
		require.NoError(t, top.Add("x", adder(top, "x"), chanx.RestartPolicy{}))
		require.NoError(t, top.Add("y", adder(child, "y"), chanx.RestartPolicy{}))
		require.NoError(t, child.Add("z", adder(child, "z"), chanx.RestartPolicy{}))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- top.Run(ctx) }()
		for len(top.Status()) < 5 {
			runtime.Gosched()
		}
		cancel()
		require.Equal(t, context.Canceled, <-done)
	}
}

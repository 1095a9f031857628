package chanx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWorkerStatePrints(t *testing.T) {
	for state, want := range map[chanx.WorkerState]string{
		chanx.StateStarting:   "starting",
		chanx.StateRunning:    "running",
		chanx.StateBackingOff: "backing off",
		chanx.StateStalled:    "stalled",
		chanx.StateStopped:    "stopped",
		chanx.StateFailed:     "failed",
		-1:                    "WorkerState(-1)",
		6:                     "WorkerState(6)",
	} {
		assert.Equal(t, want, state.String())
		text, err := state.MarshalText()
		assert.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
}

// TestStatusAsJSON has the error of an exit, which the fields of an error that
// is no struct do not show, and nothing of fields that are zero.
func TestStatusAsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		status := func() string {
			text, err := json.Marshal(tr.Status())
			require.NoError(t, err)
			return string(text)
		}
		assert.JSONEq(t, `[{"name":"a","state":"starting","restarts":0,
			"since":"2000-01-01T00:00:00Z"}]`, status())
		tr.start()
		pause(time.Second)
		a.exit(fmt.Errorf("disk: %w", errSet))
		assert.JSONEq(t, `[{"name":"a","state":"running","restarts":1,
			"crash_looping":true,"since":"2000-01-01T00:00:01Z","last_beat":"2000-01-01T00:00:01Z",
			"exit_counts":{"error":1},
			"exits":[{"error":"disk: set","started":"2000-01-01T00:00:00Z",
				"ran":"1s","restarts":0,"backoff":"0s","final":false}]}]`,
			strings.ReplaceAll(status(), errSet.Error(), "set"))
		tr.end()
	})
}

func TestStatusOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		assert.Empty(t, tr.Status())
		pause(time.Second)
		a := tr.cast(everyOne(3*time.Second), "a")[0]
		want := chanx.WorkerStatus{
			Name: "a", State: chanx.StateStarting, Since: tr.born.Add(time.Second),
		}
		assert.Equal(t, want, tr.status("a"))

		pause(time.Second)
		tr.start()
		want.State, want.Since = chanx.StateRunning, time.Now()
		want.LastBeat = time.Now()
		assert.Equal(t, want, tr.status("a"))

		pause(time.Second)
		a.beat() // without a Heartbeat the time is noted nevertheless
		want.LastBeat = time.Now()
		assert.Equal(t, want, tr.status("a"))

		pause(time.Second)
		a.exit(errSet)
		want.State, want.Since = chanx.StateBackingOff, time.Now()
		want.Exits = []chanx.Exit{{
			Err: errSet, Started: tr.born.Add(2 * time.Second),
			Ran: 2 * time.Second, Backoff: 3 * time.Second,
		}}
		want.ExitCounts.Error = 1
		assert.Equal(t, want, tr.status("a"))

		pause(3 * time.Second)
		want.State, want.Since = chanx.StateRunning, time.Now()
		want.LastBeat, want.Restarts = time.Now(), 1
		want.CrashLooping = true
		assert.Equal(t, want, tr.status("a"))

		pause(time.Second)
		tr.end()
		want.State, want.Since = chanx.StateStopped, time.Now()
		want.CrashLooping = false
		want.Exits = append(want.Exits, chanx.Exit{
			Started: tr.born.Add(7 * time.Second), Ran: time.Second,
			Restarts: 1, Final: true,
		})
		want.ExitCounts.Nil = 1
		assert.Equal(t, want, tr.status("a"))
	})
}

func TestStatusIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		a := tr.cast(atOnce, "a")[0]
		tr.start()
		a.exit(errSet)
		tr.Status()[0].Exits[0].Err = nil
		assert.Equal(t, errSet, tr.Status()[0].Exits[0].Err)
		got := tr.Status()
		for range 9 {
			a.exit(nil)
		}
		assert.Equal(t, errSet, got[0].Exits[0].Err)
		tr.end()
	})
}

func TestTheLastExitsAreKept(t *testing.T) {
	for _, tc := range []struct{ option, kept int }{{0, 8}, {1, 1}, {3, 3}} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTroupe(t, chanx.SupervisorOptions{KeepExits: tc.option})
			a := tr.cast(atOnce, "a b")[0]
			tr.start()
			for i := range tc.kept {
				a.exit(fmt.Errorf("early %d", i))
			}
			assert.Len(t, tr.status("a").Exits, tc.kept)
			for i := range tc.kept - 1 {
				a.exit(fmt.Errorf("exit %d", i))
			}
			a.panic("the last")
			a.exit(chanx.ErrStop)
			tr.end()
			exits := tr.status("a").Exits
			require.Len(t, exits, tc.kept)
			assert.Equal(t, chanx.ErrStop, exits[tc.kept-1].Err)
			if tc.kept == 1 {
				return
			}
			var p *chanx.PanicError
			require.ErrorAs(t, exits[tc.kept-2].Err, &p)
			assert.Equal(t, "the last", p.Value)
			assert.Contains(t, string(p.Stack), "chanx_test.(*actor).panic")
			for i, e := range exits[:tc.kept-2] {
				assert.EqualError(t, e.Err, fmt.Sprintf("exit %d", i+1))
			}
			assert.Len(t, tr.status("b").Exits, 1, "each worker has its own")
		})
	}
}

// Everything is stuck: a worker, its hook, the group that waits for it, and
// the Remove of another.
func TestStatusWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{
			Strategy: chanx.OneForAll, StopTimeout: time.Hour,
		})
		block := make(chan struct{})
		policy := atOnce
		policy.Heartbeat = time.Second
		policy.OnEvent = func(chanx.Event) { <-block }
		all := []*actor{tr.actor("a"), tr.actor("b"), tr.actor("c")}
		all[1].deaf, all[2].deaf = true, true
		tr.add(policy, all...)
		tr.start()
		removed := make(chan error, 1)
		go func() { removed <- tr.Remove(context.Background(), "c") }()
		synctest.Wait()
		all[0].exit(errSet)
		pause(time.Second + 1)
		before := time.Now()
		assert.Equal(t, "a backing off, b stalled, c stalled", tr.states())
		tr.cancel(nil)
		synctest.Wait()
		assert.Equal(t, "a stopped, b stalled, c stalled", tr.states())
		assert.Equal(t, before, time.Now())
		all[1].exit(nil)
		all[2].exit(nil)
		assert.Equal(t, context.Canceled, <-tr.result)
		close(block)
		assert.NoError(t, <-removed)
		assert.Equal(t, "a stopped, b stopped", tr.states())
	})
}

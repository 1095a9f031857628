package chanx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
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
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		status := func() string {
			text, err := json.Marshal(h.Status())
			require.NoError(t, err)
			return string(text)
		}
		assert.JSONEq(t, `[{"name":"a","state":"starting","restarts":0,
			"since":"2000-01-01T00:00:00Z"}]`, status())
		h.start()
		pause(time.Second)
		a.exit(fmt.Errorf("disk: %w", errSet))
		assert.JSONEq(t, `[{"name":"a","state":"running","restarts":1,
			"crash_looping":true,"since":"2000-01-01T00:00:01Z","last_beat":"2000-01-01T00:00:01Z",
			"exit_counts":{"error":1},
			"exits":[{"error":"disk: set","started":"2000-01-01T00:00:00Z",
				"ran":"1s","restarts":0,"backoff":"0s","final":false}]}]`,
			strings.ReplaceAll(status(), errSet.Error(), "set"))
		h.end()
	})
}

func TestStatusOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		assert.Empty(t, h.Status())
		pause(time.Second)
		a := h.workers(everyOne(3*time.Second), "a")[0]
		want := chanx.WorkerStatus{
			Name: "a", State: chanx.StateStarting, Since: h.born.Add(time.Second),
		}
		assert.Equal(t, want, h.status("a"))

		pause(time.Second)
		h.start()
		want.State, want.Since = chanx.StateRunning, time.Now()
		want.LastBeat = time.Now()
		assert.Equal(t, want, h.status("a"))

		pause(time.Second)
		a.beat() // without a Heartbeat the time is noted nevertheless
		want.LastBeat = time.Now()
		assert.Equal(t, want, h.status("a"))

		pause(time.Second)
		a.exit(errSet)
		want.State, want.Since = chanx.StateBackingOff, time.Now()
		want.Exits = []chanx.Exit{{
			Err: errSet, Started: h.born.Add(2 * time.Second),
			Ran: 2 * time.Second, Backoff: 3 * time.Second,
		}}
		want.ExitCounts.Error = 1
		assert.Equal(t, want, h.status("a"))

		pause(3 * time.Second)
		want.State, want.Since = chanx.StateRunning, time.Now()
		want.LastBeat, want.Restarts = time.Now(), 1
		want.CrashLooping = true
		assert.Equal(t, want, h.status("a"))

		pause(time.Second)
		h.end()
		want.State, want.Since = chanx.StateStopped, time.Now()
		want.CrashLooping = false
		want.Exits = append(want.Exits, chanx.Exit{
			Started: h.born.Add(7 * time.Second), Ran: time.Second,
			Restarts: 1, Final: true,
		})
		want.ExitCounts.Nil = 1
		assert.Equal(t, want, h.status("a"))
	})
}

func TestStatusIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		a := h.workers(atOnce, "a")[0]
		h.start()
		a.exit(errSet)
		h.Status()[0].Exits[0].Err = nil
		assert.Equal(t, errSet, h.Status()[0].Exits[0].Err)
		got := h.Status()
		for range 9 {
			a.exit(nil)
		}
		assert.Equal(t, errSet, got[0].Exits[0].Err)
		h.end()
	})
}

func TestTheLastExitsAreKept(t *testing.T) {
	for _, tc := range []struct{ option, kept int }{{0, 8}, {1, 1}, {3, 3}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHarness(t, chanx.SupervisorOptions{KeepExits: tc.option})
			a := h.workers(atOnce, "a b")[0]
			h.start()
			for i := range tc.kept {
				a.exit(fmt.Errorf("early %d", i))
			}
			assert.Len(t, h.status("a").Exits, tc.kept)
			for i := range tc.kept - 1 {
				a.exit(fmt.Errorf("exit %d", i))
			}
			a.panic("the last")
			a.exit(chanx.ErrStop)
			h.end()
			exits := h.status("a").Exits
			require.Len(t, exits, tc.kept)
			assert.Equal(t, chanx.ErrStop, exits[tc.kept-1].Err)
			if tc.kept == 1 {
				return
			}
			var p *chanx.PanicError
			require.ErrorAs(t, exits[tc.kept-2].Err, &p)
			assert.Equal(t, "the last", p.Value)
			assert.Contains(t, string(p.Stack), "chanx_test.(*scriptedWorker).panic")
			for i, e := range exits[:tc.kept-2] {
				assert.EqualError(t, e.Err, fmt.Sprintf("exit %d", i+1))
			}
			assert.Len(t, h.status("b").Exits, 1, "each worker has its own")
		})
	}
}

// Everything is stuck: a worker, its hook, the group that waits for it, and
// the Remove of another.
func TestStatusNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{
			Strategy: chanx.OneForAll, StopTimeout: time.Hour,
		})
		block := make(chan struct{})
		policy := atOnce
		policy.Heartbeat = time.Second
		policy.OnEvent = func(chanx.Event) { <-block }
		all := []*scriptedWorker{h.worker("a"), h.worker("b"), h.worker("c")}
		all[1].deaf, all[2].deaf = true, true
		h.add(policy, all...)
		h.start()
		removed := make(chan error, 1)
		go func() { removed <- h.Remove(context.Background(), "c") }()
		synctest.Wait()
		all[0].exit(errSet)
		pause(time.Second + 1)
		before := time.Now()
		assert.Equal(t, "a backing off, b stalled, c stalled", h.states())
		h.cancel(nil)
		synctest.Wait()
		assert.Equal(t, "a stopped, b stalled, c stalled", h.states())
		assert.Equal(t, before, time.Now())
		all[1].exit(nil)
		all[2].exit(nil)
		assert.Equal(t, context.Canceled, <-h.result)
		close(block)
		assert.NoError(t, <-removed)
		assert.Equal(t, "a stopped, b stopped", h.states())
	})
}

// health is what Health says of s, in short.
func health(s *chanx.Supervisor) string {
	h := s.Health()
	said := fmt.Sprintf("live %v, ready %v", h.Live, h.Ready)
	if h.Reason != "" {
		said += " (" + h.Reason + ")"
	}
	for _, w := range h.Workers {
		said += ", " + w.Name + " " + w.State.String()
	}
	return said
}

func TestHealthOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		assert.Equal(t, "live true, ready false (not started)", health(h.Supervisor))
		policy := everyOne(time.Second)
		policy.Heartbeat = time.Hour
		a := h.workers(policy, "a")[0]
		h.start()
		assert.Equal(t, "live true, ready true, a running", health(h.Supervisor))
		a.exit(errSet)
		assert.Equal(t, "live true, ready false, a backing off", health(h.Supervisor))
		pause(time.Second)
		assert.Equal(t, "live true, ready false, a running", health(h.Supervisor))
		got := h.Health().Workers[0]
		assert.True(t, got.CrashLooping)
		assert.Len(t, got.Exits, 1)
		assert.Equal(t, h.Status()[0], got)
		pause(10*time.Second - 1)
		assert.False(t, h.Health().Ready)
		pause(1)
		assert.True(t, h.Health().Ready)
		a.exit(errSet) // again, before a healthy run
		pause(time.Second)
		pause(time.Minute - 1)
		assert.False(t, h.Health().Ready)
		pause(1)
		assert.True(t, h.Health().Ready)
		pause(time.Hour)
		assert.Equal(t, "live false, ready false, a stalled", health(h.Supervisor))
		a.beat()
		assert.True(t, h.Health().Ready)
		a.linger = time.Second
		h.cancel(nil)
		synctest.Wait()
		assert.Equal(t, "live true, ready false (stopping), a running",
			health(h.Supervisor))
		<-h.result
		assert.Equal(t, "live true, ready false (stopped), a stopped",
			health(h.Supervisor))
	})
}

func TestHealthWithoutARunningWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		h.start()
		assert.Equal(t, "live true, ready false (no worker is running)",
			health(h.Supervisor))
		h.end()
	})
}

// TestHealthOfATree: the worst first, then in order, and the failed workers of
// a set that gave up are for the set above to deal with.
func TestHealthOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		low := newHarness(t, chanx.SupervisorOptions{MaxRestarts: 1})
		require.NoError(t, top.Add("low", low.Run, everyOne(time.Minute)))
		b := top.workers(everyOne(time.Hour), "b")[0]
		slow := low.workers(atOnce, "slow")[0]
		slow.linger = time.Second
		a := low.workers(atOnce, "a")[0]
		never := low.workers(chanx.RestartPolicy{Restart: chanx.RestartNever}, "never")[0]
		top.start()
		assert.Equal(t, "live true, ready true, low running, b running, "+
			"low/slow running, low/a running, low/never running",
			health(top.Supervisor))
		b.exit(errSet)
		never.exit(errSet)
		assert.Equal(t, "live false, ready false, low/never failed, "+
			"b backing off, low running, low/slow running, low/a running",
			health(top.Supervisor))
		a.exit(errSet)
		a.exit(errSet)
		assert.Contains(t, health(top.Supervisor), "live true, ready false, ")
		assert.Contains(t, health(low.Supervisor), "live false, ready false (gave up)")
		pause(time.Second)
		assert.Equal(t, "live true, ready false, low backing off, b backing off",
			health(top.Supervisor), "its Run has returned")
		top.end()
	})
}

func TestHealthOmits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		low := newHarness(t, chanx.SupervisorOptions{})
		names := ""
		for i := range 150 {
			names += fmt.Sprintf("w%d ", i)
		}
		top.workers(atOnce, names)
		last := low.workers(atOnce, names)[149]
		require.NoError(t, top.Add("low", low.Run, atOnce))
		top.start()
		last.exit(errSet)
		h := top.Health()
		assert.Len(t, h.Workers, 100)
		assert.Equal(t, 201, h.Omitted)
		assert.Equal(t, "low/w149", h.Workers[0].Name)
		assert.Equal(t, "w0", h.Workers[1].Name)
		top.end()
		assert.Equal(t, 51, top.Health().Omitted)
	})
}

// TestHealthWaitsForNoWorker whose error blocks, or asks for the health itself.
func TestHealthWaitsForNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		all := h.workers(atOnce, "a b")
		h.start()
		gate, said := make(chan struct{}), ""
		all[0].exit(rogue(func() string { <-gate; return "" }))
		all[1].exit(rogue(func() string {
			said = health(h.Supervisor)
			return "text"
		}))
		assert.Equal(t, "live true, ready true, a running, b running", said)
		assert.True(t, strings.HasPrefix(health(h.Supervisor), "live true"))
		close(gate)
		synctest.Wait()
		h.end()
	})
}

// TestHealthOfASetBetweenTwoRuns, by a supervisor above: it has given up until
// it is run again.
func TestHealthOfASetBetweenTwoRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, chanx.SupervisorOptions{})
		policy := atOnce
		policy.MaxRestarts = 1
		a := h.workers(policy, "a")[0]
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			result <- chanx.Supervise(ctx, h.Run, everyOne(time.Minute))
		}()
		synctest.Wait()
		a.exit(errSet)
		a.exit(errSet)
		assert.Equal(t, "live false, ready false (gave up), a failed",
			health(h.Supervisor))
		pause(time.Minute)
		assert.Equal(t, "live true, ready true, a running", health(h.Supervisor))
		cancel()
		<-result
	})
}

// TestHealthOfAWarmUp that is over, below a worker that goes on: it is of no
// interest how it ended.
func TestHealthOfAWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newHarness(t, chanx.SupervisorOptions{})
		warmUp := newHarness(t, chanx.SupervisorOptions{})
		a := warmUp.workers(chanx.RestartPolicy{Restart: chanx.RestartNever}, "a")[0]
		require.NoError(t, top.Add("serves", func(ctx context.Context) error {
			_ = warmUp.Run(ctx)
			<-ctx.Done()
			return ctx.Err()
		}, atOnce))
		top.start()
		assert.Equal(t, "live true, ready true, serves running, serves/a running",
			health(top.Supervisor))
		a.exit(errSet)
		assert.Equal(t, "live true, ready true, serves running",
			health(top.Supervisor))
		top.end()
	})
}

// A health service without HTTP asks the Supervisor itself.
func ExampleSupervisor_Health() {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	err := s.Add("consumer", func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}, chanx.RestartPolicy{})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := s.Health()
	fmt.Println("live:", h.Live, "ready:", h.Ready, "because:", h.Reason)
	for _, w := range h.Workers {
		fmt.Println(w.Name, w.State)
	}
	// Output:
	// live: true ready: false because: not started
	// consumer starting
}

package chanx_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

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
		tr := newTroupe(t, chanx.SupervisorOptions{})
		assert.Equal(t, "live true, ready false (not started)", health(tr.Supervisor))
		policy := everyOne(time.Second)
		policy.Heartbeat = time.Hour
		a := tr.cast(policy, "a")[0]
		tr.start()
		assert.Equal(t, "live true, ready true, a running", health(tr.Supervisor))
		a.exit(errSet)
		assert.Equal(t, "live true, ready false, a backing off", health(tr.Supervisor))
		pause(time.Second)
		assert.Equal(t, "live true, ready false, a running", health(tr.Supervisor))
		h := tr.Health().Workers[0]
		assert.True(t, h.CrashLooping)
		assert.Len(t, h.Exits, 1)
		assert.Equal(t, tr.Status()[0], h)
		pause(10*time.Second - 1)
		assert.False(t, tr.Health().Ready)
		pause(1)
		assert.True(t, tr.Health().Ready)
		a.exit(errSet) // again, before a healthy run
		pause(time.Second)
		pause(time.Minute - 1)
		assert.False(t, tr.Health().Ready)
		pause(1)
		assert.True(t, tr.Health().Ready)
		pause(time.Hour)
		assert.Equal(t, "live false, ready false, a stalled", health(tr.Supervisor))
		a.beat()
		assert.True(t, tr.Health().Ready)
		a.linger = time.Second
		tr.cancel(nil)
		synctest.Wait()
		assert.Equal(t, "live true, ready false (stopping), a running",
			health(tr.Supervisor))
		<-tr.result
		assert.Equal(t, "live true, ready false (stopped), a stopped",
			health(tr.Supervisor))
	})
}

func TestHealthWithoutARunningWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		tr.start()
		assert.Equal(t, "live true, ready false (no worker is running)",
			health(tr.Supervisor))
		tr.end()
	})
}

// TestHealthOfATree: the worst first, then in order, and the failed workers of
// a set that gave up are for the set above to deal with.
func TestHealthOfATree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newTroupe(t, chanx.SupervisorOptions{})
		low := newTroupe(t, chanx.SupervisorOptions{MaxRestarts: 1})
		require.NoError(t, top.Add("low", low.Run, everyOne(time.Minute)))
		b := top.cast(everyOne(time.Hour), "b")[0]
		slow := low.cast(atOnce, "slow")[0]
		slow.linger = time.Second
		a := low.cast(atOnce, "a")[0]
		never := low.cast(chanx.RestartPolicy{Restart: chanx.RestartNever}, "never")[0]
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
		top := newTroupe(t, chanx.SupervisorOptions{})
		low := newTroupe(t, chanx.SupervisorOptions{})
		names := ""
		for i := range 150 {
			names += fmt.Sprintf("w%d ", i)
		}
		top.cast(atOnce, names)
		last := low.cast(atOnce, names)[149]
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
		tr := newTroupe(t, chanx.SupervisorOptions{})
		all := tr.cast(atOnce, "a b")
		tr.start()
		gate, said := make(chan struct{}), ""
		all[0].exit(rogue(func() string { <-gate; return "" }))
		all[1].exit(rogue(func() string {
			said = health(tr.Supervisor)
			return "text"
		}))
		assert.Equal(t, "live true, ready true, a running, b running", said)
		assert.True(t, strings.HasPrefix(health(tr.Supervisor), "live true"))
		close(gate)
		synctest.Wait()
		tr.end()
	})
}

// TestHealthOfASetBetweenTwoRuns, by a supervisor above: it has given up until
// it is run again.
func TestHealthOfASetBetweenTwoRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTroupe(t, chanx.SupervisorOptions{})
		policy := atOnce
		policy.MaxRestarts = 1
		a := tr.cast(policy, "a")[0]
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			result <- chanx.Supervise(ctx, tr.Run, everyOne(time.Minute))
		}()
		synctest.Wait()
		a.exit(errSet)
		a.exit(errSet)
		assert.Equal(t, "live false, ready false (gave up), a failed",
			health(tr.Supervisor))
		pause(time.Minute)
		assert.Equal(t, "live true, ready true, a running", health(tr.Supervisor))
		cancel()
		<-result
	})
}

// TestHealthOfAWarmUp that is over, below a worker that goes on: it is of no
// interest how it ended.
func TestHealthOfAWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := newTroupe(t, chanx.SupervisorOptions{})
		warmUp := newTroupe(t, chanx.SupervisorOptions{})
		a := warmUp.cast(chanx.RestartPolicy{Restart: chanx.RestartNever}, "a")[0]
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

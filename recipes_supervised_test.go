package chanx_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// Every event is handled once more than it failed, or given up after
// maxAttempts, whatever way the handler fails.
func TestSupervisedConsumerUnderLoad(t *testing.T) {
	crowded(t)
	const each = 2000
	tried := map[string]int{} // one run at a time uses it
	var handled int
	handle := func(_ context.Context, event string) error {
		tried[event]++
		switch {
		case event[0] == 'd':
			return errors.New("always")
		case event[0] == 'e' && tried[event]%3 != 0:
			return errors.New("twice")
		case event[0] == 'p' && tried[event]%2 != 0:
			panic("once")
		}
		handled++
		return nil
	}
	c := startConsumer(8*each, handle, chanx.RestartPolicy{MinBackoff: -1})
	kinds := []string{"a", "d", "e", "p"}
	inParallel(each, func(i int) { c.Send(kinds[i%4]) })
	require.NoError(t, c.Shutdown(t.Context()))
	assert.Zero(t, c.events.Stats().Dropped)
	assert.Equal(t, map[string]int{
		"a": 2 * each, "d": 3 * 2 * each, "e": 3 * 2 * each, "p": 2 * 2 * each,
	}, tried)
	assert.EqualValues(t, 2*each, c.gaveUp.Load())
	assert.Equal(t, 3*2*each, handled)
}

// What is queued while the consumer backs off is handled after it, also when
// Shutdown comes in between.
func TestSupervisedConsumerBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		c := startConsumer(8, func(_ context.Context, event string) error {
			got = append(got, event)
			if len(got) == 1 {
				return errors.New("fails once")
			}
			return nil
		}, chanx.RestartPolicy{MinBackoff: time.Hour, MaxBackoff: time.Hour})
		start := time.Now()
		c.Send("a")
		synctest.Wait()
		c.Send("b")
		require.NoError(t, c.Shutdown(t.Context()))
		assert.Equal(t, []string{"a", "a", "b"}, got)
		assert.Equal(t, time.Hour, time.Since(start))
	})
}

// Shutdown gives up when its ctx does, tells the handler, and says what is
// left.
func TestSupervisedConsumerStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handle := func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}
		c := startConsumer(8, handle, chanx.RestartPolicy{})
		for range 4 {
			c.Send("event")
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.Shutdown(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "3 events left")
		<-c.done // the consumer has ended, not only been told to
		assert.ErrorIs(t, c.Shutdown(t.Context()), context.Canceled)
	})
}

// A policy that gives up is told by Shutdown.
func TestSupervisedConsumerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		c := startConsumer(8, func(context.Context, string) error {
			return broken
		}, chanx.RestartPolicy{MaxRestarts: 1})
		c.Send("event")
		err := c.Shutdown(t.Context())
		var limit *chanx.RestartLimitError
		assert.ErrorAs(t, err, &limit)
		assert.ErrorIs(t, err, broken)
	})
}

// A quiet day is no stall; a job that is stuck is, when Heartbeat has passed
// since it was begun, and not a nanosecond before.
func TestHeartbeatTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := chanx.NewRing[string](4)
		free := make(chan struct{})
		work := beatingWorker(jobs, 2*time.Second, func(string) { <-free })
		var stalls, recovers atomic.Int64
		policy := chanx.RestartPolicy{
			Heartbeat: 5 * time.Second,
			OnEvent: func(e chanx.Event) {
				switch e.Kind {
				case chanx.EventStall:
					stalls.Add(1)
				case chanx.EventRecover:
					recovers.Add(1)
				}
			},
		}
		ended := make(chan error, 1)
		go func() { ended <- chanx.Supervise(t.Context(), work, policy) }()

		time.Sleep(24 * time.Hour)
		assert.Zero(t, stalls.Load())
		time.Sleep(time.Second) // between two beats
		jobs.Send("stuck")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Zero(t, stalls.Load())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.EqualValues(t, 1, stalls.Load())
		close(free)
		synctest.Wait()
		assert.EqualValues(t, 1, recovers.Load())
		jobs.Close()
		assert.NoError(t, <-ended)
	})
}

// Shutdown by ctx does not wait for the next tick.
func TestHeartbeatShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		jobs := chanx.NewRing[string](4)
		work := beatingWorker(jobs, time.Hour, func(string) {})
		ended := make(chan error, 1)
		go func() { ended <- work(ctx) }()
		synctest.Wait()
		start := time.Now()
		cancel()
		assert.ErrorIs(t, <-ended, context.Canceled)
		assert.Zero(t, time.Since(start))
	})
}

// What the forms of migration say they keep.
func TestMigrationUnderLoad(t *testing.T) {
	crowded(t)
	const each = 13_000
	a, b := chanx.NewRing[int](8), chanx.NewRing[int](1)
	out := chanx.NewRing[int](16)
	merge(t.Context(), out, a, b)
	go func() {
		inParallel(each, func(i int) {
			a.Send(i)
			b.Send(i)
		})
		a.Close()
		b.Close()
	}()
	missed, got := 0, 0
	r := &missedReader[int]{ring: out, alert: func(n int) { missed += n }}
	for range 1000 {
		if _, err := r.Next(t.Context()); err == nil {
			got++
		}
	}
	for range outlet(t.Context(), out) {
		got++
	}
	_, err := r.Next(t.Context()) // tells of the rest
	assert.ErrorIs(t, err, chanx.ErrClosed)
	lost := a.Stats().Dropped + b.Stats().Dropped
	assert.EqualValues(t, 2*8*each, got+missed+int(lost))
}

// An outlet whose reader has gone ends with its ctx.
func TestOutletStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ring := chanx.NewRing[int](4)
		ring.Send(1)
		ring.Send(2)
		out := outlet(ctx, ring)
		synctest.Wait()
		cancel()
		synctest.Wait()
		_, open := <-out
		assert.False(t, open)
		assert.Equal(t, 1, ring.Len())
	})
}

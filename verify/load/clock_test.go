package load

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/asynclog"
)

// In a bubble the clock leaps when all goroutines wait, as on a machine
// that was suspended: everything that is due is late, by years.
const years = 100 * 365 * 24 * time.Hour

func TestClockLeapsOverABackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts atomic.Int64
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, s.Add("worker", func(ctx context.Context) error {
			if starts.Add(1) == 1 {
				return errAgain
			}
			<-ctx.Done()
			return ctx.Err()
		}, chanx.RestartPolicy{MinBackoff: years, MaxBackoff: years}))
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- s.Run(ctx) }()
		time.Sleep(years - 1)
		synctest.Wait()
		require.EqualValues(t, 1, starts.Load())
		time.Sleep(years)
		synctest.Wait()
		require.EqualValues(t, 2, starts.Load(), "one restart, however long ago it was due")
		cancel()
		require.Equal(t, context.Canceled, <-result)
	})
}

// A worker that was silent for a hundred years makes one stall, not one for each
// second, and one recovery.
func TestClockLeapsOverHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := make(chan chanx.EventKind, 64)
		beat := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			result <- chanx.Supervise(ctx, func(ctx context.Context) error {
				select {
				case <-beat:
					chanx.Beat(ctx)
				case <-ctx.Done():
				}
				<-ctx.Done()
				return ctx.Err()
			}, chanx.RestartPolicy{
				Heartbeat: time.Second,
				OnEvent:   func(e chanx.Event) { kinds <- e.Kind },
			})
		}()
		require.Equal(t, chanx.EventStart, <-kinds)
		time.Sleep(years)
		synctest.Wait()
		require.Len(t, kinds, 1)
		require.Equal(t, chanx.EventStall, <-kinds)
		beat <- struct{}{}
		synctest.Wait()
		require.Len(t, kinds, 1)
		require.Equal(t, chanx.EventRecover, <-kinds)
		time.Sleep(years)
		synctest.Wait()
		require.Len(t, kinds, 1)
		cancel()
		require.Equal(t, context.Canceled, <-result)
	})
}

// Replacing silent runs must not leak one goroutine for each heartbeat of
// the leap: the limit ends it.
func TestClockLeapsOverReplacements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var living atomic.Int64
		release := make(chan struct{})
		err := chanx.Supervise(t.Context(), func(context.Context) error {
			living.Add(1)
			<-release // deaf
			return nil
		}, chanx.RestartPolicy{
			Heartbeat: time.Second, ReplaceStalled: true, MaxRestarts: 5,
			MinBackoff: years / 10, MaxBackoff: years / 10,
		})
		var gaveUp *chanx.RestartLimitError
		require.ErrorAs(t, err, &gaveUp)
		require.ErrorIs(t, err, chanx.ErrStalled)
		require.EqualValues(t, 6, living.Load())
		close(release)
	})
}

// The longest duration there is does not overflow.
func TestTheLongestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch, ring := make(chan int), chanx.NewRing[int](1)
		go func() {
			time.Sleep(years)
			ch <- 1
			time.Sleep(years / 2)
			ring.Send(2)
			time.Sleep(years / 4)
			<-ch
		}()
		v, err := chanx.RecvTimeout(ch, math.MaxInt64)
		require.NoError(t, err)
		require.Equal(t, 1, v)
		v, err = ring.RecvTimeout(math.MaxInt64)
		require.NoError(t, err)
		require.Equal(t, 2, v)
		require.NoError(t, chanx.SendTimeout(ch, 3, math.MaxInt64))
	})
}

func TestClockLeapsOverAStuckSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := asynclog.New(sinkFunc(func(p []byte) (int, error) {
			<-release
			return len(p), nil
		}), asynclog.Options{})
		_, err := w.Write([]byte("line\n"))
		require.NoError(t, err)
		time.Sleep(years)
		require.EqualValues(t, 1, w.Stats().Stalls, "one, not one in ten seconds")
		require.True(t, w.Stats().Stalled)
		close(release)
		require.NoError(t, w.Close())
		require.False(t, w.Stats().Stalled)
		require.EqualValues(t, 1, w.Stats().Written.Records)
	})
}

type sinkFunc func([]byte) (int, error)

func (f sinkFunc) Write(p []byte) (int, error) { return f(p) }

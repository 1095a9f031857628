package asynclog

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// A Write from within the sink, or from Options.Report, never waits: it would
// wait for itself.
func TestWaitIsNotForTheSinkItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		var waited atomic.Bool
		own := func() {
			start := time.Now()
			_, _ = w.Write(line190())
			if time.Since(start) > 0 {
				waited.Store(true)
			}
		}
		s := &tape{do: func(_ int, p []byte) (int, error) {
			time.Sleep(time.Second)
			for range 30 {
				nested(100, own)
			}
			return len(p), nil
		}}
		opts := small(Wait)
		opts.MaxWait = time.Hour
		opts.CloseTimeout = time.Hour
		opts.Report = func(l Loss) []byte {
			own()
			return ReportJSON(l)
		}
		w = New(s, opts)
		for range 100 { // these do wait
			_, _ = w.Write(line190())
		}
		require.False(t, waited.Load())
		require.Greater(t, s.count(), 3)
		require.NoError(t, w.Close())
		require.False(t, waited.Load())
		require.Positive(t, w.Stats().Dropped.Records, "it was full")
	})
}

// Close lets those in who were waiting before it, while there is time.
func TestWaitersGetInDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(_ int, p []byte) (int, error) {
			time.Sleep(10 * time.Millisecond)
			return len(p), nil
		}}
		opts := small(Wait)
		opts.MaxWait = time.Minute
		w := New(s, opts)
		var in, refused atomic.Int64
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if _, err := w.Write(line190()); err == nil {
					in.Add(1)
				} else {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		require.Greater(t, waitersOf(w), 50)
		require.NoError(t, w.Close())
		all.Wait()
		require.EqualValues(t, 100, in.Load())
		require.Zero(t, refused.Load())
		require.EqualValues(t, 100, w.Stats().Written.Records)
	})
}

// A waiter whose time is up during Close is a loss, and that is reported.
func TestWaiterThatGivesUpDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(hung)
		s := &tape{do: func(_ int, p []byte) (int, error) { return gate.Write(p) }}
		opts := small(Wait)
		opts.MaxWait = time.Second
		opts.CloseTimeout = time.Minute
		w := New(s, opts)
		fill(w)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				_, err := w.Write(line190())
				require.NoError(t, err)
			})
		}
		synctest.Wait()
		all.Go(func() { require.NoError(t, w.Close()) })
		synctest.Wait()
		_, err := w.Write(line190())
		require.ErrorIs(t, err, chanx.ErrClosed, "it came later")
		time.Sleep(2 * time.Second)
		close(gate)
		all.Wait()
		require.EqualValues(t, 3, w.Stats().Dropped.Records)
		require.Contains(t, s.String(), `"records":3,`)
		lawful(t, w.Stats())
	})
}

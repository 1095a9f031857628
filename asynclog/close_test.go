package asynclog

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// A context that a signal has ended says nothing against a buffer that is
// empty.
func TestShutdownWithAContextThatIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{})
		require.NoError(t, w.Flush(cancelled()), "nothing is left")
		_, _ = w.Write([]byte("x\n"))
		require.ErrorIs(t, w.Flush(cancelled()), context.Canceled)
		close(h)
		synctest.Wait()
		require.NoError(t, w.Flush(cancelled()))
		require.NoError(t, w.Shutdown(cancelled()))
		require.NoError(t, w.Close())
	})
}

// A loss of which no report is written is something that is left.
func TestShutdownIsNotWellWithoutTheReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := choosy("{", errSink)
		gate := gated(s)
		w := New(s, small(DropOldest))
		for range 100 {
			_, _ = w.Write(line190())
		}
		close(gate)
		err := w.Close()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "not written: ")
	})
}

// A call of the sink does not begin once Shutdown has given up, however late
// the worker looks.
func TestShutdownKeepsCallsFromBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		w := New(s, Options{})
		_, _ = w.Write([]byte("x\n"))
		synctest.Wait() // it pauses
		require.Error(t, w.Shutdown(cancelled()))
		calls := s.count()
		n, err := w.call([]byte("x\n")) // as if it had looked before
		require.Zero(t, n)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		require.Equal(t, calls, s.count())
		require.EqualValues(t, 1, w.Stats().Buffered.Records)
	})
}

func TestGateLetsACallInHandEnd(t *testing.T) {
	var g gate
	require.True(t, g.enter())
	require.False(t, g.enter())
	g.shut()
	require.True(t, g.isShut())
	g.leave()
	require.False(t, g.enter())
	g.leave() // as after a crash
	require.True(t, g.isShut())
}

// The first record after Close leaves a trace, since loggers drop the error.
func TestCloseTellsOfTheFirstLateRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		w := New(&tape{}, Options{Fallback: told})
		require.NoError(t, w.Close())
		for _, p := range []string{"first\x1b\n", "second\n"} {
			_, err := w.Write([]byte(p))
			require.ErrorIs(t, err, chanx.ErrClosed)
		}
		_, _ = w.Write(make([]byte, 1<<20))
		time.Sleep(time.Hour)
		require.Equal(t, "asynclog: written after Close, and lost: first\\x1b\n",
			told.String())
		require.EqualValues(t, 3, w.Stats().Refused.Records)
	})
}

// Records that are too large are in the report of losses.
func TestTooLargeIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for full := DropOldest; full <= Wait; full++ {
			s := &tape{}
			w := New(s, Options{Budget: 8192, Full: full, Report: ReportJSON})
			_, _ = w.Write([]byte("before\n"))
			for range 2 {
				_, err := w.Write(make([]byte, 8192))
				require.ErrorIs(t, err, ErrTooLarge)
			}
			_, _ = w.Write([]byte("after\n"))
			synctest.Wait()
			require.NoError(t, w.Close())
			const report = `\{.*"records":0,.*"too_large":%d.*\}\n`
			require.Regexp(t, fmt.Sprintf(`^before\n(`+report+`after\n|`+
				report+`after\n`+report+ // the worker came between the two
				`)$`, 2, 1, 1), s.String())
			require.EqualValues(t, 2, w.Stats().Refused.Records)
			lawful(t, w.Stats())
		}
	})
}

// A worker that is taken away leaves a Writer that says so.
func TestSupervisorOfAnotherHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{}
		w := New(s, Options{})
		_, _ = w.Write([]byte("a\n"))
		synctest.Wait()
		require.NoError(t, w.Supervisor().Remove(t.Context(), "asynclog"))
		_, _ = w.Write([]byte("c\n"))
		lawful(t, w.Stats())
		require.EqualValues(t, 1, w.Stats().Buffered.Records)
		var left *UnwrittenError
		require.ErrorAs(t, w.Close(), &left)
		require.Equal(t, Count{1, 2}, left.Left)
		require.ErrorAs(t, w.Flush(t.Context()), &left)
	})
}

// What a worker was writing when it was taken away counts as written.
func TestSupervisorRemovesWithinACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(hung)
		s := &tape{do: func(_ int, p []byte) (int, error) { return gate.Write(p) }}
		w := New(s, small(DropOldest))
		for range 100 {
			_, _ = w.Write(line190())
		}
		synctest.Wait() // the report, or a record, is in hand
		done := make(chan error)
		go func() { done <- w.Supervisor().Remove(t.Context(), "asynclog") }()
		synctest.Wait()
		close(gate)
		require.NoError(t, <-done)
		require.Error(t, w.Close())
		lawful(t, w.Stats())
		require.EqualValues(t, w.Stats().Written.Records,
			strings.Count(s.String(), string(line190())))
		require.Empty(t, w.report)
		require.Zero(t, w.Stats().Restarts)
	})
}

// A fallback that logs to the Writer it reports for, and flushes and closes it,
// from within a report about a failing sink, holds up neither itself for long
// nor a Close that waits for it.
func TestCloseWithAFallbackThatUsesTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		told := &tape{do: func(call int, p []byte) (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _ = w.Write(p)
			_ = w.Flush(ctx)
			if call > 0 {
				_ = w.Close()
			}
			return len(p), nil
		}}
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		w = New(s, Options{Full: Wait, Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Minute)
		start := time.Now()
		require.Error(t, w.Close())
		require.LessOrEqual(t, time.Since(start), 11*time.Second)
		lawful(t, w.Stats())
		time.Sleep(time.Minute)
	})
}

// Close and Flush return when all is written, and not when their time is up,
// with one Writer and with ten that are flushed at a tick while they are closed.
func TestCloseTakesNoLongerThanTheSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		done := make(chan error, 10)
		for range cap(done) {
			s := &tape{do: func(_ int, p []byte) (int, error) {
				time.Sleep(time.Millisecond)
				return len(p), nil
			}}
			w := New(s, Options{CloseTimeout: time.Hour})
			stop := make(chan struct{})
			go func() {
				for {
					select {
					case <-stop:
						return
					default:
						_ = w.Flush(t.Context())
						time.Sleep(time.Microsecond)
					}
				}
			}()
			go func() {
				for range 100 {
					_, _ = w.Write(line190())
				}
				done <- w.Close()
				close(stop)
			}()
		}
		for range cap(done) {
			require.NoError(t, <-done)
		}
		require.Less(t, time.Since(start), 100*time.Millisecond)
		time.Sleep(time.Second) // for the tickers to end
	})
}

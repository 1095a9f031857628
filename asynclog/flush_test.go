package asynclog

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Callers of Flush do not have a failing sink called more often.
func TestFlushDoesNotDefeatTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		w := New(s, Options{})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Minute)
		before := s.count()
		for range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			require.Error(t, w.Flush(ctx))
			cancel()
		}
		require.LessOrEqual(t, s.count()-before, 11, "in ten seconds")
		require.Error(t, w.Close())
	})
}

// Nor do callers of Shutdown, except the first.
func TestShutdownDoesNotDefeatTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		w := New(s, Options{CloseTimeout: 10 * time.Second})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Minute)
		before := s.count()
		for range 999 {
			go func() { _ = w.Close() }()
			time.Sleep(time.Millisecond)
		}
		require.Error(t, w.Close())
		require.LessOrEqual(t, s.count()-before, 2+int(10*time.Second/(5*minPause)))
	})
}

// What is left is what was accepted before the call, also when that has moved
// to the reserve with others behind it.
func TestFlushCountsNothingThatCameLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		w := New(s, Options{Budget: 64 << 10, Reserve: 16 << 10})
		_, _ = w.Write([]byte("held\n"))
		synctest.Wait()
		for range 2 {
			_, _ = w.WriteLeveled(slog.LevelError, []byte("before\n"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		result := make(chan error)
		go func() { result <- w.Flush(ctx) }()
		synctest.Wait()
		for range 100 {
			_, _ = w.WriteLeveled(slog.LevelError, []byte("after\n"))
		}
		for range 1000 { // they move to the reserve
			_, _ = w.Write(line190())
		}
		require.EqualValues(t, 102, w.buf.old.records)
		s.step() // the worker comes by
		err := <-result
		var left *UnwrittenError
		require.ErrorAs(t, err, &left)
		require.Equal(t, Count{2, 14}, left.Left)
		s.end(t, w)
		require.Equal(t, 2, strings.Count(s.String(), "before"))
	})
}

// A Flush does not wait for later records in the reserve either.
func TestFlushWaitsForNothingThatCameLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		w := New(s, Options{Budget: 64 << 10, Reserve: 16 << 10, Unbatched: true})
		_, _ = w.Write([]byte("held\n"))
		synctest.Wait()
		_, _ = w.WriteLeveled(slog.LevelError, []byte("before\n"))
		stream := flushedBySteps(t, w, s, func() {
			for range 50 {
				_, _ = w.WriteLeveled(slog.LevelError, []byte("after\n"))
			}
			for range 1000 {
				_, _ = w.Write(line190())
			}
		})
		require.Contains(t, stream, "before\n")
		require.NotContains(t, stream, "after\nafter\n")
		s.end(t, w)
	})
}

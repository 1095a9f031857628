package asynclog

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// selfFeeding is a sink that writes a record to its own Writer in each call.
// deep is how many frames lie between.
func selfFeeding(t *testing.T, opts Options, deep int) (*Writer, *tape) {
	var w *Writer
	s := &tape{}
	s.do = func(call int, p []byte) (int, error) {
		if call > 3*echoRounds {
			t.Error("it loops")
			return len(p), nil
		}
		nested(deep, func() { _, _ = w.Write([]byte("sink\n")) })
		return len(p), nil
	}
	w = New(s, opts)
	return w, s
}

// nested calls f with so many frames between.
//
//go:noinline
func nested(frames int, f func()) int {
	if frames == 0 {
		f()
		return 0
	}
	return 1 + nested(frames-1, f)
}

func TestEchoEndsAfterSomeCallsAndThenAtOnce(t *testing.T) {
	for _, deep := range []int{0, 130, 1000} {
		synctest.Test(t, func(t *testing.T) {
			w, s := selfFeeding(t, Options{}, deep)
			_, _ = w.Write([]byte("hello\n"))
			synctest.Wait()
			require.Equal(t, echoRounds, s.count())
			require.EqualValues(t, 1, w.Stats().Dropped.Records)
			for range 10 {
				before := s.count()
				_, _ = w.Write([]byte("hello\n"))
				synctest.Wait()
				require.LessOrEqual(t, s.count(), before+3, "hello, a report, sink")
			}
			require.NoError(t, w.Close())
		})
	}
}

// A Writer that feeds another one calls it from within a call of a sink, too,
// but that is no echo.
func TestEchoIsNotWhatAnotherWriterWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		second := New(s, Options{})
		first := New(second, Options{})
		for n := range 3 * echoRounds {
			_, _ = first.Write(fmt.Appendf(nil, "%d\n", n))
			synctest.Wait() // the second one's sink has a line in hand
			if n > 0 {
				s.step()
			}
		}
		require.Zero(t, second.Stats().Dropped)
		require.NoError(t, first.Close())
		s.end(t, second)
		require.Equal(t, 3*echoRounds, strings.Count(s.String(), "\n"))
	})
}

// A busy service pays for the question once in echoRounds batches, and one whose
// worker is idle now and then never.
func TestEchoIsAskedForSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		w := New(s, Options{})
		asked := 0
		write := func() {
			w.mu.Lock()
			before := w.echo.ask
			w.mu.Unlock()
			_, _ = w.Write([]byte("x\n"))
			if before && !w.echo.ask {
				asked++
			}
		}
		for range 1000 {
			write()
			synctest.Wait() // in the hands of the sink; nothing waits
			write()
			s.step()
		}
		require.InDelta(t, 1000/echoRounds, asked, 2)
		for w.Stats().Buffered.Records > 0 {
			s.step()
		}
		asked = 0
		for range 10 * echoRounds {
			write()
			synctest.Wait()
			write()
			s.step()
			s.step() // idle
		}
		require.Zero(t, asked)
		s.end(t, w)
	})
}

// The loss of an echo is told with what comes next, not by itself.
func TestEchoLossIsReportedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := selfFeeding(t, Options{Full: DropNewest}, 0)
		_, _ = w.Write([]byte("hello\n"))
		synctest.Wait()
		require.Zero(t, strings.Count(s.String(), reportMessage))
		_, _ = w.Write([]byte("hello\n"))
		synctest.Wait()
		require.Equal(t, 1, strings.Count(s.String(), reportMessage))
		require.NoError(t, w.Flush(t.Context()))
		require.Equal(t, 2, strings.Count(s.String(), reportMessage), "at a Flush")
		require.NoError(t, w.Close())
		require.Equal(t, w.buf.losses.total(), w.buf.losses.told, "at Close")
	})
}

// A loss that is to be told stays so when an echo is dropped, too.
func TestEchoDoesNotHideAnotherLoss(t *testing.T) {
	w := New(&tape{}, Options{})
	echo := func() { w.dropQuietly([]byte("x\n"), newMark(2, classUnknown)) }
	w.mu.Lock()
	echo()
	require.True(t, w.buf.losses.quiet)
	echo()
	require.True(t, w.buf.losses.quiet, "nothing else was lost")
	w.buf.losses.quiet = false
	echo()
	require.False(t, w.buf.losses.quiet)
	w.mu.Unlock()
	require.NoError(t, w.Close())
}

func TestEchoGoroutinesHaveNames(t *testing.T) {
	a, b := currentGoroutine(), currentGoroutine()
	require.Equal(t, a, b)
	require.Regexp(t, `^goroutine [0-9]+ \[\x00+$`, string(a[:]))
	done := make(chan struct{})
	go func() {
		b = currentGoroutine()
		close(done)
	}()
	<-done
	require.NotEqual(t, a, b)
}

// A sink that feeds itself while others write is stopped as well.
func TestEchoEndsAfterAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		s := &tape{}
		const flood = 5 * echoRounds // calls, in each of which another one is first
		s.do = func(call int, p []byte) (int, error) {
			if call < flood {
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, _ = w.Write([]byte("other\n"))
				}()
				<-done
			}
			if call > 2*flood {
				t.Error("it loops")
				return len(p), nil
			}
			_, _ = w.Write([]byte("sink\n"))
			return len(p), nil
		}
		w = New(s, Options{})
		_, _ = w.Write([]byte("hello\n"))
		synctest.Wait()
		require.Less(t, s.count(), flood+echoRounds+5)
		require.NoError(t, w.Close())
	})
}

package asynclog

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A worker that is idle looks at the buffer from time to time in any case, to
// beat; a record must not have to wait for that.
func TestWakeARecordWakesTheIdleWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{}
		w := New(s, Options{})
		for _, line := range []string{"one\n", "two\n"} {
			synctest.Wait() // the worker is idle
			start := time.Now()
			_, err := w.Write([]byte(line))
			require.NoError(t, err)
			synctest.Wait()
			require.Contains(t, s.String(), line)
			require.Zero(t, time.Since(start))
		}
		require.NoError(t, w.Close())
	})
}

// A short record does not slip into room that is too small for the long one
// which has been waiting.
func TestWakeAShortRecordWaitsBehindALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &tape{do: func(_ int, p []byte) (int, error) {
			<-release
			return len(p), nil
		}}
		opts := small(Wait)
		opts.MaxWait = time.Hour
		w := New(s, opts)
		write := func(p string) {
			_, err := w.Write([]byte(p))
			require.NoError(t, err)
			synctest.Wait()
		}
		filler, long := strings.Repeat("f", 63)+"\n", strings.Repeat("l", 199)+"\n"
		write(filler) // this one is in the hands of the sink
		for w.buf.used+len(filler)+len(long) <= w.buf.limit {
			write(filler)
		}
		write(filler)
		require.LessOrEqual(t, w.buf.used+len("short\n"), w.buf.limit)
		for _, p := range []string{long, "short\n"} {
			go func() { _, _ = w.Write([]byte(p)) }()
			synctest.Wait()
		}
		require.Len(t, w.waiters, 2)
		close(release)
		synctest.Wait() // Close would send those who wait away
		require.NoError(t, w.Close())
		require.True(t, strings.HasSuffix(s.String(), long+"short\n"))
	})
}

// waiting is a Writer of policy Wait that is full, with its sink held. It is
// let go by closing the gate.
func waiting(t *testing.T, opts Options) (w *Writer, s *tape, gate hung) {
	s, gate = heldTape()
	opts.Full, opts.Budget, opts.Reserve = Wait, 4096, -1
	w = New(s, opts)
	fill(w)
	return w, s, gate
}

// writeLater writes a line of n bytes on a goroutine that has to wait.
func writeLater(t *testing.T, w *Writer, n int) {
	t.Helper()
	before := waitersOf(w)
	go func() { _, _ = w.Write([]byte(strings.Repeat("w", n-1) + "\n")) }()
	synctest.Wait()
	require.Equal(t, before+1, waitersOf(w))
}

func waitersOf(w *Writer) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiters)
}

// A short record that waits behind a long one gets the room there is when the
// long one has given up.
func TestWakeWhoGivesUpLetsTheNextOneIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, gate := waiting(t, Options{MaxWait: time.Second})
		require.LessOrEqual(t, w.buf.used+10, w.buf.limit)
		writeLater(t, w, 1000)
		time.Sleep(time.Millisecond)
		writeLater(t, w, 10)
		time.Sleep(time.Second)
		require.Equal(t, Count{1, 1000}, w.Stats().Dropped)
		close(gate)
		require.NoError(t, w.Close())
		require.Contains(t, s.String(), "\nwwwwwwwww\n")
		require.NotContains(t, s.String(), strings.Repeat("w", 10), "it has given up")
	})
}

// The place of a record that crashes the sink goes to those who wait, even if
// the sink is not called for anything else.
func TestWakeADiscardedRecordMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(call int, p []byte) (int, error) {
			if p[0] == 'p' {
				panic("poison")
			}
			return len(p), nil
		}}
		opts := small(Wait)
		opts.MaxWait = time.Hour
		opts.Report = func(Loss) []byte { return nil }
		w := New(s, opts)
		_, _ = w.Write([]byte(strings.Repeat("p", w.buf.limit-1) + "\n"))
		synctest.Wait()
		writeLater(t, w, 1000)
		time.Sleep(time.Minute)
		require.Zero(t, waitersOf(w))
		require.EqualValues(t, 1000, w.Stats().Written.Bytes)
		require.NoError(t, w.Close())
	})
}

// An error may come with some bytes, and these make room. The first call holds
// the sink until both records of the second are there.
func TestWakeAPartialWriteMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, gate, h := make(hung), make(hung), make(hung)
		s := &tape{do: func(call int, p []byte) (int, error) {
			switch call {
			case 0:
				return first.Write(p)
			case 1:
				_, _ = gate.Write(p)
				return len(p) - 1, errSink
			}
			return h.Write(p)
		}}
		opts := small(Wait)
		opts.MaxWait = time.Hour
		opts.Reserve = 1000 // room that the others may not fill
		w := New(s, opts)
		_, _ = w.Write([]byte("first\n"))
		synctest.Wait()
		for _, letter := range []string{"a", "b"} {
			_, _ = w.Write([]byte(strings.Repeat(letter, 189) + "\n"))
		}
		close(first)
		synctest.Wait()
		fill(w)
		writeLater(t, w, 190)
		require.Equal(t, 2, w.buf.inHand.total())
		close(gate)
		synctest.Wait()
		require.Empty(t, w.waiters)
		require.Equal(t, Count{2, 196}, w.Stats().Written)
		close(h)
		require.NoError(t, w.Close())
	})
}

// Who has waited in vain for room, though the sink takes what it can, is no
// reason for others not to wait.
func TestWakeASlowSinkIsNotHopeless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(_ int, p []byte) (int, error) {
			time.Sleep(700 * time.Millisecond)
			return len(p), nil
		}}
		opts := small(Wait)
		opts.Unbatched = true
		opts.CloseTimeout = time.Hour
		w := New(s, opts)
		_, _ = w.Write([]byte("x\n"))
		fill(w)
		start := time.Now()
		_, _ = w.Write([]byte(strings.Repeat("l", 2000)))
		require.Equal(t, time.Second, time.Since(start))
		require.EqualValues(t, 1, w.Stats().Dropped.Records)
		for w.buf.used+190 <= w.buf.limit {
			_, _ = w.Write(line190())
		}
		start = time.Now()
		_, _ = w.Write(line190())
		require.Positive(t, time.Since(start))
		require.NoError(t, w.Close())
		require.EqualValues(t, 1, w.Stats().Dropped.Records)
	})
}

// A report that is taken is progress as well.
func TestWakeAReportIsASignOfHope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		s := &tape{do: func(call int, p []byte) (int, error) {
			if p[0] == '{' {
				return len(p), nil
			}
			return h.Write(p)
		}}
		w := New(s, small(Wait))
		fill(w)
		w.mu.Lock()
		w.hopeless, w.yields, w.report = true, 7, []byte("{}\n")
		w.took(3, nil)
		require.False(t, w.hopeless)
		require.Zero(t, w.yields)
		require.Empty(t, w.report)
		w.calling = true
		w.mu.Unlock()
		close(h)
		require.NoError(t, w.Close())
	})
}

// What the sink has taken before is no progress while one waits.
func TestWakeProgressIsCountedFromTheBeginningOfTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, h := make(hung), make(hung)
		s := &tape{do: func(call int, p []byte) (int, error) {
			switch call {
			case 0:
				return gate.Write(p)
			case 1:
				return len(p), nil
			}
			return h.Write(p)
		}}
		w := New(s, Options{Budget: 1 << 20, Reserve: -1, Full: Wait})
		fill(w)
		close(gate)
		synctest.Wait() // a piece was taken, the next one hangs
		require.Positive(t, w.fed.Load())
		for w.fed.Load() > 0 {
			_, _ = w.Write(line190())
		}
		require.True(t, w.hopeless)
		require.EqualValues(t, 1, w.Stats().Dropped.Records)
		close(h)
		require.NoError(t, w.Close())
	})
}

// Nor is what it takes meanwhile forgotten, though nobody has counted it.
func TestWakeProgressIsCountedToTheEndOfTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call > 1 {
				return h.Write(p)
			}
			time.Sleep(time.Millisecond)
			return len(p), nil
		}}
		w := New(s, Options{Budget: 1 << 20, Reserve: -1, Full: Wait})
		fill(w)
		_, _ = w.Write(line190()) // gets the place of the first
		_, _ = w.Write(line190()) // sees a piece taken, but not the batch
		require.False(t, w.hopeless)
		require.EqualValues(t, 1, w.Stats().Dropped.Records)
		close(h)
		require.NoError(t, w.Close())
	})
}

// Who was sent away is not let in afterwards, or twice.
func TestWakeThoseWhoAreDismissedAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, gate := waiting(t, Options{MaxWait: time.Hour})
		writeLater(t, w, 190)
		w.mu.Lock()
		w.closed = true
		w.dismiss()
		w.buf.evict() // there is room now
		w.progress()
		w.mu.Unlock()
		close(gate)
		require.NoError(t, w.Close())
		require.NotContains(t, s.String(), "w")
		require.EqualValues(t, 1, w.Stats().Refused.Records)
	})
}

func TestWakeAFlushWakesTheIdleWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{})
		synctest.Wait()
		start := time.Now()
		require.NoError(t, w.Flush(t.Context()))
		require.Zero(t, time.Since(start))
		_, _ = w.Write([]byte("x\n"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, w.Flush(ctx))
		require.Empty(t, w.buf.pending, "it is no longer waited for")
		close(h)
		require.NoError(t, w.Close())
	})
}

package asynclog

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// losing returns a Writer that is full, with its sink held, and loses.
func losing(t *testing.T) (w *Writer, gate hung) {
	t.Helper()
	_, gate = heldTape()
	w = New(gate, small(DropNewest))
	fill(w)
	for w.Stats().Dropped.Records == 0 {
		_, _ = w.Write(line190())
	}
	return w, gate
}

// At most one call in yieldEvery gives up the processor, only in a flood, and
// only as long as that may help.
func TestTurnYieldsAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, gate := losing(t)
		loseFor := func(calls int, pause time.Duration) {
			for range calls {
				time.Sleep(pause)
				_, _ = w.Write(line190())
			}
		}
		yieldsIn := func(calls uint64) {
			w.nextYield = w.buf.accepted.Records + calls
			w.lastYield = time.Now()
		}
		yieldsIn(yieldEvery)
		loseFor(yieldEvery-1, 0)
		require.Zero(t, w.yields, "it is too early")
		require.Greater(t, w.buf.starved, yieldBytes)
		loseFor(1, 0)
		require.Equal(t, 1, w.yields)
		loseFor(10*yieldEvery, 0)
		require.LessOrEqual(t, w.yields, 1+10)
		many := 1 + 10*yieldEvery/(yieldEvery+yieldJitter)
		require.GreaterOrEqual(t, w.yields, many)
		many = w.yields
		yieldsIn(yieldEvery)
		loseFor(3*(yieldEvery+yieldJitter), 2*time.Microsecond)
		require.Equal(t, many, w.yields, "this is no flood")
		for range 2 * yieldEvery {
			w.buf.starved = 0
			loseFor(1, 0)
		}
		require.Equal(t, many, w.yields, "the worker had its turn")
		w.yields = maxYields
		loseFor(10*yieldEvery, 0)
		require.Equal(t, maxYields, w.yields, "the sink is stuck")
		close(gate)
		synctest.Wait()
		require.Zero(t, w.yields)
		require.NoError(t, w.Close())
	})
}

// A caller that does something else after every hundredth line does not always
// yield in the same of them.
func TestTurnYieldsHaveNoRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, gate := losing(t)
		seen := map[int]bool{}
		before := w.yields
		for i := 0; w.yields < 50; i++ {
			_, _ = w.Write(line190())
			if w.yields > before {
				before = w.yields
				seen[i%100] = true
			}
		}
		require.Greater(t, len(seen), 10)
		close(gate)
		synctest.Wait()
		require.NoError(t, w.Close())
	})
}

// While records are lost the worker sleeps after a large batch, until the next
// Write, or for a moment if none comes.
func TestTurnWorkerRestsWhileRecordsAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		var flood atomic.Bool
		flood.Store(true)
		s := &tape{do: func(_ int, p []byte) (int, error) {
			for range 3000 {
				if flood.Load() {
					_, _ = w.Write(line190())
				}
			}
			return len(p), nil
		}}
		w = New(s, Options{Budget: 1 << 20})
		_, _ = w.Write(line190())
		start := time.Now()
		rests := func() bool {
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.idle && w.buf.queued() > 0
		}
		require.True(t, rests())
		before := s.count()
		require.Greater(t, before, restBytes/pieceBytes, "after some batches")
		_, _ = w.Write(line190())
		require.True(t, rests())
		require.Greater(t, s.count(), before, "a Write wakes it")
		require.Zero(t, time.Since(start))
		before = s.count()
		time.Sleep(restTime)
		require.True(t, rests())
		require.Greater(t, s.count(), before, "and so does time")
		flood.Store(false)
		time.Sleep(2 * restTime)
		synctest.Wait()
		require.False(t, rests())
		require.Zero(t, w.Stats().Buffered, "nothing is lost any more")
		require.NoError(t, w.Close())
	})
}

func TestTurnRestEndsWithoutAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{})
		for range 30_000 {
			_, _ = w.Write(line190())
		}
		start := time.Now()
		close(gate)
		for w.Stats().Buffered.Records > 0 {
			time.Sleep(restTime / 10)
			synctest.Wait()
		}
		require.LessOrEqual(t, time.Since(start), 3*restTime)
		require.NoError(t, w.Close())
	})
}

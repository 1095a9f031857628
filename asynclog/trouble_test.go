package asynclog

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// A stall leaves its time behind, like everything else that goes wrong.
func TestTrouble_keeps_a_stall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{StallAfter: time.Second})
		defer w.Close()
		synctest.Wait()
		_, _ = w.Write([]byte("x\n"))
		start := time.Now()
		time.Sleep(2 * time.Second)
		close(h)
		time.Sleep(time.Hour)
		s := w.Stats()
		require.False(t, s.Stalled)
		require.Len(t, s.Errors, 1)
		require.ErrorIs(t, s.LastError, chanx.ErrStalled)
		require.WithinRange(t, s.Errors[0].At, start, start.Add(2*time.Second))
	})
}

// The sink's last error is not hidden by the stall that follows from it.
func TestTrouble_current_is_the_sinks_own(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	var tr trouble
	tr.keep(chanx.ErrStalled)
	require.NoError(t, tr.current(), "no call has failed")
	tr.note(first)
	tr.note(second)
	tr.keep(chanx.ErrStalled)
	require.Equal(t, second, tr.current())
	for range keepErrors {
		tr.keep(chanx.ErrStalled)
	}
	require.NoError(t, tr.current(), "it is no longer known")
	tr.note(nil)
	tr.note(first)
	require.Equal(t, first, tr.current())
}

// To ask what is to be done next is no call of the sink that went well.
func TestTrouble_a_pause_is_no_success(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		w := New(s, Options{Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		for range 100 {
			time.Sleep(time.Second)
			w.mu.Lock()
			require.EqualValues(t, w.trouble.errors, w.trouble.run)
			require.ErrorIs(t, w.trouble.current(), errSink)
			w.mu.Unlock()
		}
		require.NotContains(t, told.String(), "works again")
		require.ErrorIs(t, w.Close(), errSink)
	})
}

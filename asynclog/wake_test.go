package asynclog

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A worker that is idle looks at the buffer from time to time in any case, to
// beat; a record must not have to wait for that.
func TestWake_a_record_wakes_the_idle_worker(t *testing.T) {
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
func TestWake_a_short_record_waits_behind_a_long_one(t *testing.T) {
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

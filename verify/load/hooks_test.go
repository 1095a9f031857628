package load

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// Every worker has a hook that blocks in its first call. The workers fail and
// restart as if there were none; a Remove and the end of Run wait the second
// they promise, together; nothing is lost uncounted.
func TestHooksThatBlock(t *testing.T) {
	n := size(100, 10_000)
	const failures = 100
	warm(4*n + 10) // workers, their hooks and the timers of their backoff
	before := measure()
	synctest.Test(t, func(t *testing.T) {
		var seen atomic.Int64
		release, ends := make(chan struct{}), make(chan struct{})
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		for i := range n {
			require.NoError(t, s.Add(strconv.Itoa(i), failing(failures, ends), chanx.RestartPolicy{
				MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond,
				OnEvent: func(chanx.Event) {
					seen.Add(1)
					<-release
				},
			}))
		}
		result := make(chan error)
		go func() { result <- s.Run(t.Context()) }()
		time.Sleep(failures * time.Millisecond)
		synctest.Wait()
		for _, w := range s.Status() {
			require.Equal(t, failures, w.Restarts)
			require.EqualValues(t, 2*failures+1-64-1, w.Missed, "64 wait, one is told")
		}
		start := time.Now()
		require.NoError(t, s.Add("guest", failing(0, ends), chanx.RestartPolicy{}))
		require.NoError(t, s.Remove(t.Context(), "guest"))
		require.Zero(t, time.Since(start), "a hook that is not its own holds it up")
		require.NoError(t, s.Remove(t.Context(), "0"))
		require.Equal(t, time.Second, time.Since(start))
		require.NoError(t, s.Remove(t.Context(), "1"))
		close(ends)
		require.NoError(t, <-result)
		require.Equal(t, 3*time.Second, time.Since(start), "one second for all")
		for _, w := range s.Status() {
			require.EqualValues(t, 2*failures+2-1, w.Missed)
		}
		require.EqualValues(t, n, seen.Load())
		close(release)
	})
	backAt(t, before)
}

var errAgain = errors.New("again")

// failing fails n times, and then runs until ends is closed.
func failing(n int, ends <-chan struct{}) func(context.Context) error {
	runs := 0
	return func(ctx context.Context) error {
		if runs++; runs <= n {
			return errAgain
		}
		select {
		case <-ends:
			return chanx.ErrStop
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

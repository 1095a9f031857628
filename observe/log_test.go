package observe

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/asynclog"
	"example.com/chanx/doctor"
)

// A log whose sink fails, then stalls, then works: each look tells the state of
// that moment, and the last error outlives the stall.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block, fail := make(chan struct{}), true
		w := asynclog.New(writerFunc(func(p []byte) (int, error) {
			if fail {
				fail = false
				return 0, errTest
			}
			<-block
			return len(p), nil
		}), asynclog.Options{Budget: 64 << 10, StallAfter: time.Minute})
		o := New()
		o.Log("l", w)
		log := func() Log {
			s := o.look(true)
			l := s.Logs[0]
			assert.Equal(t, l.Accepted.Records, l.Written.Records+
				l.Dropped.Records+l.Buffered.Records)
			assert.Equal(t, l.Accepted.Bytes, l.Written.Bytes+
				l.Dropped.Bytes+l.Buffered.Bytes)
			return l
		}
		start := time.Now()
		fmt.Fprint(w, "line\n")
		time.Sleep(30 * time.Second)
		l := log()
		assert.Equal(t, "no space left on device", l.LastError)
		assert.Equal(t, start, l.LastErrorAt)
		assert.EqualValues(t, 1, l.SinkErrors)
		assert.False(t, l.Stalled)
		assert.Equal(t, Rate{Over: 30 * time.Second, Sent: 1, Failed: 1}, l.Rate)
		assert.Equal(t, doctor.Warning, o.Snapshot().Problems[0].Severity)
		assert.Equal(t, `the sink of log "l" fails: 1 error in the last 30s; `+
			`last error: no space left on device`, o.Snapshot().Problems[0].Sentence)

		time.Sleep(5 * time.Minute)
		l = log()
		assert.True(t, l.Stalled)
		assert.EqualValues(t, 1, l.Stalls)
		assert.Equal(t, start, l.LastErrorAt, "a stall is not an error")
		assert.Greater(t, l.StalledSince.Sub(start), time.Minute)
		assert.Less(t, l.StalledSince.Sub(start), 2*time.Minute)
		assert.Equal(t, doctor.Critical, o.Snapshot().Problems[0].Severity)

		since := l.StalledSince
		for range 10_000 {
			fmt.Fprint(w, "0123456789\n")
		}
		time.Sleep(time.Minute)
		l = log()
		assert.NotZero(t, l.Dropped.Records)
		assert.Equal(t, since, l.StalledSince)
		assert.Equal(t, l.Dropped.Records, l.Rate.Dropped)
		assert.Equal(t, l.Dropped.Records, l.DroppedByLevel.Unknown)

		close(block)
		require.NoError(t, w.Close())
		time.Sleep(time.Minute)
		l = log()
		assert.False(t, l.Stalled)
		assert.Zero(t, l.StalledSince)
		assert.Zero(t, l.Buffered)
		time.Sleep(time.Minute)
		assert.Empty(t, o.look(true).Problems, "over, and counted all the same")
		assert.NotZero(t, o.Snapshot().Logs[0].Dropped)
	})
}

// A sink that fails without end makes no progress either. Its errors push the
// stall out of those that the log keeps, but not the time when it was noticed.
func TestLogFailsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := asynclog.New(writerFunc(func(p []byte) (int, error) {
			return 0, errTest
		}), asynclog.Options{StallAfter: time.Second, CloseTimeout: time.Second})
		start := time.Now()
		o := New()
		o.Log("l", w)
		fmt.Fprint(w, "line\n")
		time.Sleep(time.Hour)
		l := o.Snapshot().Logs[0]
		assert.True(t, l.Stalled)
		assert.Greater(t, l.SinkErrors, uint64(8))
		assert.Less(t, l.StalledSince.Sub(start), 10*time.Second)
		assert.False(t, l.StalledSince.IsZero())
		assert.Contains(t, o.Snapshot().Problems[0].Sentence,
			"has stalled: its sink makes no progress, noticed 59m")
		_ = w.Close()
	})
}

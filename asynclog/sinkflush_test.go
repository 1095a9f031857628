package asynclog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// durable is a sink with a Flush and a Sync, which it notes among the bytes.
type durable struct {
	tape
	flush func() error
	sync  func() error
}

func (d *durable) Flush() error { return d.note("F", d.flush) }
func (d *durable) Sync() error  { return d.note("S", d.sync) }

func (d *durable) note(what string, do func() error) error {
	_, _ = d.tape.Write([]byte(what))
	if do == nil {
		return nil
	}
	return do()
}

// onlySync is a sink with no buffer in memory.
type onlySync struct{ d *durable }

func (o onlySync) Write(p []byte) (int, error) { return o.d.Write(p) }
func (o onlySync) Sync() error                 { return o.d.Sync() }

func TestFlushPassesThroughToTheSink(t *testing.T) {
	var out bytes.Buffer
	w := New(bufio.NewWriter(&out), Options{})
	_, _ = w.Write([]byte("x\n"))
	require.NoError(t, w.Flush(t.Context()))
	require.Equal(t, "x\n", out.String())
	_, _ = w.Write([]byte("y\n"))
	require.NoError(t, w.Close())
	require.Equal(t, "x\ny\n", out.String(), "Close, too")
}

func TestFlushCallsFlushAndThenSync(t *testing.T) {
	d := &durable{}
	w := New(d, Options{SyncLevel: slog.LevelError})
	_, _ = w.Write([]byte("x"))
	require.NoError(t, w.Flush(t.Context()))
	require.Equal(t, "xFS", d.String())
	_, _ = w.WriteLeveled(slog.LevelError, []byte("y"))
	require.Equal(t, "xFSyF", d.String(), "SyncLevel does not pay for a Sync")
	require.NoError(t, w.Close())
	require.Equal(t, "xFSyFF", d.String(), "nor does Close")
	require.NoError(t, w.Close())
	require.Equal(t, "xFSyFF", d.String(), "once")
}

func TestFlushASinkWithSyncAlone(t *testing.T) {
	d := &durable{}
	w := New(onlySync{d}, Options{SyncLevel: slog.LevelError})
	_, _ = w.WriteLeveled(slog.LevelError, []byte("x"))
	require.NoError(t, w.Sync())
	require.NoError(t, w.Close())
	require.Equal(t, "xS", d.String())
}

func TestFlushReturnsTheSinksError(t *testing.T) {
	bad := errors.New("bad disk")
	d := &durable{sync: func() error { return bad }}
	w := New(d, Options{})
	_, _ = w.Write([]byte("x"))
	require.ErrorIs(t, w.Flush(t.Context()), bad)
	st := w.Stats()
	require.EqualValues(t, 1, st.SinkErrors)
	require.Equal(t, bad, st.LastError)
	require.NoError(t, w.Close(), "it has not synced")

	d = &durable{flush: func() error { return bad }}
	w = New(d, Options{})
	_, _ = w.Write([]byte("x"))
	err := w.Close()
	require.ErrorIs(t, err, bad)
	require.EqualError(t, err, "asynclog: flushing the sink: bad disk")
	require.Equal(t, err, w.Close(), "the same result")
	require.Equal(t, "xF", d.String(), "one call")
}

// All who wait at the time share one call.
func TestFlushOneCallForManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &durable{sync: func() error {
			time.Sleep(time.Second)
			return nil
		}}
		w := New(d, Options{})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { require.NoError(t, w.Flush(t.Context())) })
		}
		all.Wait()
		require.LessOrEqual(t, countOf(d.String(), "S"), 2)
		require.NoError(t, w.Close())
	})
}

func TestFlushASyncThatHangsIsWaitedForAsLongAsCtxSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		d := &durable{sync: func() error { <-hang; return nil }}
		w := New(d, Options{StallAfter: 5 * time.Second})
		_, _ = w.Write([]byte("x"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := w.Flush(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "all is written")
		_, _ = w.Write([]byte("y")) // takes no part in it
		time.Sleep(10 * time.Second)
		require.True(t, w.Stats().Stalled)
		close(hang)
		require.NoError(t, w.Close())
		require.Equal(t, "xFSyF", d.String())
	})
}

func TestFlushAPanicInTheSinksFlushIsOneOfTheSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &durable{}
		d.flush = func() error { panic("on purpose") }
		w := New(d, Options{})
		_, _ = w.Write([]byte("x"))
		require.ErrorIs(t, w.Flush(t.Context()), errFlushPanic)
		_, _ = w.Write([]byte("y"))
		require.ErrorIs(t, w.Close(), errFlushPanic)
		require.Equal(t, "xFyF", d.String(), "no record is written again")
		st := w.Stats()
		require.EqualValues(t, 2, st.Written.Records)
		require.EqualValues(t, 2, st.Restarts)
		lawful(t, st)
	})
}

// Pipes and terminals cannot be synced, which is no fault of anybody.
func TestFlushToAPipe(t *testing.T) {
	r, out, err := os.Pipe()
	require.NoError(t, err)
	w := New(out, Options{})
	_, _ = w.Write([]byte("x"))
	require.NoError(t, w.Flush(t.Context()))
	require.NoError(t, w.Close())
	require.NoError(t, out.Close())
	require.NoError(t, r.Close())
}

// Nor through a wrapper, as zapcore.Lock(os.Stdout) is one.
func TestFlushASinkThatCannotBeSynced(t *testing.T) {
	for _, err := range []error{syscall.EINVAL, errors.ErrUnsupported} {
		d := &durable{sync: func() error { return &os.PathError{Err: err} }}
		w := New(onlySync{d}, Options{})
		if runtime.GOOS != "windows" || err == errors.ErrUnsupported {
			require.NoError(t, w.Flush(t.Context()))
			require.Zero(t, w.Stats().SinkErrors)
		}
		require.NoError(t, w.Close())
	}
}

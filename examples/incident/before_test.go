package main

import (
	"context"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newWriter(t *testing.T, f fault) *traceWriter {
	t.Helper()
	w, err := newTraceWriter(newDisk(t, f))
	require.NoError(t, err)
	return w
}

// stacks returns those of all goroutines that have text in them.
func stacks(text string) (found []string) {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for _, s := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(s, text) {
			found = append(found, s)
		}
	}
	return found
}

func accountOf(t *testing.T, a account, d *disk) account {
	t.Helper()
	files, err := d.lines("")
	require.NoError(t, err)
	a.Written = int64(files.records)
	assert.True(t, a.balanced(), "%+v", a)
	return a
}

func TestTraceWriterWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, full)
		for i := range 1000 {
			w.LogWrite(record{method: "GET"})
			if i%100 == 0 {
				w.rotation(time.Minute)
			}
		}
		time.Sleep(time.Second) // virtual: flushes what is left
		synctest.Wait()
		a := accountOf(t, w.account(), w.disk)
		assert.Equal(t, account{Accepted: 1000, Written: 1000}, a)
		w.close()
	})
}

// TestTraceWriterHangs is the outage in virtual time: func1 is in no stack,
// func2 is parked in its select, and who logs is blocked in the send, also
// long after the fault is gone.
func TestTraceWriterHangs(t *testing.T) {
	for _, f := range []fault{full, exit, panicking} {
		synctest.Test(t, func(t *testing.T) {
			w := newWriter(t, f)
			w.disk.strike()
			w.rotation(time.Minute)
			var returned atomic.Int64
			for range queue + 7 {
				go func() {
					w.LogWrite(record{})
					returned.Add(1)
				}()
			}
			time.Sleep(time.Hour)
			w.disk.lift()
			start := time.Now()
			w.rotation(time.Minute)
			assert.Equal(t, time.Minute, time.Since(start), "nobody takes it")
			synctest.Wait()
			assert.EqualValues(t, queue, returned.Load())
			assert.Empty(t, stacks("(*traceWriter).func1("))
			assert.Len(t, stacks("(*traceWriter).func2("), 1)
			for _, s := range stacks("(*traceWriter).LogWrite(") {
				assert.Contains(t, s, "[chan send")
			}
			assert.Equal(t, account{Accepted: queue, Buffered: queue},
				accountOf(t, w.account(), w.disk))
			letGo(w)
			assert.EqualValues(t, queue+7, returned.Load())
		})
	}
}

// letGo does what stop does.
func letGo(w *traceWriter) {
	ctx, cancel := context.WithCancel(context.Background())
	go w.release(ctx)
	synctest.Wait()
	cancel()
	w.close()
}

// TestTraceWriterLosesFunc2 takes the file away below the writer: func2
// returns with a buffer in its hand, and func1 waits for one for ever.
func TestTraceWriterLosesFunc2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, full)
		require.NoError(t, w.file.Close())
		for range 10 {
			w.LogWrite(record{})
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Empty(t, stacks("(*traceWriter).func2("))
		assert.Equal(t, account{Accepted: 10, Dropped: 10},
			accountOf(t, w.account(), w.disk))
		w.close()
	})
}

// TestTraceWriterClosedDuringAWrite: func2 comes back with a buffer when func1
// has gone and close has made its own.
func TestTraceWriterClosedDuringAWrite(t *testing.T) {
	w := newWriter(t, stall)
	file, err := w.disk.hang()
	require.NoError(t, err)
	require.NoError(t, w.file.Close())
	w.file = &logFile{file}
	w.LogWrite(record{})
	wait := func(function, in string) {
		require.Eventually(t, func() bool {
			found := stacks(function)
			return len(found) == 1 && strings.Contains(found[0], in)
		}, time.Minute, time.Millisecond)
	}
	wait("(*traceWriter).func2(", "(*logFile).Write(")
	var closing sync.WaitGroup
	closing.Go(w.close)
	wait("(*traceWriter).close(", "(*WaitGroup).Wait(")
	pipe := w.disk.hung[0]
	closing.Go(func() { _, _ = io.Copy(io.Discard, pipe) })
	closing.Wait()
	require.NoError(t, pipe.Close())
}

func TestTraceWriterNeedsAFile(t *testing.T) {
	d := newDisk(t, full)
	d.strike()
	_, err := newTraceWriter(d)
	assert.Error(t, err)
}

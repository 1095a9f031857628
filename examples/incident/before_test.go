package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newDisk returns a disk whose hanging writes end with the test.
func newDisk(t *testing.T, f fault) *disk {
	d := &disk{dir: t.TempDir(), fault: f}
	t.Cleanup(d.release)
	return d
}

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
	a.Written = d.read("").lines
	assert.True(t, a.balanced(), "%+v", a)
	return a
}

// written returns the content of the files of d, one after the other.
func written(t *testing.T, d *disk) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "*.log"))
	require.NoError(t, err)
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		all.Write(text)
	}
	return all.String()
}

func TestTraceWriterWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, full)
		for i := range 1000 {
			w.LogWrite("a line\n")
			if i%100 == 0 {
				w.rotate(time.Minute)
			}
		}
		time.Sleep(time.Second) // virtual: flushes the rest
		synctest.Wait()
		assert.Equal(t, account{Accepted: 1000, Written: 1000},
			accountOf(t, w.account(), w.disk))
		require.NoError(t, w.close())
	})
}

// TestTraceWriterHangs is the outage in virtual time: func1 is in no stack,
// func2 is parked in its select, and callers are blocked in the send, also long
// after the fault is gone.
func TestTraceWriterHangs(t *testing.T) {
	for _, f := range []fault{full, exit, panicking} {
		synctest.Test(t, func(t *testing.T) {
			w := newWriter(t, f)
			w.disk.strike(true)
			w.rotate(time.Minute)
			var returned atomic.Int64
			for range queue + 7 {
				go func() {
					w.LogWrite("a line\n")
					returned.Add(1)
				}()
			}
			time.Sleep(time.Hour)
			w.disk.strike(false)
			start := time.Now()
			w.rotate(time.Minute)
			assert.Equal(t, time.Minute, time.Since(start), "not taken")
			synctest.Wait()
			assert.EqualValues(t, queue, returned.Load())
			assert.Empty(t, stacks("(*traceWriter).func1("))
			assert.Len(t, stacks("(*traceWriter).func2("), 1)
			blocked := stacks("(*traceWriter).LogWrite(")
			assert.Len(t, blocked, 7)
			for _, s := range blocked {
				assert.Contains(t, s, "[chan send")
			}
			assert.Equal(t, account{Accepted: queue, Buffered: queue},
				accountOf(t, w.account(), w.disk))
			w.unblock()
			synctest.Wait()
			assert.EqualValues(t, queue+7, returned.Load())
			require.NoError(t, w.close())
		})
	}
}

// TestTraceWriterLosesFunc2 takes away the file: func2 returns with a buffer in
// its hands, and func1 waits for one forever.
func TestTraceWriterLosesFunc2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, full)
		require.NoError(t, w.file.Close())
		for range 10 {
			w.LogWrite("a line\n")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Empty(t, stacks("(*traceWriter).func2("))
		assert.Equal(t, account{Accepted: 10, Dropped: 10},
			accountOf(t, w.account(), w.disk))
		require.NoError(t, w.close())
	})
}

func TestTraceWriterNeedsAFile(t *testing.T) {
	d := newDisk(t, full)
	d.strike(true)
	_, err := newTraceWriter(d)
	assert.True(t, full.caused(err), "%v", err)
	d.strike(false)
	d.dir += "-missing"
	_, err = newTraceWriter(d)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

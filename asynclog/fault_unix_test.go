//go:build unix

package asynclog

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFaultDevFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("there is no /dev/full here: %v", err)
	}
	defer full.Close()
	f, path := openFile(t)
	var sink switched
	sink.set(full)
	told := &tape{}
	opts := faultOptions
	opts.StallAfter = time.Hour // a slow machine is not to be reported
	opts.Fallback = told
	w := New(&sink, opts)
	l := newLedger(4)
	l.flood(t, w, 2000, 0)
	eventually(t, "errors", func() bool { return w.Stats().SinkErrors > 3 })
	eventually(t, "a line", func() bool { return told.String() != "" })
	st := w.Stats()
	keptError(t, st, syscall.ENOSPC)
	require.EqualValues(t, 8000, st.Buffered.Records)
	require.Contains(t, told.String(), "no space left on device")
	sink.set(f)
	require.NoError(t, w.Close())
	r := l.settle(t, w, readAll(t, path))
	require.EqualValues(t, 8000, r.records.Records, "all of it was kept")
}

func TestFaultDevFullUntilTheEnd(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("there is no /dev/full here: %v", err)
	}
	defer full.Close()
	opts := faultOptions
	opts.Budget = 1 << 16
	opts.CloseTimeout = 100 * time.Millisecond
	w := New(full, opts)
	l := newLedger(4)
	l.flood(t, w, 2000, 0)
	err = w.Close()
	l.times(t)
	var left *UnwrittenError
	require.ErrorAs(t, err, &left)
	require.ErrorIs(t, err, syscall.ENOSPC)
	st := w.Stats()
	lawful(t, st)
	require.Equal(t, left.Left, st.Buffered)
	require.EqualValues(t, 8000, st.Dropped.Records+st.Buffered.Records)
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

func TestFaultFifoWithoutAReader(t *testing.T) {
	path := fifo(t)
	_, err := OpenFile(path, FileOptions{})
	require.ErrorIs(t, err, syscall.ENXIO, "an error, not a wait")

	// Open for reading too, it takes what fits in the pipe and then hangs.
	pipe, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	opts := faultOptions
	opts.Budget = 1 << 18
	w := New(pipe, opts)
	l := newLedger(4)
	l.flood(t, w, 5000, 0)
	eventually(t, "a stall", func() bool { return w.Stats().Stalled })
	lawful(t, w.Stats())
	received := make(chan []byte)
	reader, err := os.Open(path)
	require.NoError(t, err)
	go func() {
		b, _ := io.ReadAll(reader)
		received <- b
	}()
	require.NoError(t, w.Close())
	require.NoError(t, pipe.Close())
	r := l.settle(t, w, <-received)
	require.NotZero(t, r.reported.Records)
	require.NoError(t, reader.Close())
}

func TestFaultFifoWithASlowReader(t *testing.T) {
	path := fifo(t)
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	opts := faultOptions
	opts.Budget = 1 << 17
	w := New(f, opts)
	l := newLedger(4)
	received := make(chan []byte)
	go func() {
		var all bytes.Buffer
		slow := bufio.NewReaderSize(reader, 1<<13)
		for b := make([]byte, 1<<13); ; time.Sleep(200 * time.Microsecond) {
			n, err := slow.Read(b)
			all.Write(b[:n])
			if err != nil {
				received <- all.Bytes()
				return
			}
		}
	}()
	l.flood(t, w, 10_000, 0)
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	l.settle(t, w, <-received)
	require.NoError(t, reader.Close())
}

func TestFaultFifoWhoseReaderDies(t *testing.T) {
	path := fifo(t)
	open := func() *os.File {
		r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		require.NoError(t, err)
		return r
	}
	reader := open()
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	w := New(f, faultOptions)
	l := newLedger(2)
	var parts [][]byte
	for range 5 {
		l.flood(t, w, 1500, 0)
		b := make([]byte, 40_000)
		n, err := io.ReadFull(reader, b)
		require.True(t, err == nil || err == io.ErrUnexpectedEOF, "%v", err)
		parts = append(parts, b[:n])
		require.NoError(t, reader.Close()) // what is in the pipe goes with it
		errs := w.Stats().SinkErrors
		require.NoError(t, l.write(w, 0))
		eventually(t, "EPIPE", func() bool { return w.Stats().SinkErrors > errs })
		keptError(t, w.Stats(), syscall.EPIPE)
		reader = open()
	}
	last := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(reader)
		last <- b
	}()
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	parts = append(parts, <-last)
	require.NoError(t, reader.Close())
	checkConnections(t, l, w, parts)
}

func TestFileCloseEndsAWriteThatHangs(t *testing.T) {
	path := fifo(t)
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer reader.Close()
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	ended := make(chan error)
	go func() {
		_, err := f.Write(make([]byte, 1<<20))
		ended <- err
	}()
	b := make([]byte, 1)
	for n := 0; n == 0; { // until it has begun
		n, _ = reader.Read(b)
	}
	require.NoError(t, f.Close())
	require.ErrorIs(t, <-ended, os.ErrClosed)
}

// A pipe that is full holds up a Write for ever, but not a Reopen. The path
// leads where it did, so only the Reopen can be why the next Write opens it.
func TestFileReopenDoesNotWaitForAWriteThatHangs(t *testing.T) {
	path := fifo(t)
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer reader.Close()
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	defer f.Close()
	old := f.file.Load()
	line := append(bytes.Repeat([]byte("x"), 1<<20), '\n')
	ended := make(chan error)
	go func() {
		_, err := f.Write(line)
		ended <- err
	}()
	_, err = io.ReadFull(reader, make([]byte, 1)) // it has begun
	require.NoError(t, err)
	require.NoError(t, f.Reopen())
	require.Same(t, old, f.file.Load())
	_, err = io.ReadFull(reader, make([]byte, len(line)-1))
	require.NoError(t, err)
	require.NoError(t, <-ended)
	write(t, f, "next\n")
	require.NotSame(t, old, f.file.Load())
	reopened := f.file.Load()
	write(t, f, "and on\n")
	require.Same(t, reopened, f.file.Load(), "once")
}

func TestFileAWriteThatTakesNothing(t *testing.T) {
	f, err := OpenFile("/dev/full", FileOptions{})
	if err != nil {
		t.Skipf("there is no /dev/full here: %v", err)
	}
	for range 2 {
		n, err := f.Write([]byte("x\n"))
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Zero(t, n)
	}
	require.NoError(t, f.Close())
}

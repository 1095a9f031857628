package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newDisk(t *testing.T, f fault) *disk {
	return &disk{dir: t.TempDir(), fault: f, device: fullDevice()}
}

func open(t *testing.T, d *disk) *logFile {
	t.Helper()
	f, err := d.open()
	require.NoError(t, err)
	return f
}

func TestDiskCountsRecords(t *testing.T) {
	d := newDisk(t, full)
	got, err := d.lines("x")
	require.NoError(t, err)
	assert.Zero(t, got, "no file yet")
	for _, text := range []string{"x\ny\nxx\n", "", "z\nx", "#x\nx\n",
		lostMark + "12 since x\n", lostMark + "30 x\n" + lostMark + "1"} {
		f := open(t, d)
		_, err := f.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	got, err = d.lines("x")
	require.NoError(t, err)
	assert.Equal(t, content{records: 5, marked: 3, lost: 42}, got,
		"half lines and head lines are no records")
}

func TestDiskCannotReadALoss(t *testing.T) {
	d := newDisk(t, full)
	f := open(t, d)
	_, err := f.Write([]byte(lostMark + "many\n"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = d.lines("")
	assert.ErrorIs(t, err, strconv.ErrSyntax)
}

func TestDiskCountsLongLines(t *testing.T) {
	d := newDisk(t, full)
	f := open(t, d)
	_, err := f.Write([]byte(strings.Repeat("x", 1<<17) + "\ny\n"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	got, err := d.lines("x")
	require.NoError(t, err)
	assert.Equal(t, content{records: 2, marked: 1}, got)
}

func TestDiskMissesAFile(t *testing.T) {
	d := newDisk(t, full)
	f := open(t, d)
	require.NoError(t, f.Close())
	require.NoError(t, os.Remove(d.path(1)))
	_, err := d.lines("x")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	d.dir = filepath.Join(d.dir, "missing")
	_, err = d.open()
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// TestDiskFull has a fault of the system's own making, with a full device and
// without: nothing is written, and the error is that of a write.
func TestDiskFull(t *testing.T) {
	for _, device := range []string{fullDevice(), ""} {
		d := newDisk(t, full)
		d.device = device
		open(t, d).Close()
		d.strike()
		for range 3 {
			f, err := d.open()
			assert.Nil(t, f)
			assert.True(t, full.caused(err), "%q: %v", device, err)
		}
		f, err := d.unwritable()
		require.NoError(t, err)
		n, err := f.Write([]byte("x\n"))
		assert.Zero(t, n)
		assert.Error(t, err)
		f.Close()
		d.lift()
		open(t, d).Close()
		got, err := d.lines("")
		require.NoError(t, err)
		assert.Zero(t, got)
	}
}

func TestDiskExit(t *testing.T) {
	d := newDisk(t, exit)
	d.strike()
	var returned atomic.Bool
	var asking sync.WaitGroup
	asking.Go(func() {
		_, _ = d.open()
		returned.Store(true)
	})
	asking.Wait()
	assert.False(t, returned.Load())
	d.lift() // the mutex is not held
	open(t, d).Close()
}

func TestDiskPanic(t *testing.T) {
	d := newDisk(t, panicking)
	d.strike()
	assert.Panics(t, func() { _, _ = d.open() })
	d.lift() // the mutex is not held
	open(t, d).Close()
}

// TestDiskStall has writes that are still there after the fault is lifted, and
// fail, with nothing written, only when they are released.
func TestDiskStall(t *testing.T) {
	d := newDisk(t, stall)
	d.strike()
	wrote := make(chan int, 3)
	for range cap(wrote) {
		f, err := d.create()
		require.NoError(t, err)
		go func() {
			n, err := f.Write([]byte("x\n"))
			assert.Error(t, err)
			assert.NoError(t, f.Close())
			wrote <- n
		}()
	}
	d.lift()
	open(t, d).Close() // no lock is held
	assert.Empty(t, wrote)
	d.release()
	for range cap(wrote) {
		assert.Zero(t, recv(t, "the write ends", wrote))
	}
}

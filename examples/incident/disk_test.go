package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
	all, marked, err := d.lines("x")
	require.NoError(t, err)
	assert.Zero(t, all+marked, "no file yet")
	for _, text := range []string{"x\ny\nxx\n", "", "z\nx", "#x\nx\n"} {
		f := open(t, d)
		_, err := f.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	all, marked, err = d.lines("x")
	require.NoError(t, err)
	assert.Equal(t, 5, all, "half lines and head lines are no records")
	assert.Equal(t, 3, marked)
}

func TestDiskCountsLongLines(t *testing.T) {
	d := newDisk(t, full)
	f := open(t, d)
	_, err := f.Write([]byte(strings.Repeat("x", 1<<17) + "\ny\n"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	all, marked, err := d.lines("x")
	require.NoError(t, err)
	assert.Equal(t, [2]int{2, 1}, [2]int{all, marked})
}

func TestDiskMissesAFile(t *testing.T) {
	d := newDisk(t, full)
	f := open(t, d)
	require.NoError(t, f.Close())
	require.NoError(t, os.Remove(d.path(1)))
	_, _, err := d.lines("x")
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
		all, _, err := d.lines("")
		require.NoError(t, err)
		assert.Zero(t, all)
	}
}

func TestDiskExit(t *testing.T) {
	d := newDisk(t, exit)
	d.strike()
	_, err := d.open()
	assert.ErrorIs(t, err, io.EOF)
	d.lift()
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
		assert.Zero(t, <-wrote)
	}
}

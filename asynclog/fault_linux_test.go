package asynclog

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// smallDisk mounts a file system of 256 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k")
	if err != nil {
		t.Skipf("a tmpfs cannot be mounted, which needs root: %v", err)
	}
	t.Cleanup(func() {
		require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH))
	})
	return dir
}

// nearlyFull is a log file on a small disk of which ballast takes up most.
func nearlyFull(t *testing.T) (f *File, path, ballast string) {
	t.Helper()
	dir := smallDisk(t)
	ballast = filepath.Join(dir, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 190<<10), 0o600))
	f, path = openFileIn(t, dir)
	return f, path, ballast
}

func floodUntilFull(t *testing.T, w *Writer) *ledger {
	t.Helper()
	l := newLedger(4)
	for w.Stats().SinkErrors < 3 { // the last write before was a partial one
		l.flood(t, w, 20, 10*time.Microsecond)
	}
	return l
}

func TestFault_disk_fills_up_and_is_emptied(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	w := New(f, faultOptions)
	l := floodUntilFull(t, w)
	keptError(t, w.Stats(), syscall.ENOSPC)
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, w.Close())
	r := l.settle(t, w, readAll(t, path))
	require.Zero(t, r.reported, "nothing is lost, torn or there twice")
}

func TestFault_disk_is_full_when_the_file_is_rotated(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	w := New(f, faultOptions)
	l := floodUntilFull(t, w)
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, f.Reopen(), "put off: a line is unfinished")
	l.flood(t, w, 20, 0)
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, w.Close())
	l.read(t, readAll(t, path+".1")) // ends with a whole line
	r := l.settle(t, w, readAll(t, path+".1", path))
	require.Zero(t, r.reported)
}

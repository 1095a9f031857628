package asynclog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
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

func TestFaultDiskFillsUpAndIsEmptied(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	w := New(f, faultOptions)
	l := floodUntilFull(t, w)
	keptError(t, w.Stats(), syscall.ENOSPC)
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, w.Close())
	r := l.settle(t, w, readAll(t, path))
	require.Zero(t, r.reported, "nothing is lost, torn or there twice")
}

func TestFaultDiskIsFullWhenTheFileIsRotated(t *testing.T) {
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

// Somebody removes the log to free the disk. That gives the space back only
// if the file is let go, though a line in it was cut.
func TestFaultDiskIsFullAndTheLogIsRemoved(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	w := New(f, faultOptions)
	l := floodUntilFull(t, w)
	gone, err := os.Open(path)
	require.NoError(t, err)
	before := readAll(t, path)
	require.NoError(t, os.Remove(path))
	require.NoError(t, gone.Close())
	eventually(t, "a new file", func() bool {
		_ = l.write(w, 0)
		st, err := os.Stat(path)
		return err == nil && st.Size() > 1000
	})
	require.NoError(t, os.Remove(ballast))
	l.flood(t, w, 50, 0)
	require.NoError(t, w.Close())
	l.tolerant = true // of the line that was cut
	first := l.read(t, before)
	l.tolerant = false
	r := l.read(t, readAll(t, path))
	written := first.records.Records + r.records.Records
	require.InDelta(t, w.Stats().Written.Records, written, 1)
}

// With Reopen alone: no further record comes.
func TestFileReopenLetsARemovedFileGo(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	n, err := f.Write(bytes.Repeat([]byte("twenty bytes a line\n"), 10_001)[:200_019])
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NotEqual(t, 0, n%20, "the last line is cut")
	rest := []byte("twenty bytes a line\n")[n%20:]
	require.NoError(t, os.Remove(path))
	require.NoError(t, f.Reopen())
	require.FileExists(t, path)
	require.NoError(t, os.WriteFile(ballast+"2", make([]byte, 32<<10), 0o600),
		"there is room again")
	write(t, f, string(rest)+"whole\n")
	require.Equal(t, "whole\n", content(t, path), "half a line is none")

	write(t, f, "begun ") // and the next one is a line like any other
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "here\n")
	require.Equal(t, "whole\nbegun here\n", content(t, path+".1"))
}

// What a full disk has cut is finished in the renamed file, but not forever:
// the new file may be on a disk with room.
func TestFileACutLineIsFinishedWithABound(t *testing.T) {
	f, path, _ := nearlyFull(t)
	line := "twenty bytes a line\n"
	n, err := f.Write(bytes.Repeat([]byte(line), 10_000))
	require.ErrorIs(t, err, syscall.ENOSPC)
	rest := []byte(line[n%20:] + line)
	require.NoError(t, os.Rename(path, path+".1"))
	disk := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.Symlink(disk, path))
	f.link = true
	tries := 0
	for {
		n, err := f.Write(rest)
		if rest = rest[n:]; err == nil {
			break
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
		tries++
		require.LessOrEqual(t, tries, maxFinishes)
	}
	require.Equal(t, maxFinishes-1, tries)
	require.Empty(t, rest)
	require.Equal(t, line[n%20:]+line, content(t, disk))
}

// Records that are no lines are finished as well: all that was in the call.
func TestFileACutRecordWithoutNewlineIsFinishedInItsFile(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	record := strings.Repeat("x", 999) + "\x00"
	p := strings.Repeat(record, 200)
	n, err := f.Write([]byte(p))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, os.Remove(ballast))
	write(t, f, p[n:]+record)
	require.Equal(t, p, content(t, path+".1"))
	require.Equal(t, record, content(t, path))
}

// The file system goes away, and another one comes in its place.
func TestFileTheFileSystemIsExchanged(t *testing.T) {
	dir := smallDisk(t)
	f, path := openFileIn(t, dir)
	write(t, f, "one\n")
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"))
	write(t, f, "two\n")
	require.Equal(t, "two\n", content(t, path))
	require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH))
	write(t, f, "three\n")
	require.Equal(t, "one\nthree\n", content(t, path))
}

// A full disk for long, and then a rotation: the record is still finished in
// the file where it was begun.
func TestFileACutLineWaitsAsLongAsTheFileStays(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	line := "twenty bytes a line\n"
	n, err := f.Write(bytes.Repeat([]byte(line), 10_000))
	require.ErrorIs(t, err, syscall.ENOSPC)
	rest := []byte(line[n%20:] + line)
	for range 3 * maxFinishes {
		n, err := f.Write(rest)
		require.ErrorIs(t, err, syscall.ENOSPC)
		rest = rest[n:]
	}
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, string(rest))
	old := content(t, path+".1")
	require.Equal(t, strings.Repeat(line, len(old)/20), old)
	require.Equal(t, line, content(t, path))
}

// Records that are no lines cannot be told apart, so none is dropped when the
// file was removed in the middle of one.
func TestFileACutRecordWithoutNewlineOfARemovedFile(t *testing.T) {
	f, path, ballast := nearlyFull(t)
	p := strings.Repeat("x\x00", 100_000)
	n, err := f.Write([]byte(p))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Remove(ballast))
	write(t, f, p[n:])
	require.Equal(t, p[n:], content(t, path))
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "y\x00")
	require.Equal(t, "y\x00", content(t, path), "nothing is owed to the old one")
}

package asynclog

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openFile opens a File in a directory of its own.
func openFile(t *testing.T) (*File, string) {
	t.Helper()
	return openFileIn(t, t.TempDir())
}

func openFileIn(t *testing.T, dir string) (*File, string) {
	t.Helper()
	path := filepath.Join(dir, "service.log")
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f, path
}

func write(t *testing.T, f *File, s string) {
	t.Helper()
	n, err := f.Write([]byte(s))
	require.NoError(t, err)
	require.Equal(t, len(s), n)
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// movable skips where an open file cannot be renamed or removed.
func movable(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not rename or remove a file that is open")
	}
}

func TestFileAppends(t *testing.T) {
	f, path := openFile(t)
	write(t, f, "one\n")
	require.NoError(t, f.Close())
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	write(t, f, "two\n")
	require.NoError(t, f.Close())
	require.Equal(t, "one\ntwo\n", content(t, path))
}

func TestFileOpenSaysWhatIsWrong(t *testing.T) {
	_, err := OpenFile(filepath.Join(t.TempDir(), "no", "such", "directory"), FileOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestFilePerm(t *testing.T) {
	movable(t)
	path := filepath.Join(t.TempDir(), "x")
	f, err := OpenFile(path, FileOptions{Perm: 0o600})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
}

func TestFileFollowsItsPath(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	write(t, f, "one\n")
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "two\n")
	require.Equal(t, "one\n", content(t, path+".1"))
	require.Equal(t, "two\n", content(t, path))
	require.NoError(t, os.Remove(path))
	write(t, f, "three\n")
	require.Equal(t, "three\n", content(t, path))
	require.NoError(t, os.WriteFile(path+".new", []byte("not ours\n"), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
	write(t, f, "four\n")
	require.Equal(t, "not ours\nfour\n", content(t, path))
}

func TestFileATruncatedFileIsAppendedTo(t *testing.T) {
	f, path := openFile(t)
	write(t, f, "one\n")
	require.NoError(t, os.Truncate(path, 0))
	write(t, f, "two\n")
	require.Equal(t, "two\n", content(t, path))
}

func TestFileALineIsFinishedWhereItWasBegun(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	write(t, f, "one\nbeg")
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "un ")
	write(t, f, "here\ntwo\n")
	require.Equal(t, "one\nbegun here\n", content(t, path+".1"))
	require.Equal(t, "two\n", content(t, path))

	write(t, f, "again ")
	require.NoError(t, f.Reopen())
	require.NoError(t, os.Rename(path, path+".2"))
	write(t, f, "here\n")
	write(t, f, "three\n")
	require.Equal(t, "two\nagain here\n", content(t, path+".2"))
	require.Equal(t, "three\n", content(t, path))
}

func TestFileADirectoryThatVanishesAndComesBack(t *testing.T) {
	movable(t)
	dir := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.Mkdir(dir, 0o700))
	f, path := openFileIn(t, dir)
	write(t, f, "one\n")
	require.NoError(t, os.RemoveAll(dir))
	for range 3 {
		n, err := f.Write([]byte("two\n"))
		require.ErrorIs(t, err, os.ErrNotExist)
		require.Zero(t, n)
	}
	require.ErrorIs(t, f.Reopen(), os.ErrNotExist)
	require.NoError(t, os.Mkdir(dir, 0o700))
	write(t, f, "two\n")
	require.Equal(t, "two\n", content(t, path))
}

func TestFileReopen(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	write(t, f, "one\n")
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, f.Reopen())
	require.FileExists(t, path, "at once, not with the next Write")
	write(t, f, "two\n")
	require.Equal(t, "two\n", content(t, path))
}

func TestFileAfterClose(t *testing.T) {
	f, _ := openFile(t)
	require.NoError(t, f.Close())
	_, err := f.Write([]byte("x\n"))
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, f.Close(), os.ErrClosed)
	require.ErrorIs(t, f.Reopen(), os.ErrClosed)
	require.ErrorIs(t, f.replace(), os.ErrClosed, "of a Write in progress")
}

func TestFileConcurrentUse(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				_, err := f.Write([]byte("a whole line\n"))
				assert.NoError(t, err)
			}
		})
	}
	var old []string
	for i := range 50 {
		to := path + string(rune('A'+i))
		if os.Rename(path, to) == nil {
			old = append(old, to)
		}
		if i%2 == 0 { // there may be no file for a moment: then it is made
			assert.NoError(t, f.Reopen())
		}
	}
	wg.Wait()
	lines := 0
	for _, p := range slices.Concat(old, []string{path}) {
		b, err := os.ReadFile(p)
		if err != nil {
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		lines += countOf(string(b), "a whole line\n")
	}
	require.Equal(t, 2000, lines)
}

func TestFileDefaultPerm(t *testing.T) {
	movable(t)
	_, path := openFile(t)
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm()&0o700)
}

// A Reopen that has failed is made up for, though the path leads to the file.
func TestFileReopenThatFailedIsTriedAgain(t *testing.T) {
	f, path := openFile(t)
	old := f.file.Load()
	f.path = filepath.Join(path, "not", "there")
	require.Error(t, f.Reopen())
	require.Same(t, old, f.file.Load())
	f.path = path
	write(t, f, "x\n")
	require.NotSame(t, old, f.file.Load())
	require.ErrorIs(t, old.Close(), os.ErrClosed, "it was closed")
}

func TestFileCloseWhileThePathIsOpened(t *testing.T) {
	f, _ := openFile(t)
	old := f.file.Load()
	f.closed.Store(true) // and Close will close the old file
	require.ErrorIs(t, f.replace(), os.ErrClosed)
	require.Same(t, old, f.file.Load())
	require.NoError(t, old.Close())
}

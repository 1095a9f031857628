package asynclog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Records of a binary log have no "\n", or have one anywhere.
var binaryRecords = map[string]string{
	"NUL":              "a record\x00",
	"NUL, two lines":   "two\nlines\x00",
	"CBOR":             "\xbf\x65level\x64info\xff",
	"CBOR with a \\n":  "\xbf\x61n\x0a\xff",
	"CBOR ending so":   "\xbf\xff\x0a",
	"octet counted":    "8 <34>1 - ",
	"text without end": "no end",
}

func TestFileFollowsWithRecordsOfAnyFraming(t *testing.T) {
	movable(t)
	for name, record := range binaryRecords {
		t.Run(name, func(t *testing.T) {
			f, path := openFile(t)
			write(t, f, record)
			require.NoError(t, os.Rename(path, path+".1"))
			write(t, f, record)
			require.Equal(t, record, content(t, path+".1"))
			require.Equal(t, record, content(t, path))
			require.NoError(t, os.Rename(path, path+".2"))
			require.NoError(t, f.Reopen())
			require.FileExists(t, path, "at once")
			write(t, f, record)
			require.NoError(t, os.Remove(path))
			write(t, f, record+record)
			require.Equal(t, record+record, content(t, path))
			require.NoError(t, f.Close())

			// A new process goes on with the same file.
			f, err := OpenFile(path, FileOptions{})
			require.NoError(t, err)
			write(t, f, record)
			require.NoError(t, f.Close())
			require.Equal(t, strings.Repeat(record, 3), content(t, path))
		})
	}
}

// In a stream of lines, one that does not end is waited for, but not forever.
func TestFileALineWithoutAnEndIsWaitedForWithABound(t *testing.T) {
	movable(t)
	for name, piece := range map[string]string{
		"tries": "x", "bytes": strings.Repeat("x", maxLine/4),
	} {
		t.Run(name, func(t *testing.T) {
			f, path := openFile(t)
			write(t, f, "a line\nbegun ")
			require.NoError(t, os.Rename(path, path+".1"))
			for range maxFinishes {
				write(t, f, piece)
			}
			write(t, f, "the next\n")
			require.NoError(t, f.Reopen())
			require.FileExists(t, path)
			require.LessOrEqual(t, len(content(t, path+".1")), maxLine+20)
			both := content(t, path+".1") + content(t, path)
			require.Equal(t, "a line\nbegun "+strings.Repeat(piece, maxFinishes)+
				"the next\n", both)
		})
	}
}

func TestFileStaysWhereItWasWhenTheProcessChangesDirectory(t *testing.T) {
	movable(t)
	dir := t.TempDir()
	t.Chdir(dir)
	f, err := OpenFile("service.log", FileOptions{})
	require.NoError(t, err)
	write(t, f, "one\n")
	t.Chdir(t.TempDir())
	require.NoError(t, f.Reopen())
	write(t, f, "two\n")
	require.NoFileExists(t, "service.log")
	require.NoError(t, os.Remove(filepath.Join(dir, "service.log")))
	write(t, f, "three\n")
	require.Equal(t, "three\n", content(t, filepath.Join(dir, "service.log")))
	require.NoError(t, f.Close())
}

func TestFileCreatesDirectoriesOnlyIfAsked(t *testing.T) {
	movable(t)
	path := filepath.Join(t.TempDir(), "a", "b", "service.log")
	_, err := OpenFile(path, FileOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoDirExists(t, filepath.Dir(path))
	f, err := OpenFile(path, FileOptions{DirPerm: 0o700})
	require.NoError(t, err)
	st, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), st.Mode().Perm())
	require.NoError(t, os.RemoveAll(filepath.Dir(filepath.Dir(path))))
	write(t, f, "again\n")
	require.Equal(t, "again\n", content(t, path))
	require.NoError(t, f.Close())
}

func TestFileBeginsOnALineOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct{ before, record, want string }{
		"half a line":      {"{\"half", "{}\n", "{\"half\n{}\n"},
		"one byte":         {"x", "y\n", "x\ny\n"},
		"whole lines":      {"whole\n", "y\n", "whole\ny\n"},
		"empty":            {"", "y\n", "y\n"},
		"records with NUL": {"a\x00", "b\x00", "a\x00b\x00"},
		"one, with both":   {"a\x00", "b\n\x00", "a\x00b\n\x00"},
		"CBOR":             {"\xbf\xff", "\xbf\xff\x0a", "\xbf\xff\xbf\xff\x0a"},
		"a cut rune":       {"x", "\xc3\xa4\n", "x\n\xc3\xa4\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			require.NoError(t, os.WriteFile(path, []byte(c.before), 0o600))
			f, err := OpenFile(path, FileOptions{})
			require.NoError(t, err)
			write(t, f, c.record)
			write(t, f, c.record)
			require.NoError(t, f.Close())
			require.Equal(t, c.want+c.record, content(t, path))
		})
	}
}

// A line that another process completes in time is left alone.
func TestFileWaitsWithTheNewlineUntilItWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("beg"), 0o600))
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("begun\n"), 0o600))
	write(t, f, "x\n")
	require.NoError(t, f.Close())
	require.Equal(t, "begun\nx\n", content(t, path))
}

func TestFileADirectoryInItsPlace(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	write(t, f, "one\n")
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, os.Mkdir(path, 0o700))
	n, err := f.Write([]byte("two\n"))
	require.Error(t, err)
	require.Equal(t, 4, n, "the old file goes on")
	require.Equal(t, "one\ntwo\n", content(t, path+".1"))
	require.Error(t, f.Reopen())
	require.NoError(t, os.Remove(path))
	write(t, f, "three\n")
	require.Equal(t, "three\n", content(t, path))

	_, err = OpenFile(t.TempDir(), FileOptions{})
	require.Error(t, err)
}

// Without a name the old file would swallow the records.
func TestFileADirectoryInThePlaceOfARemovedFile(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	n, err := f.Write([]byte("two\n"))
	require.Error(t, err)
	require.Zero(t, n)
	require.NoError(t, os.Remove(path))
	write(t, f, "two\n")
	require.Equal(t, "two\n", content(t, path))
}

func TestFileSync(t *testing.T) {
	movable(t)
	f, path := openFile(t)
	write(t, f, "one\n")
	require.NoError(t, f.Sync())
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "two\n")
	require.NoError(t, f.Sync())
	w := New(f, Options{})
	_, _ = w.Write([]byte("three\n"))
	require.NoError(t, w.Sync())
	require.Equal(t, "two\nthree\n", content(t, path))
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	require.ErrorIs(t, f.Sync(), os.ErrClosed)
}

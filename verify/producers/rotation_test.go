package producers

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/DeRuina/timberjack"
	"github.com/stretchr/testify/require"
	"gopkg.in/natefinch/lumberjack.v2"

	"example.com/chanx/asynclog"
)

// Rotation by size and age: timberjack or lumberjack is the sink as it is.
// Close it after the Writer.
func Example_timberjack() {
	dir, _ := os.MkdirTemp("", "timberjack")
	defer os.RemoveAll(dir)

	file := &timberjack.Logger{Filename: filepath.Join(dir, "app.log"), MaxSize: 100}
	defer file.Close()
	w := asynclog.New(file, asynclog.Options{})
	logger := slog.New(asynclog.NewHandler(w, jsonHandler))
	logger.Info("started", "service", "app")
	_ = w.Close()

	b, _ := os.ReadFile(file.Filename)
	fmt.Print(string(b))
	// Output: {"level":"INFO","msg":"started","service":"app"}
}

// rotator is a sink that rotates, and is told to by hand as well.
type rotator interface {
	io.WriteCloser
	Rotate() error
}

var rotators = map[string]func(path string, megabytes int) rotator{
	"lumberjack": func(path string, mb int) rotator {
		return &lumberjack.Logger{Filename: path, MaxSize: mb}
	},
	"timberjack": func(path string, mb int) rotator {
		return &timberjack.Logger{Filename: path, MaxSize: mb}
	},
}

// spaced keeps rotations a millisecond apart. Both rotators name old files by
// the millisecond, and one of the same name replaces the other.
type spaced struct {
	rotator
	mu   sync.Mutex
	last int64
}

func (s *spaced) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait()
	defer s.note()
	return s.rotator.Write(p)
}

func (s *spaced) Rotate() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait()
	defer s.note()
	return s.rotator.Rotate()
}

func (s *spaced) wait() {
	for time.Now().UnixMilli() <= s.last {
		time.Sleep(100 * time.Microsecond)
	}
}

func (s *spaced) note() { s.last = time.Now().UnixMilli() }

// A rotation happens between two calls, and a call has whole records: no
// line is torn between two files, and none is lost.
func TestRotationUnderLoad(t *testing.T) {
	for name, open := range rotators {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			rotates(t, dir, &spaced{rotator: open(filepath.Join(dir, "app.log"), 1)})
		})
	}
}

func rotates(t *testing.T, dir string, file rotator) {
	w := asynclog.New(file, asynclog.Options{Full: asynclog.Wait,
		CloseTimeout: time.Minute, MaxWait: time.Minute})
	const n = 60_000
	pad := strings.Repeat("x", 80)
	for i := range n {
		_, err := fmt.Fprintf(w, "number-%05d %s\n", i, pad)
		require.NoError(t, err)
		if i == n/2 {
			require.NoError(t, file.Rotate(), "and by hand")
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, file.Close())

	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Greater(t, len(files), 3)
	var lines []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		for line := range strings.Lines(string(b)) {
			require.Len(t, line, len("number-00000 ")+len(pad)+1, "torn")
			lines = append(lines, line[:12])
		}
	}
	slices.Sort(lines)
	require.Equal(t, n, len(slices.Compact(lines)))
	require.EqualValues(t, n, w.Stats().Written.Records)
}

// As documented, when the log is removed the next lines are in the new file with
// asynclog.File, and lost with the others.
func TestRotationTheLogIsRemoved(t *testing.T) {
	inFile := func(t *testing.T, open func(path string) io.WriteCloser) (written, found int) {
		path := filepath.Join(t.TempDir(), "app.log")
		file := open(path)
		w := asynclog.New(file, asynclog.Options{Unbatched: true})
		fmt.Fprintln(w, "before")
		require.NoError(t, w.Sync())
		require.NoError(t, os.Remove(path))
		for range 20 {
			fmt.Fprintln(w, "after")
		}
		require.NoError(t, w.Close())
		require.NoError(t, file.Close())
		b, _ := os.ReadFile(path) // it may not be there
		return int(w.Stats().Written.Records) - 1, strings.Count(string(b), "after")
	}
	written, found := inFile(t, func(path string) io.WriteCloser {
		f, err := asynclog.OpenFile(path, asynclog.FileOptions{})
		require.NoError(t, err)
		return f
	})
	require.Equal(t, 20, written)
	require.Equal(t, 20, found)
	for name, open := range rotators {
		written, found := inFile(t, func(path string) io.WriteCloser {
			return open(path, 100)
		})
		t.Logf("%s: %d lines written, %d in the file", name, written, found)
		require.Equal(t, 20, written, name)
		require.Zero(t, found, "%s has learned it: the documentation is wrong", name)
	}
}

package producers

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/natefinch/lumberjack.v2"

	"example.com/chanx/asynclog"
)

// lumberjack rotates by size and age. It is a sink as it is; close it after
// the Writer.
func Example_lumberjack() {
	dir, _ := os.MkdirTemp("", "lumberjack")
	defer os.RemoveAll(dir)

	file := &lumberjack.Logger{Filename: filepath.Join(dir, "app.log"), MaxSize: 100}
	defer file.Close()
	w := asynclog.New(file, asynclog.Options{})
	logger := slog.New(asynclog.NewHandler(w, jsonHandler))
	logger.Info("started", "service", "app")
	_ = w.Close()

	b, _ := os.ReadFile(file.Filename)
	fmt.Print(string(b))
	// Output: {"level":"INFO","msg":"started","service":"app"}
}

// A rotation happens between two calls, and a call has whole records: no
// line is torn between two files, and none is lost.
func TestLumberjack_rotates_under_load(t *testing.T) {
	dir := t.TempDir()
	file := &lumberjack.Logger{Filename: filepath.Join(dir, "app.log"), MaxSize: 1}
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
	require.Len(t, slices.Compact(lines), n)
	require.EqualValues(t, n, w.Stats().Written.Records)
}

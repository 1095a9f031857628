//go:build unix

package asynclog

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func init() {
	// Logs until it is told to end, and then says how much that was.
	exits["SIGTERM"] = func(w *Writer, l *ledger) {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		fmt.Println("ready")
		for ctx.Err() == nil {
			_ = l.write(w, 0)
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
		fmt.Println(l.producers[0].accepted.Load())
		os.Exit(0)
	}
	// Logs slowly and is killed: nothing can help what is in memory, but what
	// is in the file is whole.
	exits["SIGKILL"] = func(w *Writer, l *ledger) {
		fmt.Println("ready")
		for {
			_ = l.write(w, 0)
		}
	}
}

// ready is a child that has said so, and what it says next.
func ready(t *testing.T, how string) (*exec.Cmd, string, *bufio.Scanner) {
	t.Helper()
	cmd, path := child(t, how)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	return cmd, path, lines
}

func TestExitSigterm(t *testing.T) {
	cmd, path, lines := ready(t, "SIGTERM")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.True(t, lines.Scan())
	accepted, err := strconv.ParseUint(strings.TrimSpace(lines.Text()), 10, 64)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	r := newLedger(1).read(t, readAll(t, path))
	require.Equal(t, accepted, r.records.Records+r.reported.Records)
}

func TestExitSigkillLeavesWholeLines(t *testing.T) {
	cmd, path, _ := ready(t, "SIGKILL")
	eventually(t, "something in the file", func() bool {
		st, err := os.Stat(path)
		return err == nil && st.Size() > 1<<16
	})
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	l := newLedger(1)
	l.tolerant = true // of the call that was under way
	r := l.read(t, readAll(t, path))
	require.NotZero(t, r.records.Records)
}

package asynclog

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

// The process-exit tests run this binary again, as a service that logs to the
// file named in the environment and ends in one of several ways.
const (
	exitHow  = "ASYNCLOG_TEST_EXIT"
	exitFile = "ASYNCLOG_TEST_FILE"
)

// exits are the ways to end. Each gets a Writer into which it has logged.
var exits = map[string]func(w *Writer, l *ledger){
	"deferred close": func(w *Writer, l *ledger) {
		defer func() { _ = w.Close() }()
		logSome(w, l)
	},
	"deferred close in a panic": func(w *Writer, l *ledger) {
		defer func() { _ = w.Close() }()
		logSome(w, l)
		panic("on purpose")
	},
	"os.Exit after Close": func(w *Writer, l *ledger) {
		logSome(w, l)
		if w.Close() != nil {
			os.Exit(9)
		}
		os.Exit(3)
	},
}

const exitRecords = 20_000

func logSome(w *Writer, l *ledger) {
	for range exitRecords {
		if err := l.write(w, 0); err != nil {
			panic(err)
		}
	}
}

func TestMain(m *testing.M) {
	run, ok := exits[os.Getenv(exitHow)]
	if !ok {
		leakgate.Main(m)
		return
	}
	f, err := OpenFile(os.Getenv(exitFile), FileOptions{})
	if err != nil {
		panic(err)
	}
	run(New(f, jsonReports), newLedger(1))
}

func child(t *testing.T, how string) (*exec.Cmd, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), exitHow+"="+how, exitFile+"="+path)
	return cmd, path
}

func TestExitClosedInTimeNothingIsMissing(t *testing.T) {
	for how, code := range map[string]int{
		"deferred close":            0,
		"deferred close in a panic": 2,
		"os.Exit after Close":       3,
	} {
		t.Run(how, func(t *testing.T) {
			cmd, path := child(t, how)
			out, _ := cmd.CombinedOutput()
			require.Equal(t, code, cmd.ProcessState.ExitCode(), "%s", out)
			r := newLedger(1).read(t, readAll(t, path))
			require.EqualValues(t, exitRecords, r.records.Records+r.reported.Records)
			require.Equal(t, fmt.Sprintf("p0 n%d", exitRecords-1), r.order[len(r.order)-1])
		})
	}
}

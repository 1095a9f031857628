//go:build unix

package asynclog

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func init() {
	toStdout := func(*Writer, *ledger) {
		w := New(os.Stdout, Options{CloseTimeout: 50 * time.Millisecond})
		fmt.Fprintln(w, "into a pipe without a reader")
		for w.Stats().LastError == nil {
			_ = w.Sync() // in vain: the sink fails
		}
		fmt.Fprint(os.Stderr, "alive: ", w.Stats().LastError)
	}
	exits["stdout without a reader"] = toStdout
	exits["stdout without a reader, SIGPIPE ignored"] = func(*Writer, *ledger) {
		signal.Ignore(syscall.SIGPIPE)
		toStdout(nil, nil)
	}
}

// A reader of standard output that goes away ends the process, unless it has
// the one line that the documentation gives.
func TestSinksSigpipe(t *testing.T) {
	for how, signaled := range map[string]bool{
		"stdout without a reader":                  true,
		"stdout without a reader, SIGPIPE ignored": false,
	} {
		t.Run(how, func(t *testing.T) {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			require.NoError(t, r.Close())
			cmd, _ := child(t, how)
			cmd.Stdout = w
			var said strings.Builder
			cmd.Stderr = &said
			err = cmd.Run()
			require.NoError(t, w.Close())
			if !signaled {
				require.NoError(t, err)
				require.Contains(t, said.String(), "broken pipe")
				return
			}
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			require.Equal(t, syscall.SIGPIPE, status.Signal())
		})
	}
}

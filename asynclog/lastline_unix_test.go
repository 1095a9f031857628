//go:build unix

package asynclog

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func init() {
	// A service that is told to end. The context of the signal is done by
	// then, so Shutdown gets one of its own.
	exits["SIGTERM or SIGINT"] = func(*Writer, *ledger) {
		ctx, stop := signal.NotifyContext(context.Background(),
			syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		w, logger := dying()
		fmt.Println("ready")
		<-ctx.Done()
		logger.Info(lastWords)
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := w.Shutdown(end); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

func TestLastLineSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			lastLines(t, "SIGTERM or SIGINT", func(cmd *exec.Cmd) {
				out, err := cmd.StdoutPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				require.True(t, bufio.NewScanner(out).Scan())
				require.NoError(t, cmd.Process.Signal(s))
				require.NoError(t, cmd.Wait())
			})
		})
	}
}

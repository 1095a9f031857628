//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// command is chanx in another process, which is this test binary; see TestMain.
type command struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	done           chan error
}

func startCommand(t *testing.T, stdin io.Reader, env []string,
	args ...string) *command {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	c := &command{Cmd: exec.Command(exe, args...), done: make(chan error, 1)}
	c.Env = append(append(os.Environ(), asCommand+"=1"), env...)
	c.Stdin, c.Stdout, c.Stderr = stdin, &c.stdout, &c.stderr
	c.WaitDelay = time.Second
	require.NoError(t, c.Start())
	t.Cleanup(func() { c.Process.Kill() })
	go func() { c.done <- c.Wait() }()
	return c
}

// interrupted sends interrupts until the process ends, and returns how many
// it took. Between two it has the time that a person has.
func (c *command) interrupted(t *testing.T) int {
	t.Helper()
	for n := 1; n <= 3; n++ {
		require.NoError(t, c.Process.Signal(os.Interrupt))
		select {
		case <-c.done:
			return n
		case <-time.After(5 * time.Second):
		}
	}
	require.Fail(t, "three interrupts did not end it", c.stderr.String())
	return 0
}

// feed writes text to w and then more empty lines than a pipe holds, and never
// closes it. It returns once most of them have been read, so once interrupts
// are handled.
func feed(t *testing.T, w *os.File, text string) {
	t.Helper()
	_, err := io.WriteString(w, text+strings.Repeat("\n", 1<<20))
	require.NoError(t, err)
}

// TestInterruptReading: one interrupt ends the reading, and the part that has
// been read is judged.
func TestInterruptReading(t *testing.T) {
	check := func(t *testing.T, c *command, says string, code int) {
		t.Helper()
		require.Equal(t, 1, c.interrupted(t), c.stderr.String())
		require.Equal(t, code, c.ProcessState.ExitCode(), c.stderr.String())
		require.Contains(t, c.stderr.String(), "interrupted")
		require.Contains(t, c.stdout.String(), says)
	}
	for text, says := range map[string]string{requests(12): "12 goroutines",
		"": ""} {
		code := exitTrouble
		if says != "" {
			code = exitFindings
		}
		t.Run("standard input "+says, func(t *testing.T) {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			defer r.Close()
			defer w.Close()
			c := startCommand(t, r, nil, "doctor", "-")
			feed(t, w, text)
			check(t, c, says, code)
		})
		t.Run("named pipe "+says, func(t *testing.T) {
			fifo := filepath.Join(t.TempDir(), "fifo")
			require.NoError(t, syscall.Mkfifo(fifo, 0o600))
			c := startCommand(t, nil, nil, "doctor", fifo)
			w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
			require.NoError(t, err)
			defer w.Close()
			feed(t, w, text)
			check(t, c, says, code)
		})
	}
	t.Run("server", func(t *testing.T) {
		asked := make(chan struct{})
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, requests(12))
			w.(http.Flusher).Flush()
			close(asked)
			<-r.Context().Done()
		})
		c := startCommand(t, nil, nil, "doctor", url+
			"/debug/pprof/goroutine?debug=2")
		<-asked
		require.Equal(t, 1, c.interrupted(t))
		require.Contains(t, c.stderr.String(), "interrupted")
	})
}

// TestOpenInterrupted: a named pipe without a writer does not open.
func TestOpenInterrupted(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	_, err := open(ctx, fifo)
	require.ErrorIs(t, err, errInterrupted)
	w, err := os.OpenFile(fifo, os.O_RDWR, 0) // lets the other open go
	require.NoError(t, err)
	require.NoError(t, w.Close())
}

// TestInterruptElse: outside of the looking an interrupt does what it does to
// every program, whether the source is being read or the report written.
func TestInterruptElse(t *testing.T) {
	dir := sources(t, "\n", map[string]string{"main.go": "package main\n"})
	bin := t.TempDir()
	started := filepath.Join(bin, "started")
	script := "#!/bin/sh\ntouch " + started + "\nexec sleep 60\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o755))
	dump := blockedAt(t, "main", "/build/main.go", 5, "")
	c := startCommand(t, nil, []string{"PATH=" + bin + ":/bin:/usr/bin"}, "doctor",
		"-src", dir, dump)
	require.Eventually(t, func() bool {
		_, err := os.Stat(started)
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, c.interrupted(t))

	// The report is not read: the pipe is full.
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	c = &command{Cmd: exec.Command(c.Path, "doctor", "-json", "-stacks",
		write(t, "many.txt", manyPlaces(3000))), done: make(chan error, 1)}
	c.Env = append(os.Environ(), asCommand+"=1")
	c.Stdout, c.Stderr = w, &c.stderr
	require.NoError(t, c.Start())
	go func() { c.done <- c.Wait() }()
	_, err = io.ReadFull(r, make([]byte, 1000))
	require.NoError(t, err)
	require.Equal(t, 1, c.interrupted(t))
}

// manyPlaces is a dump whose report does not fit into a pipe.
func manyPlaces(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.NewReplacer("21", number(100+i), ":212 ",
			":"+number(i+1)+" ").Replace(stuckDump))
	}
	return b.String()
}

//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain runs the service itself in the processes that the tests start.
func TestMain(m *testing.M) {
	if os.Getenv("CHANX_TEST_SERVICE") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// line is a line of the log: of the service, or the report of a loss.
type line struct {
	Msg, Addr, Admin string
	Records          int
}

// process is a service that runs.
type process struct {
	*exec.Cmd
	stderr bytes.Buffer
	public, admin,
	log string
}

func start(t *testing.T, log string, args ...string) *process {
	t.Helper()
	p := &process{log: log, Cmd: exec.Command(os.Args[0], append([]string{
		"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-log", log,
		"-notice", "300ms"}, args...)...)}
	p.Env = append(os.Environ(), "CHANX_TEST_SERVICE=1")
	p.Stderr = &p.stderr
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// stop sends SIGTERM, waits for readiness to end as a load balancer does, has
// the clients stop, and waits for the process.
func (p *process) stop(t *testing.T, c *clients) {
	t.Helper()
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	eventually(t, func() bool {
		code, _ := get(t, p.admin+"/readyz")
		return code == http.StatusServiceUnavailable
	})
	c.stop()
	require.NoError(t, p.Wait(), &p.stderr)
}

// clients send requests, one after the other each, and count the answers.
type clients struct {
	answered, failed atomic.Int64
	stopping         chan struct{}
	all              sync.WaitGroup
}

func send(url string) *clients {
	c := &clients{stopping: make(chan struct{})}
	for range 8 {
		c.all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-c.stopping:
					return
				default:
				}
				r, err := client.Get(url)
				if err != nil || r.StatusCode != http.StatusOK {
					c.failed.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				r.Body.Close()
				c.answered.Add(1)
			}
		})
	}
	return c
}

// more waits for n further answers.
func (c *clients) more(t *testing.T, n int64) {
	t.Helper()
	n += c.answered.Load()
	eventually(t, func() bool { return c.answered.Load() >= n || c.failed.Load() > 0 })
	require.Zero(t, c.failed.Load())
}

func (c *clients) stop() {
	close(c.stopping)
	c.all.Wait()
}

// pipe reads the log as a disk would take it, and hangs while it is locked.
type pipe struct {
	hang  sync.Mutex
	lines chan line
}

func newPipe(t *testing.T) (*pipe, string) {
	name := filepath.Join(t.TempDir(), "log")
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	// Open for writing too: so there is no end of file before the first writer.
	f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	p := &pipe{lines: make(chan line, 1<<20)}
	done := make(chan struct{})
	t.Cleanup(func() { f.Close(); <-done })
	go func() {
		defer close(done)
		for in := bufio.NewReaderSize(f, 1); ; {
			text, err := p.read(in)
			if err != nil {
				return
			}
			var l line
			assert.NoError(t, json.Unmarshal(text, &l), "%s", text)
			p.lines <- l
		}
	}()
	return p, name
}

func (p *pipe) read(in *bufio.Reader) ([]byte, error) {
	p.hang.Lock()
	defer p.hang.Unlock()
	return in.ReadBytes('\n')
}

// TestDiskThatHangs has the disk hang under load. No request fails; at the end
// every answer is in the log or counted there as lost; the last line is there.
func TestDiskThatHangs(t *testing.T) {
	disk, name := newPipe(t)
	p := start(t, name, "-log-buffer", strconv.Itoa(64<<10))
	first := <-disk.lines
	for first.Msg != "started" {
		first = <-disk.lines
	}
	p.public, p.admin = "http://"+first.Addr, "http://"+first.Admin
	eventually(t, func() bool { code, _ := get(t, p.admin+"/readyz"); return code == 200 })
	c := send(p.public + "/hello")
	c.more(t, 500)

	disk.hang.Lock()
	c.more(t, 3000) // the pipe and the buffer hold fewer than 1,000
	_, metrics := get(t, p.admin+"/metrics")
	assert.Regexp(t, `chanx_log_records_total\{log="service",outcome="dropped"\} [1-9]`, metrics)
	code, page := get(t, p.admin+"/debug/chanx/?format=text")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, page, "service")
	code, _ = get(t, p.admin+"/debug/pprof/goroutine?debug=1")
	assert.Equal(t, http.StatusOK, code)
	disk.hang.Unlock()

	c.more(t, 500)
	p.stop(t, c)
	require.Zero(t, c.failed.Load())
	served, lost := 0, 0
	for l := (line{}); l.Msg != "stopped"; {
		select {
		case l = <-disk.lines:
		case <-time.After(time.Minute):
			require.FailNow(t, "the last line is missing")
		}
		switch {
		case l.Msg == "served":
			served++
		case strings.HasPrefix(l.Msg, "log records lost"):
			lost += l.Records
		}
	}
	assert.Empty(t, disk.lines, "the last line")
	assert.Positive(t, lost)
	assert.EqualValues(t, c.answered.Load(), served+lost)
}

// TestRotation renames the log under load and sends SIGHUP: both files together
// have every line, and every request is in the metrics.
func TestRotation(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	p := start(t, name)
	var started line
	eventually(t, func() bool {
		for _, l := range linesOf(t, name) {
			if l.Msg == "started" {
				started = l
			}
		}
		return started.Msg != ""
	})
	p.public, p.admin = "http://"+started.Addr, "http://"+started.Admin
	c := send(p.public + "/hello")
	c.more(t, 200)
	require.NoError(t, os.Rename(name, name+".1"))
	require.NoError(t, p.Process.Signal(syscall.SIGHUP))
	c.more(t, 200)

	c.stop()
	count := regexp.MustCompile(`(?m)^(?:http_request_duration_seconds_count|` +
		`chanx_ring_dropped_total)\{.*\} (\d+)$`)
	eventually(t, func() bool {
		_, metrics := get(t, p.admin+"/metrics")
		sum := int64(0)
		for _, m := range count.FindAllStringSubmatch(metrics, -1) {
			n, err := strconv.ParseInt(m[1], 10, 64)
			require.NoError(t, err)
			sum += n
		}
		return sum == c.answered.Load()
	})
	p.stop(t, &clients{stopping: make(chan struct{})})
	all := append(linesOf(t, name+".1"), linesOf(t, name)...)
	served := 0
	for _, l := range all {
		if l.Msg == "served" {
			served++
		}
	}
	assert.EqualValues(t, c.answered.Load(), served)
	assert.Equal(t, "stopped", all[len(all)-1].Msg)
	assert.Greater(t, len(linesOf(t, name)), 1, "the new file is in use")
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	p := start(t, filepath.Join(t.TempDir(), "log"), "-admin", l.Addr().String())
	var exit *exec.ExitError
	require.ErrorAs(t, p.Wait(), &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Contains(t, p.stderr.String(), "service: listen tcp "+l.Addr().String())
}

// linesOf reads the whole lines of a file that may not be there yet.
func linesOf(t *testing.T, name string) (all []line) {
	t.Helper()
	data, err := os.ReadFile(name)
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	for text := range bytes.Lines(data) {
		var l line
		if bytes.HasSuffix(text, []byte("\n")) {
			require.NoError(t, json.Unmarshal(text, &l), "%s", text)
			all = append(all, l)
		}
	}
	return all
}

func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(text)
}

// eventually waits for a condition of another process: only its absence for a
// minute fails.
func eventually(t *testing.T, f func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		require.True(t, time.Now().Before(end), fmt.Sprintf("%s: not within a minute", t.Name()))
	}
}

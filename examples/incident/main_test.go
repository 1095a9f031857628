package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/chanx/internal/leakgate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// TestRun runs the whole command with each fault, all four at once, with the
// least load that fills the queue.
func TestRun(t *testing.T) {
	for _, f := range faults {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			svg := filepath.Join(t.TempDir(), "it.svg")
			code := run([]string{"-json", "-fault", string(f), "-requests", "128",
				"-timeout", "500ms", "-svg", svg}, &stdout, &stderr)
			var rep report
			dec := json.NewDecoder(&stdout)
			dec.DisallowUnknownFields()
			require.NoError(t, dec.Decode(&rep), stderr.String())
			require.Zero(t, code, "%+v\n%s", rep.Claims, &stderr)
			assert.ErrorIs(t, dec.Decode(new(any)), io.EOF, "one object")
			assert.Equal(t, string(f), rep.Fault)
			assert.True(t, rep.Observed)
			assert.Len(t, rep.Claims, 16)
			checkBefore(t, rep.Before)
			assert.Contains(t, rep.Diagnosis, ".(*traceWriter).LogWrite (before.go:")
			checkAfter(t, rep.After)
			checkKept(t, f, rep.After.Kept)
			for _, phase := range phases {
				assert.Contains(t, stderr.String(), phase.title)
			}
			drawn, err := os.ReadFile(svg)
			require.NoError(t, err)
			assert.NoError(t, xml.Unmarshal(drawn, new(any)))
			assert.Contains(t, string(drawn),
				fmt.Sprintf(">before: %d<", rep.Before.Goroutines.Now))
		})
	}
}

// checkBefore and checkAfter repeat none of the claims: they look at figures.
func checkBefore(t *testing.T, b serverReport) {
	t.Helper()
	ill, late := b.Phases[struck], b.Phases[lifted]
	assert.Equal(t, 128, b.Phases[well].Answered)
	assert.Equal(t, queue, ill.Answered, "what fits into rec")
	assert.Equal(t, 128-queue, ill.TimedOut)
	assert.Equal(t, 128, late.TimedOut)
	assert.Equal(t, 12, late.Health)
	assert.Equal(t, 0, late.HealthOK)
	assert.GreaterOrEqual(t, late.Wait.P50, 500*time.Millisecond)

	assert.Equal(t, 256-queue, b.Goroutines.Blocked)
	assert.GreaterOrEqual(t, b.Goroutines.Now, b.Goroutines.Blocked)
	assert.Equal(t, "example.com/chanx/examples/incident"+
		".(*traceWriter).LogWrite", b.Goroutines.In)
	assert.Regexp(t, `^incident/before\.go:\d+$`, b.Goroutines.At)
	assert.Equal(t, "w.rec <- r", b.Source)

	assert.Equal(t, account{Accepted: 128 + queue, Written: 128,
		Buffered: queue}, b.Log)
	assert.Empty(t, b.Kept)
	assert.Empty(t, b.Told)
}

func checkAfter(t *testing.T, a serverReport) {
	t.Helper()
	for _, p := range a.Phases {
		assert.Equal(t, 128, p.Answered, p.Name)
		assert.Equal(t, 12, p.HealthOK, p.Name)
	}
	assert.Equal(t, 0, a.MostBlocked)
	assert.Empty(t, a.Goroutines.At)
	assert.EqualValues(t, 3*128, a.Log.Accepted)
	assert.Positive(t, a.Log.Dropped, "128 records, 64 places, no consumer")
	assert.Equal(t, "running", a.State)
	assert.Equal(t, http.StatusOK, a.Phases[lifted].Status.Code)
}

// checkKept finds the fault among the errors kept, and with it at most the
// stall that it is when it lasts.
func checkKept(t *testing.T, f fault, kept []keptReport) {
	t.Helper()
	const stalled = "chanx: worker stalled"
	reason := map[fault]string{
		full: "write ", exit: "chanx: worker called runtime.Goexit",
		panicking: "panic: no file to rotate to", stall: stalled,
	}[f]
	found := 0
	for _, e := range kept {
		assert.False(t, e.Time.IsZero())
		if !strings.HasPrefix(e.Reason, reason) {
			assert.Equal(t, stalled, e.Reason)
			continue
		}
		found++
		assert.Equal(t, f == panicking, e.Stack != "")
		if f == panicking {
			assert.Equal(t, reason, e.Reason)
			assert.Regexp(t, `^incident/disk\.go:\d+$`, e.At)
		}
	}
	assert.Positive(t, found)
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"-requests", "10"}, {"-requests", "100000"}, {"-timeout", "1ms"},
		{"-timeout", "1h"}, {"-fault", "fire"}, {"-nonsense"}, {"rest"},
		{"-hold", "-1s"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, 2, run(args, &stdout, &stderr), args)
		assert.Empty(t, stdout.String())
		assert.NotEmpty(t, stderr.String(), args)
	}
	var stdout, stderr bytes.Buffer
	assert.Zero(t, run([]string{"-h"}, &stdout, &stderr))
	for _, name := range []string{"fault", "hold", "json", "requests", "svg", "timeout"} {
		assert.Contains(t, stderr.String(), "-"+name)
	}
}

// TestReplayInterrupted cancels while requests hang, and finds no goroutine, no
// file, and no error but the context's.
func TestReplayInterrupted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // Windows
	var replays sync.WaitGroup
	for _, f := range faults {
		replays.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			set := settings{fault: f, requests: minRequests, timeout: time.Minute}
			err := replay(ctx, set, &trigger{text: phases[struck].title, fire: cancel},
				func(*report, []sample) error {
					return errors.New("there is nothing to publish")
				})
			assert.EqualError(t, err, context.Canceled.Error(), "and no other")
		})
	}
	replays.Wait()
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left)
}

// TestRunInterrupted does what Ctrl-C does.
func TestRunInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can send itself an interrupt")
	}
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	stderr := &trigger{text: phases[well].title}
	stderr.fire = func() { assert.NoError(t, self.Signal(os.Interrupt)) }
	var stdout bytes.Buffer
	assert.Equal(t, 130, run(nil, &stdout, stderr))
	assert.Empty(t, stdout.String())
	assert.Contains(t, stderr.seen.String(), "interrupted")
}

// trigger is a writer that fires once, when text and then a whole line have
// been written to it. A second signal could come when it is no longer caught.
type trigger struct {
	text string
	fire func()
	once sync.Once
	seen strings.Builder
}

func (tr *trigger) Write(p []byte) (int, error) {
	tr.seen.Write(p)
	_, after, ok := strings.Cut(tr.seen.String(), tr.text)
	if ok && strings.Count(after, "\n") > 1 {
		tr.once.Do(tr.fire)
	}
	return len(p), nil
}

// TestReplayHolds looks at the servers after the result was published: one
// hangs, the other answers. An interrupt then is not an error.
func TestReplayHolds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	published, looked := false, false
	stderr := writerFunc(func(p []byte) (int, error) {
		urls := regexp.MustCompile(`http://[0-9.:]+`).FindAllString(string(p), -1)
		if !strings.Contains(string(p), "before hangs") {
			return len(p), nil
		}
		looked = true
		require.Len(t, urls, 3)
		assert.True(t, published)
		assert.Regexp(t, `before hangs, .* at `+urls[0]+"\n", string(p))
		_, text := get(t, urls[0]+"/debug/pprof/goroutine?debug=2")
		assert.Contains(t, text, "(*traceWriter).LogWrite(")
		for _, path := range []string{"/v1/healthCheck", "/status", "/status/log"} {
			code, _ := get(t, urls[2]+path)
			assert.Equal(t, 200, code)
		}
		cancel()
		return len(p), nil
	})
	err := replay(ctx, settings{requests: minRequests, hold: time.Hour,
		timeout: 300 * time.Millisecond, fault: full},
		stderr, func(*report, []sample) error {
			published = true
			return nil
		})
	require.NoError(t, err)
	assert.True(t, looked)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// TestReplayCannotStart has no directory for its files.
func TestReplayCannotStart(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("TMP", missing) // Windows
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 1, run(nil, &stdout, &stderr))
	assert.Empty(t, stdout.String())
	assert.Contains(t, stderr.String(), "missing")
	st := &stage{set: settings{fault: full}}
	assert.ErrorIs(t, st.open(missing), os.ErrNotExist)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "after"), 0o777))
	assert.ErrorIs(t, st.open(dir), os.ErrExist, "and before has ended")
}

func newServer(t *testing.T, h http.HandlerFunc) *server {
	s, err := start(t.TempDir(), "before", settings{timeout: time.Minute},
		func(_ context.Context, d *disk) (requestLog, error) {
			return newTraceWriter(d)
		})
	require.NoError(t, err)
	if h != nil {
		s.http.Handler = h
	}
	t.Cleanup(func() { assert.NoError(t, s.stop()) })
	return s
}

func TestSendCounts(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   counts
	}{
		"answered": {nil, counts{Sent: 25, Answered: 25, Health: 2, HealthOK: 2}},
		"wrong": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "x")
		}, counts{Sent: 25, Failed: 25, Health: 2}},
		"status": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			echo(w, r)
		}, counts{Sent: 25, Failed: 25, Health: 2}},
		"cut": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, counts{Sent: 25, Failed: 25, Health: 2}},
		"hangs": {func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}, counts{Sent: 25, TimedOut: 25, Health: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, test.answer)
			if name == "hangs" {
				s.timeout = 20 * time.Millisecond
			}
			s.send(t.Context(), well, 25)
			got, _ := s.phases[well].now()
			assert.Equal(t, test.want, got)
		})
	}
}

// TestSendIsInterrupted sends no more, and those on the way have neither been
// answered nor timed out.
func TestSendIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	s.send(ctx, well, 1_000_000)
	got, _ := s.phases[well].now()
	assert.Less(t, got.Sent, 1_000_000)
	assert.Equal(t, got.Sent, got.Failed)
}

// TestQuantile compares with the definition: the smallest value that at least
// percent of all do not exceed.
func TestQuantile(t *testing.T) {
	assert.Zero(t, quantile(nil, 50))
	for n := 1; n <= 210; n++ {
		sorted := make([]time.Duration, n)
		for i := range sorted {
			sorted[i] = time.Duration(i * i)
		}
		for _, percent := range []int{1, 50, 99, 100} {
			i := 0
			for 100*(i+1) < percent*n {
				i++
			}
			assert.Equal(t, sorted[i], quantile(sorted, percent))
		}
	}
}

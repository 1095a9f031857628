package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/chanx/internal/leakgate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// TestRun runs the whole command with each fault and reads what it says. The
// client's timeout is longer than by default: on a machine that does ten other
// things, an answer of after must not come too late. The four run at once, for
// which t.Parallel is not enough on two cores.
func TestRun(t *testing.T) {
	var played [len(faultNames)]struct {
		code                int
		svg, stdout, stderr string
	}
	var runs sync.WaitGroup
	for i, name := range faultNames {
		p := &played[i]
		p.svg = filepath.Join(t.TempDir(), "it.svg")
		runs.Go(func() {
			var stdout, stderr bytes.Buffer
			p.code = run([]string{"-json", "-fault", name, "-requests", "160",
				"-timeout", "4s", "-svg", p.svg}, &stdout, &stderr)
			p.stdout, p.stderr = stdout.String(), stderr.String()
		})
	}
	runs.Wait()
	for i, name := range faultNames {
		p := played[i]
		t.Run(name, func(t *testing.T) {
			var rep report
			dec := json.NewDecoder(strings.NewReader(p.stdout))
			dec.DisallowUnknownFields()
			require.NoError(t, dec.Decode(&rep), p.stderr)
			require.Zero(t, p.code, "%+v\n%s", rep.Claims, p.stderr)
			assert.ErrorIs(t, dec.Decode(new(any)), io.EOF, "one object")
			assert.Equal(t, name, rep.Fault)
			assert.Equal(t, 160, rep.Requests)
			assert.True(t, rep.Observed)
			checkHung(t, rep.Before)
			assert.Contains(t, rep.Diagnosis,
				".(*traceWriter).LogWrite (before.go:")
			checkAnswered(t, rep.After)
			checkKept(t, fault(i), rep.After.Kept)
			for _, phase := range phases {
				assert.Contains(t, p.stderr, phase.title)
			}
			wellFormed(t, p.svg)
			drawn, err := os.ReadFile(p.svg)
			require.NoError(t, err)
			assert.Contains(t, string(drawn),
				fmt.Sprintf(">before: %d<", rep.Before.Goroutines.Now))
		})
	}
}

// checkKept finds the fault among the errors kept, and beside it at most the
// stall that it is when it lasts.
func checkKept(t *testing.T, f fault, kept []keptReport) {
	t.Helper()
	const stalled = "chanx: worker stalled"
	reason := [...]string{
		full: "write ", exit: "chanx: worker called runtime.Goexit",
		panicking: "nil pointer dereference", stall: stalled,
	}[f]
	found := 0
	for _, e := range kept {
		assert.False(t, e.Time.IsZero())
		if !strings.Contains(e.Reason, reason) {
			assert.Equal(t, stalled, e.Reason)
			continue
		}
		found++
		assert.Equal(t, f == panicking, e.Stack != "")
		if f == panicking {
			assert.Regexp(t, `^incident/disk\.go:\d+$`, e.At)
		}
	}
	assert.Positive(t, found)
}

// checkHung and checkAnswered repeat nothing of judge: they look at figures.
func checkHung(t *testing.T, b serverReport) {
	t.Helper()
	require.Len(t, b.Phases, 3)
	assert.Equal(t, 160, b.Phases[0].Answered)
	ill, late := b.Phases[1], b.Phases[2]
	// What fits into rec is answered, and records that func1 may take
	// before it sees the request to rotate.
	assert.GreaterOrEqual(t, ill.Answered, queue)
	assert.Equal(t, 160, ill.Answered+ill.TimedOut)
	assert.Equal(t, 0, late.Answered)
	assert.Equal(t, 160, late.TimedOut)
	assert.Equal(t, 16, late.Health)
	assert.Equal(t, 0, late.HealthOK)
	assert.GreaterOrEqual(t, late.Wait.P50, 4*time.Second)

	assert.Equal(t, ill.TimedOut+late.TimedOut, b.Goroutines.Blocked)
	assert.GreaterOrEqual(t, b.Goroutines.Now, b.Goroutines.Blocked)
	assert.Equal(t, "example.com/chanx/examples/incident"+
		".(*traceWriter).LogWrite", b.Goroutines.In)
	assert.Regexp(t, `^incident/before\.go:\d+$`, b.Goroutines.At)
	assert.Equal(t, "w.rec <- r", b.Source)

	l := b.Log
	assert.EqualValues(t, 160+ill.Answered, l.Accepted)
	assert.GreaterOrEqual(t, l.Buffered, int64(queue))
	assert.Equal(t, l.Accepted, l.Written+l.Dropped+l.Buffered)
	assert.Empty(t, b.Kept)
	assert.Empty(t, b.Told)
}

func checkAnswered(t *testing.T, a serverReport) {
	t.Helper()
	require.Len(t, a.Phases, 3)
	for _, p := range a.Phases {
		assert.Equal(t, 160, p.Answered, p.Name)
		assert.Equal(t, 16, p.HealthOK, p.Name)
	}
	assert.Equal(t, 0, a.MostBlocked)
	assert.Empty(t, a.Goroutines.At)
	assert.EqualValues(t, 480, a.Log.Accepted)
	assert.Equal(t, a.Log.Accepted, a.Log.Written+a.Log.Dropped)
	assert.Positive(t, a.Log.Dropped, "160 records, 64 places, no consumer")
	assert.EqualValues(t, 0, a.Log.Buffered)
	assert.Positive(t, a.LateLines)
	assert.EqualValues(t, a.Log.Dropped, a.LostLines)
	assert.NotEmpty(t, a.Told)
	assert.Equal(t, "running", a.State)
	assert.Equal(t, 200, a.Phases[lifted].Status.Code)
}

func wellFormed(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	for dec := xml.NewDecoder(f); ; {
		if _, err := dec.Token(); err == io.EOF {
			return
		} else if err != nil {
			require.NoError(t, err)
		}
	}
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
}

func TestRunHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Zero(t, run([]string{"-h"}, &stdout, &stderr))
	for _, name := range []string{"-fault", "-hold", "-json", "-requests", "-svg", "-timeout"} {
		assert.Contains(t, stderr.String(), name)
	}
}

// TestReplayInterrupted cancels while all is well, and while requests hang, and
// finds no goroutine, no file and no error but the context's.
func TestReplayInterrupted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // Windows
	interrupted := func(f fault, at string) {
		ctx, cancel := context.WithCancel(context.Background())
		err := replay(ctx, settings{
			fault: f, requests: minRequests, timeout: time.Minute,
		}, &trigger{text: at, fire: cancel}, func(*report, []sample) error {
			return errors.New("there is nothing to publish")
		})
		assert.ErrorIs(t, err, context.Canceled)
		assert.EqualError(t, err, context.Canceled.Error(), "and no other")
	}
	var replays sync.WaitGroup
	replays.Go(func() { interrupted(full, phases[well].title) })
	for f := range fault(len(faultNames)) {
		replays.Go(func() { interrupted(f, phases[struck].title) })
	}
	replays.Wait()
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left)
}

// trigger is a writer that fires once, when text has been written to it, and
// some progress after that. A second signal, for the line that tells of the
// first, could come when nobody listens any more, and end the process.
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

// TestReplayCannotStart has no directory for its files.
func TestReplayCannotStart(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("TMP", missing) // Windows
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 1, run(nil, &stdout, &stderr))
	assert.Empty(t, stdout.String())
	assert.Contains(t, stderr.String(), "missing")
}

func TestPublishFirstDraws(t *testing.T) {
	var stdout bytes.Buffer
	set := settings{svg: filepath.Join(t.TempDir(), "missing", "it.svg")}
	assert.Error(t, publish(set, goodReport(), make([]sample, 1), &stdout))
	assert.Empty(t, stdout.String())
}

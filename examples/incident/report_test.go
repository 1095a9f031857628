package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stackOf returns the stack of the panic that f ends with.
func stackOf(f func()) (stack string) {
	defer func() {
		if recover() != nil {
			stack = string(debug.Stack())
		}
	}()
	f()
	return ""
}

func panics(s []int) { _ = s[len(s)] } // in the runtime's own function

func panicsAgain() {
	defer func() { panic(recover()) }()
	panics(nil)
}

func TestPanickedAt(t *testing.T) {
	text, err := os.ReadFile("report_test.go")
	require.NoError(t, err)
	for source, f := range map[string]func(){
		"func panics(s":            func() { panics(nil) },
		"defer func() { panic(rec": panicsAgain,
		`f := func() { panic("x`:   func() { f := func() { panic("x") }; f() },
	} {
		stack := stackOf(f)
		place, line, ok := strings.Cut(panickedAt(stack), ":")
		require.True(t, ok, stack)
		assert.Equal(t, "incident/report_test.go", place)
		for i, l := range strings.Split(string(text), "\n") {
			if line == strconv.Itoa(i+1) {
				assert.Contains(t, l, source, stack)
			}
		}
	}
	for _, stack := range []string{"", "x", "panic(", "panic(1)\n\tx:1\n", "\n\n\n"} {
		assert.Empty(t, panickedAt(stack), "%q", stack)
	}
}

func TestSourceLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.go")
	require.NoError(t, os.WriteFile(path, []byte("a\n\t b \nc"), 0o666))
	for n, want := range []string{"", "a", "b", "c", ""} {
		assert.Equal(t, want, sourceLine(path, n))
	}
	assert.Empty(t, sourceLine(path, -1))
	assert.Empty(t, sourceLine(path+"x", 1))
}

func TestShort(t *testing.T) {
	assert.Equal(t, "b/c.go:1", short("/a/b/c.go:1"))
	assert.Equal(t, "./c.go:1", short("c.go:1"))
}

func TestKeptReports(t *testing.T) {
	at := time.Date(2024, 2, 3, 0, 0, 0, 0, time.UTC)
	for want, err := range map[string]error{
		"x":                     errors.New("x"),
		"chanx: worker stalled": chanx.ErrStalled,
		"panic: x, at incident/y.go:3": &chanx.PanicError{Value: "x",
			Stack: []byte("goroutine 1 [running]:\npanic(1)\n\tp.go:1\n" +
				"main.f()\n\t/z/incident/y.go:3 +0x1\n")},
	} {
		e := newKeptReport(asynclog.SinkError{At: at, Err: err})
		assert.Equal(t, want, e.String())
		assert.Equal(t, at, e.Time)
		assert.Equal(t, err, e.cause)
	}
}

func TestReasons(t *testing.T) {
	kept := func(reason string) keptReport { return keptReport{Reason: reason} }
	s := serverReport{Kept: []keptReport{
		kept("a"), kept("a"), kept("b"), kept("a"),
	}}
	assert.Equal(t, []string{"2 x a", "1 x b", "1 x a"}, s.reasons())
	assert.Empty(t, serverReport{}.reasons())
}

func TestWriteTable(t *testing.T) {
	rep := goodReport()
	rep.Timeout = 3 * time.Second
	rep.Before.Source = "w.rec <- r"
	rep.After.Phases[struck].Failed = 7
	rep.Before.Phases[lifted].Wait = wait{P50: 3 * time.Second, P99: 3100 * time.Millisecond, Max: 1500 * time.Microsecond}
	rep.After.Restarts, rep.After.Stalls = 2, 1
	rep.After.Told = []string{"asynclog: the sink crashed\na stack", "asynclog: again"}
	rep.judge(full)
	rep.Claims[0].Observed = false
	var out bytes.Buffer
	require.NoError(t, rep.writeTable(&out))
	for _, want := range []string{
		`fault "full", 200 requests`, "client timeout 3s",
		"answered                    64 of 200                     200 of 200",
		"timed out                   136                           0, failed otherwise: 7",
		"health checks answered      6 of 20                       20 of 20",
		"waited, p50 / p99 / max     3.00s / 3.10s / 1.5ms",
		"blocked in a channel send   336                           0",
		"at                        incident/before.go:7          -",
		"                            w.rec <- r\n",
		"log lines accepted          264                           600",
		"= written                 200                           464",
		"+ dropped                 0                             136",
		"+ still buffered          64                            0",
		"lost, says the log itself nothing                       136\n",
		"failed writes             -                             9\n",
		"restarts / stalls         -                             2 / 1",
		"told its fallback         -                             2\n",
		"      asynclog: the sink crashed\n      asynclog: again\n",
		"status handler            -                             503, then 200",
		"      1 x write f: " + syscall.ENOSPC.Error() + "\n",
		"  NO   before answered every request while all was well\n",
		"  yes  after answered every request and health check while all was well\n",
	} {
		assert.Contains(t, out.String(), want)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		assert.Equal(t, strings.TrimRight(line, " "), line)
	}
	assert.Error(t, rep.writeTable(closed{}))
	assert.Error(t, rep.writeJSON(closed{}))
}

// closed is standard output when nobody reads it any more.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

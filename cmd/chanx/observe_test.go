package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	library "example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/observe"
)

// stalledService serves an Observer, whose log is stalled with so many records.
func stalledService(t *testing.T, records int) string {
	release := make(chan struct{})
	w := asynclog.New(sinkFunc(func(p []byte) (int, error) {
		<-release
		return len(p), nil
	}), asynclog.Options{StallAfter: time.Millisecond})
	for range records {
		fmt.Fprintln(w, "line")
	}
	require.Eventually(t, func() bool { return w.Stats().Stalled },
		time.Minute, time.Millisecond)
	o := observe.New()
	o.Log("access", w)
	o.Ring("metrics", library.NewRing[int](1))
	mux := http.NewServeMux()
	mux.Handle("/debug/chanx/", o)
	url := serve(t, mux.ServeHTTP)
	t.Cleanup(func() {
		close(release)
		require.NoError(t, w.Close())
	})
	return url
}

type sinkFunc func(p []byte) (int, error)

func (f sinkFunc) Write(p []byte) (int, error) { return f(p) }

// TestObserve: the problems that an Observer reports are findings, of one
// service and of each one of a fleet.
func TestObserve(t *testing.T) {
	a, b := stalledService(t, 3), stalledService(t, 5)
	const sentence = `log "access" has stalled: its sink makes no progress`
	for _, target := range []string{a, a + "/debug/chanx/", a + "/debug/chanx"} {
		got := diagnose(t, target)
		require.Equal(t, exitFindings, got.code, got.stderr)
		require.Contains(t, unwrapped(got.stdout), "CRITICAL "+sentence)
		require.Contains(t, unwrapped(got.stdout), "3 records buffered, 0 dropped")
	}
	got := diagnose(t, a, b)
	require.Equal(t, exitFindings, got.code, got.stderr)
	text := unwrapped(got.stdout)
	require.Equal(t, 2, strings.Count(text, "CRITICAL "+sentence), text)
	for records, target := range map[int]string{3: a, 5: b} {
		// The first of the findings is the root sentence as well.
		at := strings.LastIndex(text, fmt.Sprint(records, " records buffered"))
		require.GreaterOrEqual(t, at, 0, text)
		after, _, _ := strings.Cut(text[at:], "CRITICAL")
		require.Contains(t, after, "- "+target, "the finding says whose it is")
	}
	require.NotContains(t, text, "0 goroutines")

	got = diagnose(t, "-json", a, b)
	var report struct {
		Findings []struct {
			Severity, Operation, Sentence string
			Instances                     map[string]int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &report))
	var instances []string
	for _, f := range report.Findings {
		if f.Operation == "log" {
			require.Equal(t, "critical", f.Severity)
			for name := range f.Instances {
				instances = append(instances, name)
			}
		}
	}
	require.ElementsMatch(t, []string{a, b}, instances)
}

// unwrapped is text in one line.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

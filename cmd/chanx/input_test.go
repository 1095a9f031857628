package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/doctor"
)

// onlyHandler serves doctor.Handler() and nothing else, on a path.
func onlyHandler(t *testing.T, path string) string {
	mux := http.NewServeMux()
	mux.Handle(path, doctor.Handler())
	return serve(t, mux.ServeHTTP)
}

// TestOnlyHandler: a service that mounts only doctor.Handler() is found and
// read, where the documentation puts it or where the URL says.
func TestOnlyHandler(t *testing.T) {
	ch := make(chan int)
	done := make(chan struct{})
	for range 20 {
		go func() {
			blockedSender(ch)
			done <- struct{}{}
		}()
	}
	defer func() {
		for range 20 {
			<-ch
			<-done
		}
	}()
	a, b := onlyHandler(t, "/debug/chanx/"), onlyHandler(t, "/internal/stuck")
	for _, target := range []string{a, a + "/debug/chanx/", a + "/debug/chanx",
		b + "/internal/stuck"} {
		got := diagnose(t, "-json", target)
		require.Equal(t, exitFindings, got.code, "%s: %s", target, got.stderr)
		r := parse(t, got.stdout)
		require.Equal(t, []string{target}, r.Targets)
		require.Len(t, r.Instances, 1)
		require.NotZero(t, r.Instances[0].Process.PID)
		found := false
		for _, f := range r.Findings {
			found = found || strings.Contains(f.Function, "blockedSender") &&
				f.Count == 20
		}
		require.True(t, found, got.stdout)
	}
	got := diagnose(t, a)
	require.Contains(t, got.stdout, "blockedSender")
	require.Contains(t, got.stdout, "input_test.go:", "with a stack")
	require.Equal(t, exitFindings, diagnose(t, "-max-stop", "1", a).code)
	got = diagnose(t, "-ignore", "x.y", "-many", "10", a)
	require.Contains(t, got.stderr, "judges itself: -ignore does not count there")
	require.NotContains(t, got.stderr, "-many")

	// A fleet of them, with one that has only profiles.
	got = diagnose(t, "-json", a, b+"/internal/stuck", text(t, requests(12)))
	r := parse(t, got.stdout)
	require.Len(t, r.Instances, 3)
	require.Len(t, r.Targets, 3)
	for _, f := range r.Findings {
		if strings.Contains(f.Function, "blockedSender") {
			require.Equal(t, 40, f.Count)
			require.Len(t, f.Instances, 2)
		}
	}
	require.Equal(t, exitFindings, diagnose(t, "-for", "5ms",
		a).code)
}

// TestSameProcess: a service that is given twice is noted, whether by another
// address or as a report that was saved; the same URL is looked at once.
func TestSameProcess(t *testing.T) {
	url := onlyHandler(t, "/debug/chanx/")
	require.Len(t, parse(t, diagnose(t, "-json", url, url).stdout).Instances, 1)
	saved := write(t, "r.json", diagnose(t, "-json", url).stdout)
	got := diagnose(t, saved, url)
	require.Contains(t, got.stderr, saved+" and "+url+
		" are the same process, whose goroutines count twice")
	// A report that does not say of which process it is may be of any.
	other := write(t, "o.json", `{"targets":["x"],"goroutines":3,"judged":3}`)
	require.NotContains(t, diagnose(t, other, other).stderr, "the same process")
}

func blockedSender(ch chan int) { ch <- 1 }

// TestReports: what -json printed can be given again, also by a server that
// lies in it.
func TestReports(t *testing.T) {
	saved := write(t, "r.json", diagnose(t, "-json", "-stacks",
		write(t, "a.txt", requests(12))).stdout)
	got := diagnose(t, saved)
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "12 goroutines are blocked sending")
	require.Contains(t, got.stdout, "example.com/app/log.(*Writer).Write "+
		"/src/app/log/writer.go:212")

	// Other programs, such as jq -S, sort the keys.
	var keys map[string]any
	text, err := os.ReadFile(saved)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &keys))
	sorted, err := json.Marshal(keys)
	require.NoError(t, err)
	got = diagnose(t, write(t, "sorted.json", string(sorted)))
	require.Equal(t, exitFindings, got.code, got.stderr)
	require.Contains(t, got.stdout, "12 goroutines are blocked sending")

	for _, bad := range []string{`{"targets":`, `{"targets":[],"goroutines":-1}`,
		`{"targets":[],"groups":[{"stacks":[null]}]}`} {
		got = diagnose(t, write(t, "bad.json", bad))
		require.Equal(t, exitTrouble, got.code)
		require.Contains(t, got.stderr, "a report that cannot be read")
	}
	const evil = `{"targets":["x"],"goroutines":3,"judged":3,"root":"\u001b[2J",` +
		`"findings":[{"severity":"critical","count":3,"confidence":"\u001b",` +
		`"receiver":"\u200b","sentence":"\u001b[2J\u202eevil"}]}`
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/debug/chanx/" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, evil)
	})
	got = diagnose(t, url)
	require.Equal(t, exitFindings, got.code)
	for _, c := range "\x1b\u202e\u200b" {
		require.NotContains(t, got.stdout, string(c))
	}
	endless := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"targets":["`)
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	})
	require.Contains(t, diagnose(t, endless+"/debug/chanx/").stderr, "above 64 MB")
}

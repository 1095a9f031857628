package chanxhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/chanxhttp"
)

// FuzzHealth asks after workers of any name that have come to any end with any
// text in it, and holds the answer against Status.
func FuzzHealth(f *testing.F) {
	f.Add("GET", "worker", "boom", []byte{0, 1, 2, 3, 4, 5})
	f.Add("HEAD", "a/b: \"c\"\n", "<script>\xff\x00\u2028", []byte{1, 2, 3, 9, 10, 11})
	f.Add("GET", "failed", "for good", []byte{33, 34, 35, 41, 16})
	f.Add("post", "\xff\xfe", "", []byte{})
	f.Add("", "%s%d", "\\u0000", []byte{255, 7, 4, 4, 2})
	f.Fuzz(func(t *testing.T, method, name, text string, ends []byte) {
		ends = ends[:min(len(ends), 12)]
		synctest.Test(t, func(t *testing.T) {
			top, inner := chanx.NewSupervisor(chanx.SupervisorOptions{}),
				chanx.NewSupervisor(chanx.SupervisorOptions{})
			for i, end := range ends {
				s := top
				if end&8 != 0 {
					s = inner
				}
				policy := chanx.RestartPolicy{Restart: chanx.RestartMode(end / 16 % 3)}
				require.NoError(t, s.Add(fmt.Sprint(name, i), ending(end%8, text), policy))
			}
			require.NoError(t, top.Add("inner", inner.Run, chanx.RestartPolicy{}))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = top.Run(ctx)
			}()
			synctest.Wait()
			inspect(t, top, method, "")
			cancel()
			<-done
			inspect(t, top, method, "stopped")
		})
	})
}

// ending is a worker that comes to an end, or to none.
func ending(way byte, text string) func(context.Context) error {
	return func(ctx context.Context) error {
		switch way {
		case 0:
			return nil
		case 1:
			return errors.New(text)
		case 2:
			panic(text)
		case 3:
			panic(fmt.Errorf("%s: %w", text, errBoom))
		case 4:
			return fmt.Errorf("%s: %w", text, &chanx.PanicError{Value: text, Stack: []byte(text)})
		case 5:
			return fmt.Errorf("%s: %w", text, chanx.ErrStop)
		default:
			<-ctx.Done()
			return ctx.Err()
		}
	}
}

// inspect compares the answers with Status, by the documentation alone.
func inspect(t *testing.T, s *chanx.Supervisor, method, reason string) {
	rec := httptest.NewRecorder()
	req := &http.Request{Method: method, URL: &url.URL{Path: "/"}}
	chanxhttp.Ready(s).ServeHTTP(rec, req)
	if method != "GET" && method != "HEAD" {
		require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
		return
	}
	ready := ask(t, chanxhttp.Ready(s), "/?verbose") // which checks the shape
	require.Equal(t, rec.Code, ready.Code)
	live := ask(t, chanxhttp.Live(s), "/?verbose")
	require.Equal(t, ready.Workers, live.Workers)

	all := flatten("", s.Status())
	worst, running := 2, 0
	for _, st := range all {
		worst = min(worst, severity(st))
		if st.State == chanx.StateRunning {
			running++
		}
	}
	if reason == "" && worst == 2 && running == 0 {
		reason = "no worker is running"
	}
	require.Equal(t, reason, ready.Reason)
	require.Equal(t, worst == 2 && reason == "", ready.Code == http.StatusOK)
	require.Equal(t, worst > 0, live.Code == http.StatusOK)
	compare(t, all, ready.Workers)
}

// flatten is a tree as a list, with the names that are shown.
func flatten(prefix string, tree []chanx.WorkerStatus) (all []chanx.WorkerStatus) {
	var below []chanx.WorkerStatus
	for _, st := range tree {
		if st.State == chanx.StateRunning {
			below = append(below, flatten(prefix+st.Name+"/", st.Workers)...)
		}
		st.Name = prefix + st.Name
		all = append(all, st)
	}
	return append(all, below...)
}

func severity(st chanx.WorkerStatus) int {
	switch {
	case st.State == chanx.StateFailed || st.State == chanx.StateStalled:
		return 0
	case st.State == chanx.StateStopped:
		return 2
	case st.State == chanx.StateRunning && !st.CrashLooping:
		return 2
	}
	return 1
}

// legible is what JSON makes of bytes that are not UTF-8.
func legible(s string) string { return string([]rune(s)) }

func compare(t *testing.T, want []chanx.WorkerStatus, got []worker) {
	require.Len(t, got, len(want))
	slices.SortStableFunc(want, func(a, b chanx.WorkerStatus) int {
		return severity(a) - severity(b)
	})
	for i, w := range want {
		if len(w.Name) <= 256 {
			require.Equal(t, legible(w.Name), got[i].Name)
		}
		require.Equal(t, w.State.String(), got[i].State)
		require.Equal(t, w.Restarts, got[i].Restarts)
		require.Equal(t, w.CrashLooping, got[i].CrashLooping)
		require.True(t, w.Since.Equal(*got[i].Since))
		require.Len(t, got[i].Exits, len(w.Exits))
		for j, e := range w.Exits {
			compareExit(t, e, got[i].Exits[j])
		}
	}
}

func compareExit(t *testing.T, want chanx.Exit, got exit) {
	var p *chanx.PanicError
	if errors.As(want.Err, &p) {
		require.Equal(t, legible(string(p.Stack)), got.Stack)
	}
	if want.Err != nil {
		require.Equal(t, legible(want.Err.Error()), got.Error)
	} else {
		require.Empty(t, got.Error)
	}
	require.Equal(t, want.Final, got.Final)
}

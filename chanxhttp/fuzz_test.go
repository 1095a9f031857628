package chanxhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
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
			inspect(t, top, method)
			cancel()
			<-done
			inspect(t, top, method)
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

func inspect(t *testing.T, s *chanx.Supervisor, method string) {
	rec := httptest.NewRecorder()
	req := &http.Request{Method: method, URL: &url.URL{Path: "/"}}
	chanxhttp.Health(s).ServeHTTP(rec, req)
	if method != "GET" && method != "HEAD" {
		require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
		return
	}
	got := ask(t, chanxhttp.Health(s)) // which checks the shape
	require.Equal(t, rec.Code, got.Code)
	compare(t, s.Status(), got.Workers)
	unwell, running := ailing("", s.Status())
	if running == 0 && len(unwell) == 0 {
		unwell = []string{"no worker is running"}
	}
	require.Equal(t, unwell, got.Unwell)
}

// legible is what JSON makes of bytes that are not UTF-8.
func legible(s string) string { return string([]rune(s)) }

func compare(t *testing.T, want []chanx.WorkerStatus, got []worker) {
	require.Len(t, got, len(want))
	for i, w := range want {
		require.Equal(t, legible(w.Name), got[i].Name)
		require.Equal(t, w.State.String(), got[i].State)
		require.Equal(t, w.Restarts, got[i].Restarts)
		require.True(t, w.Since.Equal(got[i].Since))
		require.Len(t, got[i].Exits, len(w.Exits))
		for j, e := range w.Exits {
			var p *chanx.PanicError
			if errors.As(e.Err, &p) {
				require.Equal(t, legible(string(p.Stack)), got[i].Exits[j].Stack)
			} else if e.Err != nil {
				require.Equal(t, legible(e.Err.Error()), got[i].Exits[j].Error)
			} else {
				require.Empty(t, got[i].Exits[j].Error)
			}
			require.Equal(t, e.Final, got[i].Exits[j].Final)
		}
		compare(t, w.Workers, got[i].Workers)
	}
}

// ailing is what the documentation says is not well.
func ailing(prefix string, all []chanx.WorkerStatus) (unwell []string, running int) {
	unwell = []string{}
	for _, w := range all {
		switch w.State {
		case chanx.StateRunning:
			running++
			below, _ := ailing(prefix+w.Name+"/", w.Workers)
			unwell = append(unwell, below...)
		case chanx.StateStopped:
		default:
			unwell = append(unwell, legible(prefix+w.Name+": "+w.State.String()))
		}
	}
	return unwell, running
}

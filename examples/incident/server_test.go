package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func startBoth(t *testing.T, f fault) (before, after *server, l *asyncLog) {
	t.Helper()
	dir := t.TempDir()
	before, err := startBefore(dir, f)
	require.NoError(t, err)
	after, l, err = startAfter(dir, f, testStall)
	require.NoError(t, err)
	return before, after, l
}

func get(t *testing.T, s *server, path string) (code int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.url + path)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func TestServersAnswerAlike(t *testing.T) {
	before, after, _ := startBoth(t, full)
	for _, s := range []*server{before, after} {
		code, body := get(t, s, "/v1/healthCheck")
		assert.Equal(t, 200, code)
		assert.Equal(t, healthy, body)
		for text, want := range map[string]string{
			"":    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"a b": sum("a b"),
		} {
			_, body := get(t, s, "/v1/checksum?text="+url.QueryEscape(text))
			assert.Equal(t, want, body)
		}
		code, _ = get(t, s, "/elsewhere")
		assert.Equal(t, 404, code)
		assert.EqualValues(t, 5, s.account().Accepted, "404s are logged too")
	}
	code, _ := get(t, before, "/status")
	assert.Equal(t, 404, code)
	code, body := get(t, after, "/status")
	assert.Equal(t, 200, code)
	assert.Contains(t, body, `"asynclog"`)
	code, body = get(t, after, "/status/log")
	assert.Equal(t, 200, code)
	assert.Contains(t, body, `"Accepted":{"Records":5,`)
	assert.EqualValues(t, 6, before.account().Accepted)
	assert.EqualValues(t, 5, after.account().Accepted, "status is not logged")
	for _, s := range []*server{before, after} {
		_, body = get(t, s, "/debug/pprof/goroutine?debug=1")
		assert.Contains(t, body, s.label)
		require.NoError(t, s.stop())
		accountOf(t, s.account(), s.disk)
	}
	a := accountOf(t, after.account(), after.disk)
	assert.EqualValues(t, 5, a.Written, "stop writes what is left")
}

// TestServerStopsHanging stops servers whose requests hang: nobody has been
// counted twice, and the leak gate finds nothing.
func TestServerStopsHanging(t *testing.T) {
	for f := range fault(len(faultNames)) {
		before, after, _ := startBoth(t, f)
		for _, s := range []*server{before, after} {
			s.disk.strike()
			s.rotation(time.Minute)
			ctx, cancel := context.WithCancel(context.Background())
			l := newLoad(s.url, time.Minute)
			done := make(chan counts)
			go func() {
				var tl tally
				l.send(ctx, "fault", queue+10, &tl)
				done <- tl.now()
			}()
			eventually(t, "the queue is full", func() bool {
				return s.account().Accepted >= queue
			})
			cancel()
			recv(t, "the load ends", done)
			l.close()
			require.NoError(t, s.stop())
		}
	}
}

func TestServerCannotStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	_, err := startBefore(dir, full)
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = startAfter(dir, full, testStall)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

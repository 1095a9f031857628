package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve returns a load on a server that answers with h, and its tally after n
// requests.
func sendTo(t *testing.T, h http.HandlerFunc, timeout time.Duration, n int) counts {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	l := newLoad(srv.URL, timeout)
	defer l.close()
	var tl tally
	l.send(context.Background(), "well", n, &tl)
	return tl.now()
}

func TestLoadAnswered(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/healthCheck", healthCheck)
	mux.HandleFunc("/v1/checksum", checksum)
	assert.Equal(t, counts{Sent: 25, Answered: 25, Health: 2, HealthOK: 2},
		sendTo(t, mux.ServeHTTP, time.Minute, 25))
}

func TestLoadAnsweredWrongly(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"text":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) },
		"status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"cut":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		assert.Equal(t, counts{Sent: 10, Failed: 10, Health: 1},
			sendTo(t, h, time.Minute, 10), name)
	}
}

func TestLoadTimesOut(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	assert.Equal(t, counts{Sent: 10, TimedOut: 10, Health: 1},
		sendTo(t, hang, 20*time.Millisecond, 10))
}

func TestLoadRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	l := newLoad("http://"+ln.Addr().String(), time.Minute)
	defer l.close()
	var tl tally
	l.send(context.Background(), "well", 3, &tl)
	assert.Equal(t, counts{Sent: 3, Failed: 3}, tl.now())
}

// TestLoadInterrupted cancels while requests hang: no more are sent, and those
// on the way are neither answered nor timed out.
func TestLoadInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	arrived := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	l := newLoad(srv.URL, time.Minute)
	defer l.close()
	l.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if arrived++; arrived == 1 {
			cancel()
		}
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	var tl tally
	l.send(ctx, "well", 1_000_000, &tl)
	c := tl.now()
	assert.Less(t, c.Sent, 1_000_000)
	assert.Equal(t, c.Sent, c.Failed)
	cancel()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestJudgeOutcome(t *testing.T) {
	assert.Equal(t, answered, judge("a", "a", nil))
	assert.Equal(t, failed, judge("a", "b", nil))
	assert.Equal(t, failed, judge("a", "a", errors.New("x")))
	assert.Equal(t, failed, judge("a", "a", context.Canceled))
	assert.Equal(t, timedOut, judge("a", "a", context.DeadlineExceeded))
	assert.Equal(t, timedOut, judge("", "a", &net.OpError{Err: &net.DNSError{IsTimeout: true}}))
}

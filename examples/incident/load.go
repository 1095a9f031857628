package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// pace is the time between two requests to one server. The load is open:
	// like users, it does not wait for the answers to others.
	pace = 4 * time.Millisecond
	// healthEvery makes every tenth request a health check.
	healthEvery = 10
)

// send is the client: it sends n requests of a phase and returns when all have
// ended. After ctx is done it sends no more, and those on the way are cut off.
func (s *server) send(ctx context.Context, phase, n int) {
	var requests sync.WaitGroup
	defer requests.Wait()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := range n {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		requests.Go(func() { s.request(ctx, phase, i) })
	}
}

func (s *server) request(ctx context.Context, phase, i int) {
	ctx, cancel := patience(ctx, s.timeout)
	defer cancel(nil)
	text := fmt.Sprintf("%s-%d", phases[phase].name, i)
	path, want := "/v1/echo?text="+text, text
	health := i%healthEvery == healthEvery-1
	if health {
		path, want = "/v1/healthCheck", healthy
	}
	start := time.Now()
	code, body, err := s.get(ctx, path)
	switch {
	case err != nil && context.Cause(ctx) == errTimeout:
		err = errTimeout
	case err == nil && (code != http.StatusOK || body != want):
		err = fmt.Errorf("status %d, %q", code, body)
	}
	s.phases[phase].add(health, err, time.Since(start))
}

func (s *server) get(ctx context.Context, path string) (code int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

var errTimeout = errors.New("no answer within the timeout")

// patience returns a context that ends after timeout, measured in 20 steps, of
// which each begins when this process has seen the end of the one before. On a
// machine that stops the process, or is slow to run it, the steps are longer: a
// client in the process of its server must not give up on it for that.
func patience(ctx context.Context, timeout time.Duration) (context.Context, context.CancelCauseFunc) {
	const steps = 20
	ctx, cancel := context.WithCancelCause(ctx)
	var wait func(left int)
	wait = func(left int) {
		switch {
		case left == 0:
			cancel(errTimeout)
		case ctx.Err() == nil:
			time.AfterFunc(timeout/steps, func() { wait(left - 1) })
		}
	}
	wait(steps)
	return ctx, cancel
}

// counts of requests: Sent == Answered + TimedOut + Failed. The health checks
// among them are counted a second time.
type counts struct {
	Sent     int `json:"sent"`
	Answered int `json:"answered"` // in time, with the right answer
	TimedOut int `json:"timed_out"`
	Failed   int `json:"failed"` // refused, cut off, or answered wrongly
	Health   int `json:"health_checks"`
	HealthOK int `json:"health_checks_answered"`
}

// wait is how long the client waited, over all requests that have ended. It
// includes those that timed out, which would otherwise not show.
type wait struct {
	P50 time.Duration `json:"p50_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

// tally counts the requests of one phase to one server that have ended.
type tally struct {
	mu     sync.Mutex
	counts counts
	waited []time.Duration
}

func (t *tally) add(health bool, err error, waited time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.counts
	c.Sent++
	switch err {
	case nil:
		c.Answered++
	case errTimeout:
		c.TimedOut++
	default:
		c.Failed++
	}
	if health {
		c.Health++
		if err == nil {
			c.HealthOK++
		}
	}
	t.waited = append(t.waited, waited)
}

func (t *tally) now() (counts, wait) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.waited)
	return t.counts, wait{
		quantile(t.waited, 50), quantile(t.waited, 99), quantile(t.waited, 100),
	}
}

// quantile returns the smallest value that at least percent of all values do
// not exceed (the nearest rank). Without values it is zero.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// pace is the time between two requests to one server: the load is open, it
// does not wait for answers, as users do not wait for each other.
const pace = 4 * time.Millisecond

// healthEvery is which of the requests are health checks.
const healthEvery = 10

// load is the client of one server.
type load struct {
	client  *http.Client
	url     string
	timeout time.Duration
}

func newLoad(url string, timeout time.Duration) *load {
	return &load{
		client:  &http.Client{Transport: &http.Transport{}},
		url:     url,
		timeout: timeout,
	}
}

func (l *load) close() { l.client.CloseIdleConnections() }

// send sends n requests of a phase and returns when the last one has ended.
// If ctx is cancelled it sends no more, and those on the way are cut off.
func (l *load) send(ctx context.Context, phase string, n int, t *tally) {
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
		requests.Go(func() { l.one(ctx, phase, i, t) })
	}
}

func (l *load) one(ctx context.Context, phase string, i int, t *tally) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	text := fmt.Sprintf("%s-%d", phase, i)
	path, want := "/v1/checksum?text="+url.QueryEscape(text), sum(text)
	health := i%healthEvery == healthEvery-1
	if health {
		path, want = "/v1/healthCheck", healthy
	}
	t.sent(health)
	start := time.Now()
	body, err := l.get(ctx, path)
	t.ended(health, judge(body, want, err), time.Since(start))
}

func judge(body, want string, err error) outcome {
	var net net.Error
	switch {
	case errors.As(err, &net) && net.Timeout():
		return timedOut
	case err != nil || body != want:
		return failed
	}
	return answered
}

func (l *load) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", l.url+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return string(body), err
}

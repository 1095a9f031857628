package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/chanx/doctor"
)

// fetcher gets profiles from servers, any number of them at once.
type fetcher struct {
	client   *http.Client
	timeout  time.Duration // a server may be silent for so long
	header   http.Header
	progress *progress
}

// newFetcher has connections of its own, because close must be able to end
// them without ending anybody else's.
func newFetcher(timeout time.Duration, header http.Header,
	p *progress) *fetcher {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &fetcher{&http.Client{Transport: transport}, timeout, header, p}
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

// errSilent is why a request ended whose server stopped sending.
var errSilent = errors.New("silent for too long")

// statusError is an answer that is none.
type statusError struct{ code int }

func (e statusError) Error() string {
	text := fmt.Sprintf("answered %d %s", e.code, http.StatusText(e.code))
	switch e.code {
	case http.StatusNotFound:
		return text + `: import _ "net/http/pprof" in the program, or give the ` +
			"URL of the profile itself"
	case http.StatusUnauthorized, http.StatusForbidden:
		return text + ": give -header 'Authorization: …' or http://USER:PASSWORD@HOST"
	}
	return text
}

// do sends one request and hands the body to read. The bound is on silence,
// not on the whole, since a large dump over a slow line is in order; ten
// times as long is not, or a server that drips could hold us for ever.
func (f *fetcher) do(ctx context.Context, method, url, body string,
	read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*f.timeout)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	timer := time.AfterFunc(f.timeout, func() { end(errSilent) })
	defer timer.Stop()

	req, err := http.NewRequestWithContext(ctx, method, url,
		strings.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range f.header {
		req.Header[name] = values
	}
	if host := f.header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return f.why(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return statusError{resp.StatusCode}
	}
	err = read(f.progress.reader(awake{resp.Body, timer, f.timeout}))
	return f.why(ctx, err)
}

// awake puts the timer off as long as data arrives.
type awake struct {
	io.Reader
	timer   *time.Timer
	timeout time.Duration
}

func (a awake) Read(b []byte) (int, error) {
	n, err := a.Reader.Read(b)
	if n > 0 {
		a.timer.Reset(a.timeout)
	}
	return n, err
}

// why makes what net/http says of a failure into what the person can use.
func (f *fetcher) why(ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errSilent):
		return unanswered{fmt.Errorf("did not answer within %v", f.timeout)}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return unanswered{fmt.Errorf("was still sending after %v", 10*f.timeout)}
	case errors.Is(ctx.Err(), context.Canceled):
		return errors.New("interrupted")
	case errors.As(err, &op) && op.Op == "dial":
		return unanswered{fmt.Errorf("cannot be reached: %w", op.Err)}
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err // the target is named already
	}
	return err
}

// unanswered is the failure of a server that is down or hangs, as opposed to
// one that says no.
type unanswered struct{ error }

// get fetches and decodes one profile.
func (f *fetcher) get(ctx context.Context, u *url.URL,
	target string) ([]*doctor.Snapshot, error) {
	var snaps []*doctor.Snapshot
	taken := time.Now()
	var bad error
	err := f.do(ctx, http.MethodGet, u.String(), "", func(body io.Reader) error {
		snaps, bad = decode(body, target, &anchors{})
		return bad
	})
	for _, s := range snaps {
		if s.Taken.IsZero() {
			s.Taken = taken
		}
	}
	if bad != nil && errors.Is(err, bad) {
		return nil, bad // has the target already
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	return snaps, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"example.com/chanx/doctor"
)

// server is a target that is asked over HTTP.
type server struct {
	fetch *fetcher
	form  string // auto, 0, 1, 2
	stop  int    // most goroutines for a dump that stops the process
	url   *url.URL
	name  string // without a password
}

// look takes one snapshot, or several if the URL is of a file that has them.
func (s *server) look(ctx context.Context) ([]*doctor.Snapshot, error) {
	u := *s.url
	asked := u.Query().Has("debug")
	dir, last := path.Split(strings.TrimSuffix(u.Path, "/"))
	switch {
	case last == "goroutine" || last == "goroutineleak":
		if asked {
			return s.named(ctx, &u)
		}
		return s.best(ctx, &u)
	case last == "" || last == "pprof":
		u.Path = strings.TrimSuffix(dir, "debug/")
		return s.best(ctx, profileOf(&u))
	}
	// A file with a dump in it, or a server below a prefix.
	snaps, err := s.named(ctx, s.url)
	if status := (statusError{}); errors.Is(err, doctor.ErrNoDump) ||
		errors.As(err, &status) && status.code == http.StatusNotFound {
		if below, e := s.best(ctx, profileOf(&u)); e == nil {
			return below, nil
		}
	}
	return snaps, err
}

// profileOf returns where the server at u has its goroutine profile.
func profileOf(u *url.URL) *url.URL {
	p := u.JoinPath("debug/pprof/goroutine")
	p.RawQuery, p.Fragment = "", ""
	return p
}

// best takes the form that says most at a bearable price. The protobuf form
// comes first, because it stops the process only for a moment and has the
// number of goroutines; if those are not too many, the form with states,
// waiting times and ids is worth stopping the process for, which it does for
// as long as it takes to write all stacks. A handler that knows only one form
// sends that, whatever was asked for.
func (s *server) best(ctx context.Context,
	u *url.URL) ([]*doctor.Snapshot, error) {
	if s.form != "auto" {
		return s.named(ctx, inForm(u, s.form))
	}
	short, err := s.named(ctx, inForm(u, "0"))
	var silent unanswered
	var status statusError
	switch {
	case errors.As(err, &silent) || errors.As(err, &status):
		return nil, err
	case err != nil || short[0].Goroutines <= s.stop:
		full, e := s.named(ctx, inForm(u, "2"))
		if e == nil && !full[len(full)-1].Truncated {
			return full, nil
		}
	}
	if err != nil {
		return s.named(ctx, inForm(u, "1"))
	}
	return short, nil
}

func inForm(u *url.URL, form string) *url.URL {
	c := *u
	q := c.Query()
	q.Set("debug", form)
	c.RawQuery = q.Encode()
	return &c
}

// named takes what is at u and has the server name the addresses in it.
func (s *server) named(ctx context.Context,
	u *url.URL) ([]*doctor.Snapshot, error) {
	snaps, err := s.fetch.get(ctx, u, s.name)
	if err != nil {
		return nil, err
	}
	for _, snap := range snaps {
		s.resolve(ctx, snap, u)
	}
	return snaps, nil
}

// parseURL accepts what begins like a URL.
func parseURL(target string) (*url.URL, bool, error) {
	if !strings.HasPrefix(target, "http://") &&
		!strings.HasPrefix(target, "https://") {
		return nil, false, nil
	}
	u, err := url.Parse(target)
	if err == nil && u.Host == "" {
		err = errors.New("no host in it")
	}
	if err != nil {
		return nil, true, fmt.Errorf("%s: not a URL: %w", target, err)
	}
	return u, true, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// server is a target that is asked over HTTP.
type server struct {
	fetch *fetcher
	form  string // auto, 0, 1, 2
	stop  int    // most goroutines for a dump that stops the process
	url   *url.URL
	name  string // without a password

	found *way // where the last look found something
	leaks leaks
}

// look takes one snapshot, or several if the URL is of a file that has them,
// or the report of a service that serves only its own.
func (s *server) look(ctx context.Context) (input, error) {
	dir, last := path.Split(strings.TrimSuffix(s.url.Path, "/"))
	switch {
	case last == "goroutine" || last == "goroutineleak":
		u := *s.url
		u.Path, u.RawPath = dir+last, ""
		if u.Query().Has("debug") {
			return s.named(ctx, &u)
		}
		return s.best(ctx, &u)
	case path.Base(dir) == "pprof" && slices.Contains(otherProfiles, last):
		return input{}, fmt.Errorf("%s: the profile %s has no goroutines: give %s",
			s.name, last, s.url.JoinPath("../goroutine").Redacted())
	case last == "pprof":
		// A proxy may have it below another path than the program.
		base := *s.url
		base.Path = strings.TrimSuffix(dir, "debug/")
		return s.first(ctx, way{at(s.url.JoinPath("goroutine"), ""), (*server).best},
			profiles(&base), own(s.url))
	case last == "":
		return s.first(ctx, profiles(s.url), mounted(s.url))
	case path.Ext(last) != "":
		return s.first(ctx, exactly(s.url), profiles(s.url))
	}
	// A server below a prefix, a handler, or a file without a suffix. The
	// profile comes first: any other path may belong to the application, which
	// hangs.
	return s.first(ctx, profiles(s.url), own(s.url), exactly(s.url),
		mounted(s.url))
}

// otherProfiles are the ones of [runtime/pprof] and net/http/pprof that have
// no goroutines.
var otherProfiles = []string{"allocs", "block", "cmdline", "heap", "mutex",
	"profile", "symbol", "threadcreate", "trace"}

// way is one URL at which a server may have a profile or a report, and how to
// ask for it.
type way struct {
	url *url.URL
	ask func(*server, context.Context, *url.URL) (input, error)
}

// profiles returns the URL of the goroutine profile of the server at u.
func profiles(u *url.URL) way {
	return way{at(u.JoinPath("debug/pprof/goroutine"), ""), (*server).best}
}

// exactly returns u itself: a file with a dump in it.
func exactly(u *url.URL) way { return way{u, (*server).named} }

// own returns u as the URL of a [doctor.Handler].
func own(u *url.URL) way { return way{at(u, "format=json"), (*server).report} }

// mounted returns the URL at which the documentation of [doctor.Handler] mounts it.
func mounted(u *url.URL) way {
	return own(u.JoinPath("debug/chanx/"))
}

// first tries one way after the other while the server answers that there is
// nothing. The error is that of the first way: the others are guesses.
func (s *server) first(ctx context.Context, ways ...way) (input, error) {
	if s.found != nil {
		ways = []way{*s.found}
	}
	var first error
	for _, w := range ways {
		in, err := w.ask(s, ctx, w.url)
		if err == nil {
			s.found = &w
			return in, nil
		}
		if first == nil {
			first = err
		}
		if silent := (unanswered{}); errors.As(err, &silent) || ctx.Err() != nil {
			return input{}, err
		}
	}
	return input{}, first
}

// at returns u with another query.
func at(u *url.URL, query string) *url.URL {
	c := *u
	c.RawQuery, c.Fragment = query, ""
	return &c
}

// best takes the most detailed form at an acceptable cost. The protobuf form
// comes first: it stops the process only for a moment and has the number of
// goroutines. If they are not too many, it takes the form with states, waiting
// times and ids, which stops the process until all stacks are written. A handler
// with only one form sends that, regardless of the request.
func (s *server) best(ctx context.Context, u *url.URL) (input, error) {
	if s.form != "auto" {
		in, err := s.named(ctx, inForm(u, s.form))
		if err == nil {
			s.leaks.ask(ctx, s, u)
			s.leaks.mark(in.snaps)
		}
		return in, err
	}
	short, err := s.named(ctx, inForm(u, "0"))
	var silent unanswered
	var status statusError
	if errors.As(err, &silent) || errors.As(err, &status) || ctx.Err() != nil {
		return short, err // after an interrupt, the part that has been read
	}
	if err == nil && short.snaps[len(short.snaps)-1].Truncated {
		return short, nil // a handler with only one form, which it cut
	}
	s.leaks.ask(ctx, s, u)
	if err != nil || short.snaps[0].Goroutines <= s.stop {
		full, e := s.named(ctx, inForm(u, "2"))
		if e == nil && !full.snaps[len(full.snaps)-1].Truncated {
			s.leaks.mark(full.snaps)
			return full, nil
		}
	}
	if err != nil {
		short, err = s.named(ctx, inForm(u, "1"))
	}
	s.leaks.mark(short.snaps)
	return short, err
}

func inForm(u *url.URL, form string) *url.URL {
	q := u.Query()
	q.Set("debug", form)
	return at(u, q.Encode())
}

// named takes the profile at u and has the server name the addresses in it.
func (s *server) named(ctx context.Context, u *url.URL) (input, error) {
	snaps, err := s.fetch.profile(ctx, u, s.name)
	for _, snap := range snaps {
		s.resolve(ctx, snap, u)
	}
	return input{snaps: snaps}, err
}

// report takes the report of a service that mounts only [doctor.Handler], with
// stacks and waiting times unless it has too many goroutines.
func (s *server) report(ctx context.Context, u *url.URL) (input, error) {
	in, err := s.fetch.get(ctx, u, s.name)
	if err != nil || in.report == nil {
		return in, err
	}
	if in.report.Goroutines <= s.stop {
		full, err := s.fetch.get(ctx, at(u, u.RawQuery+"&stacks=1"), s.name)
		if err == nil && full.report != nil {
			return full, nil
		}
	}
	return in, nil
}

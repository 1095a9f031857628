package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"example.com/chanx/doctor"
)

// target is one argument: a server, a file, or - for standard input.
type target struct {
	name   string
	server *server // nil: a file
	snaps  []*doctor.Snapshot
	report *doctor.Report // of a service that judges itself, instead of snaps
	err    error          // of the last look

	anchors anchors // of a file
	shared  *sharing
}

// seen reports whether the target has ever shown anything.
func (t *target) seen() bool { return len(t.snaps) > 0 || t.report != nil }

// newTargets parses all arguments before it opens anything, so that a mistake in
// the last one costs nothing.
func newTargets(o *options, f *fetcher) ([]*target, error) {
	var targets []*target
	stdin := false
	named := make(map[string]bool)
	for _, arg := range o.targets {
		u, err := parseURL(arg)
		if err != nil {
			return nil, err
		}
		t := &target{name: arg, shared: f.shared}
		switch {
		case isSocket(arg):
			t.server = &server{fetch: f.through(arg), form: o.form, stop: o.maxStop,
				url: &url.URL{Scheme: "http", Host: "localhost", Path: "/"}, name: arg}
		case u != nil:
			t.name = u.Redacted()
			t.server = &server{fetch: f, form: o.form, stop: o.maxStop, url: u,
				name: t.name}
			if named[u.String()] {
				continue // as from a list made by another program
			}
			named[u.String()] = true
		case arg == "-":
			t.name = "standard input"
			if stdin {
				return nil, errors.New("-: standard input can be read only once")
			}
			stdin = true
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// parseURL returns nil for a file. A server may be given without its scheme, as
// 127.0.0.1:6060, unless a file has that name.
func parseURL(arg string) (*url.URL, error) {
	if scheme, _, ok := strings.Cut(arg, "://"); ok && !isURL(arg) {
		if scheme == "unix" {
			return nil, fmt.Errorf("%s: give the path of the socket alone", arg)
		}
		return nil, fmt.Errorf("%s: no scheme %q: want http or https, with "+
			"-insecure for any certificate", redacted(arg), scheme)
	}
	if !isURL(arg) {
		_, err := os.Lstat(arg)
		if err == nil || !isServer(arg) {
			return nil, nil
		}
		if arg[0] == ':' {
			arg = "localhost" + arg
		}
		arg = "http://" + arg
	}
	u, err := url.Parse(zone.ReplaceAllString(arg, "$1%25$2"))
	if err == nil && u.Hostname() == "" {
		err = errors.New("no host in it")
	}
	if err == nil {
		return u, nil
	}
	// The error quotes the part that is malformed, which may be the password.
	if strings.Contains(arg, "@") {
		return nil, fmt.Errorf("%s: not a URL: is there a character in the "+
			"password that must be written as %%XX?", redacted(arg))
	}
	if e := (*url.Error)(nil); errors.As(err, &e) {
		err = e.Err
	}
	return nil, fmt.Errorf("%s: not a URL: %w", arg, err)
}

// zone finds the zone of an IPv6 address as every other tool writes it, as in
// [fe80::1%eth0]; a URL has %25 there.
var zone = regexp.MustCompile(`(//(?:[^/]*@)?\[[0-9a-fA-F:.]+)%([^]25][^]]*\])`)

// isSocket reports whether arg is a Unix socket, as Docker's.
func isSocket(arg string) bool {
	info, err := os.Stat(arg)
	return err == nil && info.Mode()&fs.ModeSocket != 0
}

func isURL(arg string) bool {
	scheme, _, ok := strings.Cut(arg, "://")
	scheme = strings.ToLower(scheme)
	return ok && (scheme == "http" || scheme == "https")
}

// isServer reports whether arg looks like HOST:PORT, with or without a path,
// or like the path of a profile on a host.
func isServer(arg string) bool {
	host, path, _ := strings.Cut(arg[strings.LastIndexByte(arg, '@')+1:], "/")
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return host != "" && host[0] != '.' &&
			strings.HasPrefix(path, "debug/pprof")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// redacted returns arg without a password, however malformed arg is.
func redacted(arg string) string {
	scheme, rest, ok := strings.Cut(arg, "://")
	if ok {
		scheme += "://"
	} else {
		scheme, rest = "", arg
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = "xxxxx" + rest[i:]
	}
	return scheme + rest
}

// look adds a snapshot of the target, or replaces its report.
func (t *target) look(ctx context.Context, c *console, p *progress) {
	var in input
	switch {
	case t.server != nil:
		in, t.err = t.server.look(ctx)
	case t.name == "standard input":
		if _, ok := terminal(c.stdin); ok {
			c.say("reading from the terminal; paste a dump and end it with " +
				"Ctrl-D, or give a file or a URL")
		}
		stdin := p.reader(interruptible(ctx, c.stdin))
		in, t.err = readInput(stdin, t.name, &t.anchors)
	default:
		in, t.err = readFile(ctx, t.name, &t.anchors, p)
	}
	t.shared.share(in.snaps)
	t.snaps = append(t.snaps, in.snaps...)
	if in.report != nil {
		t.report = in.report // the service has compared it with earlier ones
	}
}

func readFile(ctx context.Context, name string, known *anchors,
	p *progress) (input, error) {
	f, err := open(ctx, name)
	if err != nil {
		why, remedy := err, ""
		if e := (*fs.PathError)(nil); errors.As(err, &e) {
			why = e.Err
		}
		if errors.Is(err, fs.ErrNotExist) {
			remedy = remedyFor(name)
			if strings.Contains(name, ":") {
				name = redacted(name)
			}
		}
		return input{}, fmt.Errorf("%s: %w%s", name, why, remedy)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return input{}, fmt.Errorf("%s: a directory: name the files in it", name)
	}
	in, err := readInput(p.reader(interruptible(ctx, f)), name, known)
	for _, s := range in.snaps {
		if s.Taken.IsZero() && info != nil {
			s.Taken = info.ModTime()
		}
	}
	return in, err
}

// remedyFor returns what a name that is no file may have been meant for.
func remedyFor(name string) string {
	host, _, _ := strings.Cut(name[strings.LastIndexByte(name, '@')+1:], "/")
	before, port, _ := strings.Cut(host, ":")
	_, err := strconv.Atoi(port)
	_, pid := strconv.Atoi(name)
	switch {
	case pid == nil:
		return ": a process is not read by its id: kill -QUIT " + name + " ends it " +
			"and makes it write its goroutines to its standard error"
	case net.ParseIP(host) != nil && strings.Contains(port, ":"):
		return ": an IPv6 server is given as [ADDRESS]:PORT"
	case before != "" && err == nil:
		return ", and " + port + " is no port: want 1 to 65535"
	}
	return ": a server is given as HOST:PORT or http://HOST:PORT"
}

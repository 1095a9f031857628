package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"example.com/chanx/doctor"
)

// target is one argument: a server, a file, or - for standard input.
type target struct {
	name   string
	server *server // nil: a file
	snaps  []*doctor.Snapshot
	err    error // of the last look

	anchors anchors // of a file
}

// newTargets understands the arguments before anything is opened, so that a
// mistake in the last one costs nothing.
func newTargets(o *options, f *fetcher) ([]*target, error) {
	var targets []*target
	stdin := false
	for _, arg := range o.targets {
		u, isURL, err := parseURL(arg)
		if err != nil {
			return nil, err
		}
		t := &target{name: arg}
		if isURL {
			t.name = u.Redacted()
			t.server = &server{f, o.form, o.maxStop, u, t.name}
		}
		if arg == "-" {
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

// look adds what the target shows now.
func (t *target) look(ctx context.Context, c *console, p *progress) {
	var snaps []*doctor.Snapshot
	switch {
	case t.server != nil:
		snaps, t.err = t.server.look(ctx)
	case t.name == "standard input":
		if _, ok := terminal(c.stdin); ok {
			c.say("reading from the terminal; paste a dump and end it with " +
				"Ctrl-D, or give a file or a URL")
		}
		snaps, t.err = decode(p.reader(c.stdin), t.name, &t.anchors)
	default:
		snaps, t.err = readFile(t.name, &t.anchors, p)
	}
	t.snaps = append(t.snaps, snaps...)
}

func readFile(name string, known *anchors,
	p *progress) ([]*doctor.Snapshot, error) {
	f, err := os.Open(name)
	if err != nil {
		remedy := ""
		if errors.Is(err, fs.ErrNotExist) {
			remedy = ": a server is given as http://HOST:PORT"
		}
		return nil, fmt.Errorf("%s: %w%s", name, errors.Unwrap(err), remedy)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: a directory: name the files in it", name)
	}
	snaps, err := decode(p.reader(f), name, known)
	for _, s := range snaps {
		if s.Taken.IsZero() && info != nil {
			s.Taken = info.ModTime()
		}
	}
	return snaps, err
}

package main

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/chanx/doctor"
)

const (
	// askAtOnce servers are waited for at the same time: few enough for the file
	// descriptors of a container, enough for a fleet that hangs. A thousand that
	// do not answer within 30 s take two minutes; with readAtOnce it was a quarter
	// of an hour.
	askAtOnce = 256

	// readAtOnce answers or files are read at the same time. It bounds memory.
	readAtOnce = 32
)

// lookAll looks at every target once.
func lookAll(ctx context.Context, targets []*target, c *console,
	p *progress) {
	var all, files, servers errgroup.Group
	files.SetLimit(readAtOnce)
	servers.SetLimit(askAtOnce)
	all.Go(func() error {
		for _, t := range targets {
			if t.server == nil {
				files.Go(func() error { t.look(ctx, c, p); return nil })
			}
		}
		return files.Wait()
	})
	for _, t := range targets {
		if t.server != nil {
			servers.Go(func() error {
				t.look(ctx, c, p)
				p.answered(time.Now())
				return nil
			})
		}
	}
	servers.Wait()
	all.Wait()
}

// watch looks at the servers again every so often until the time is over or
// ctx is done, and keeps the looks until then. The last look is at the end of
// the time, so that there is always one to compare with the first. A server
// that has never answered is not asked again: there is nothing to compare.
func watch(ctx context.Context, o *options, targets []*target, c *console,
	p *progress) {
	var servers []*target
	for _, t := range targets {
		if t.server != nil && t.seen() {
			servers = append(servers, t)
		}
	}
	if o.every <= 0 || len(servers) == 0 {
		return
	}
	p.look(1, targets, time.Now())
	next := time.Now()
	end := next.Add(o.length)
	for n := 2; n == 2 || next.Before(end) && time.Now().Before(end); n++ {
		next = later(next.Add(o.every), time.Now())
		if next.After(end) {
			next = end
		}
		if !sleepUntil(ctx, next) {
			return
		}
		before := make([]error, len(servers))
		for i, t := range servers {
			before[i] = t.err
		}
		lookAll(ctx, servers, c, p)
		if ctx.Err() != nil {
			for i, t := range servers {
				t.err = before[i] // this program has given up, not the server
			}
			return
		}
		p.look(n, targets, time.Now())
	}
}

// later returns the later of two times: looks that take longer than -every are
// not made up for.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// sleepUntil reports false if ctx is done first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// instances decides which snapshots are of one process. Servers are one each,
// over however many looks. Files are one process over time if they look like
// the same program, and so is a file given with one server: an earlier dump to
// compare with. Taking two processes for one would hide the findings
// of the first, so unlike files are a process each.
func instances(as string, targets []*target) (series bool) {
	var last *target
	for _, t := range targets {
		for _, s := range t.snaps {
			s.Instance = t.name + ownProcess(s)
		}
	}
	if as == "fleet" || as == "auto" && servers(targets) > 1 {
		return false
	}
	for _, t := range targets {
		if len(t.snaps) == 0 {
			continue
		}
		if last != nil && (as == "series" || alike(last, t)) {
			for _, s := range t.snaps {
				s.Instance = last.snaps[0].Instance + ownProcess(s)
			}
			series = true
		}
		last = t
	}
	return series
}

// ownProcess returns the suffix that package doctor adds to the target for a
// further process in the same input, as after a restart.
func ownProcess(s *doctor.Snapshot) string {
	if i := strings.LastIndex(s.Instance, " (process "); i >= 0 {
		return s.Instance[i:]
	}
	return ""
}

func servers(targets []*target) int {
	n := 0
	for _, t := range targets {
		if t.server != nil {
			n++
		}
	}
	return n
}

// alike reports whether two targets show the same program: most functions of
// the one that has fewer are in the other as well. One without any, all of
// whose goroutines are the runtime's, fits everywhere.
func alike(a, b *target) bool {
	x, y := functions(a), functions(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	common := 0
	for f := range x {
		if y[f] {
			common++
		}
	}
	return 2*common >= len(x)
}

// functions returns those that tell programs apart: with a dot in the first
// element of their path, or below main but for main.main, which all have.
func functions(t *target) map[string]bool {
	found := make(map[string]bool)
	for _, snap := range t.snaps {
		for _, stack := range snap.Stacks {
			for _, f := range stack.Frames {
				first, _, path := strings.Cut(f.Func, "/")
				if path && strings.Contains(first, ".") ||
					strings.HasPrefix(f.Func, "main.") && f.Func != "main.main" {
					found[f.Func] = true
				}
			}
		}
	}
	return found
}

// snapshots returns all of them, files before servers: a saved dump is older
// than a live process.
func snapshots(targets []*target) []*doctor.Snapshot {
	var files, live []*doctor.Snapshot
	for _, t := range targets {
		if t.server != nil {
			live = append(live, t.snaps...)
		} else {
			files = append(files, t.snaps...)
		}
	}
	return append(files, live...)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"strings"

	"example.com/chanx/doctor"
)

// leaks are the goroutines that the garbage collector of a server has proved to
// be blocked forever. The server is asked once, however often it is looked at:
// the goroutines stay blocked, and the answer costs a collection.
type leaks struct {
	asked bool
	count map[string]int // by stack
	err   error          // the server hung during the collection
}

// ask fetches the goroutineleak profile next to the profile at u. A server
// without one, as before Go 1.27, answers with an error.
func (l *leaks) ask(ctx context.Context, s *server, u *url.URL) {
	dir, last := path.Split(strings.TrimSuffix(u.Path, "/"))
	if l.asked || last != "goroutine" {
		return
	}
	l.asked = true
	leak := *u
	leak.Path, leak.RawPath = dir+"goroutineleak", ""
	in, err := s.fetch.get(ctx, inForm(&leak, "0"), s.name)
	if silent := (unanswered{}); errors.As(err, &silent) {
		l.err = fmt.Errorf("goroutineleak: %w", silent)
	}
	l.count = make(map[string]int)
	for _, snap := range in.snaps {
		for _, stack := range snap.Stacks {
			if stack.Leaked {
				l.count[stackKey(stack)] += stack.Count
			}
		}
	}
}

// mark marks the leaked goroutines among those of a profile. A dump with
// waiting times marks its own, once the leak profile has been taken.
func (l *leaks) mark(snaps []*doctor.Snapshot) {
	for _, snap := range snaps {
		if l.err != nil {
			snap.Unreadable++
			snap.Troubles = append(snap.Troubles, doctor.Trouble{Why: l.err.Error()})
		}
		left := maps.Clone(l.count)
		for _, stack := range snap.Stacks {
			if len(left) > 0 && stack.Leaked {
				left[stackKey(stack)] -= stack.Count
			}
		}
		for _, stack := range snap.Stacks {
			if len(left) == 0 || stack.Leaked {
				continue
			}
			key := stackKey(stack)
			switch n := left[key]; {
			case n >= stack.Count:
				stack.Leaked = true
				left[key] -= stack.Count
			case n > 0 && !hasMembers(stack):
				// Some of them are leaked; the others may still continue.
				leaked := *stack
				leaked.Count, leaked.Leaked = n, true
				stack.Count -= n
				snap.Stacks = append(snap.Stacks, &leaked)
				delete(left, key)
			}
		}
	}
}

// hasMembers reports whether s is of a dump, which has each goroutine.
func hasMembers(s *doctor.Stack) bool {
	for range s.Members() {
		return true
	}
	return false
}

// stackKey identifies a stack in any form of profile: text leaves out the
// runtime's calls at its end.
func stackKey(s *doctor.Stack) string {
	var b strings.Builder
	for _, f := range s.Frames {
		if f.Func != "" && !strings.HasPrefix(f.Func, "runtime.") {
			fmt.Fprintf(&b, "%s\n%s\n%d\n", f.Func, f.File, f.Line)
		}
	}
	return b.String()
}

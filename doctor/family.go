package doctor

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"
)

// orphans returns how many of the goroutines of s were created by one that is in
// no stack any more.
func (g *graph) orphans(s *site) int {
	n := 0
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			if parent, known := g.ids[m.Parent]; known && parent.stack == nil &&
				m.Parent != 0 {
				n++
			}
		}
	}
	return n
}

// families links goroutines that wait for a WaitGroup or a result with those
// that they created.
func (g *graph) families(stacks []*Stack) {
	groups := g.groupCalls(stacks)
	for _, stack := range stacks {
		at := g.sc.of[stack]
		wait := -1
		if at.op == WaitGroup && !at.design && len(groups) > 0 {
			wait = frameOf(stack, groupWait)
		}
		for i := range stack.members.len() {
			r := ref{stack, i}
			if c, ok := groups[g.groupOf(r, wait, wait+1)]; ok {
				g.edge(g.node(r), g.node(c), toEnd)
			}
			switch {
			case at.design:
			case at.op == WaitGroup, at.op == ChanReceive:
				if child, ok := g.child(r, at.op); ok {
					g.edge(g.node(r), g.node(child), toEnd)
				} else if worker, known, ok := g.joined(r); ok && at.op == WaitGroup {
					g.joins(g.node(r), g.node(worker), known)
				}
			}
		}
	}
}

// parent returns the goroutine that created r, if it still runs the function
// that did, and is not one that only accepts connections.
func (g *graph) parent(r ref) (ref, bool) {
	p := g.ids[r.member().Parent]
	if p.stack == nil || g.sc.of[p.stack].design {
		return ref{}, false
	}
	// A function that was started by its name may serve any caller; a literal
	// has the variables of the function that it is written in.
	last := lastUser(r.stack)
	if last == len(r.stack.Frames) {
		return ref{}, false
	}
	literal := r.stack.Frames[last].Func
	if declared(literal) == literal || strings.Contains(literal, ".gowrap") ||
		!created(p.stack, r.stack) {
		return ref{}, false
	}
	for _, f := range p.stack.Frames {
		if declared(f.Func) == declared(literal) {
			return p, true
		}
	}
	return ref{}, false
}

// collectors links blocked senders with the goroutines that started them to
// collect the results.
func (g *graph) collectors(s *site) {
	for _, stack := range s.stacks {
		for i := range stack.members.len() {
			r := ref{stack, i}
			if parent, ok := g.parent(r); ok && g.collects(parent, s) {
				g.edge(g.node(r), g.node(parent), toReceive)
			}
		}
	}
}

// collects reports whether the goroutine that created the senders of a site
// is who should receive from them: it is not parked, which the runtime rules
// out, and if it waits for their end, none of its other children is at work.
func (g *graph) collects(parent ref, senders *site) bool {
	at := g.sc.of[parent.stack]
	if parked(at.op) || at == senders {
		return false
	}
	for _, c := range g.born[parent.member().ID] {
		other := g.sc.of[c.stack]
		if other != senders && !parked(other.op) {
			return false
		}
	}
	return true
}

// created reports whether a call of parent started child.
func created(parent, child *Stack) bool {
	by := child.CreatedBy.Func
	switch by {
	case "":
		return false
	case "golang.org/x/sync/errgroup.(*Group).Go", "sync.(*WaitGroup).Go",
		"golang.org/x/sync/errgroup.(*Group).TryGo":
		return true
	}
	if isStd(by) {
		return false
	}
	for _, f := range parent.Frames {
		if f.Func == by || declared(f.Func) == declared(by) {
			return true
		}
	}
	return false
}

// child returns the child of r that most likely keeps it waiting: one that is
// stuck, the longest first; for a WaitGroup any that does not wait for work.
func (g *graph) child(r ref, op Operation) (ref, bool) {
	best, rank := ref{}, -1
	children := g.born[r.member().ID]
	if len(children) == 0 && op == WaitGroup {
		children = g.handed(r)
	}
	for _, c := range children {
		at := g.sc.of[c.stack]
		if at.design || !created(r.stack, c.stack) {
			continue
		}
		rankOf := int(c.member().Minutes)
		switch {
		case op == ChanReceive && at.op == WaitGroup &&
			userCall(c.stack) == lastUser(c.stack):
			continue // it waits for the same end, to tell of it
		case stuckIn(at.op) || at.resource != "":
			rankOf += math.MaxInt / 2
		case op == ChanReceive || parked(at.op):
			continue
		}
		if rankOf > rank {
			best, rank = c, rankOf
		}
	}
	return best, rank >= 0
}

// handed returns the goroutines that were started with the WaitGroup that r waits
// for as an argument: before Go 1.21 a traceback does not say who created them.
func (g *graph) handed(r ref) []ref {
	if g.given == nil {
		g.given = make(map[uint64][]ref)
		for object, calls := range g.inside {
			for _, c := range calls {
				if c.arg && int(c.frame) == lastUser(c.stack) {
					g.given[object] = append(g.given[object], ref{c.stack, int(c.i)})
				}
			}
		}
	}
	if len(g.given) == 0 {
		return nil // reading the words of r is what costs
	}
	return g.given[g.targetOf(r).lock]
}

// workers returns how many goroutines are alive whose end the goroutines of s may
// wait for: those started by them, or by the goroutine that created them.
func (g *graph) workers(s *site) int {
	n := 0
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			n += len(g.born[m.ID])
			if m.Parent == 0 {
				continue
			}
			for _, sibling := range g.born[m.Parent] {
				if g.sc.of[sibling.stack] != s {
					n++
				}
			}
		}
	}
	return n
}

// The calls of an errgroup whose first word is the group. Since Go 1.17 the
// literal gets it in a register that a traceback does not print.
const (
	groupWait = "golang.org/x/sync/errgroup.(*Group).Wait"
	groupCall = "golang.org/x/sync/errgroup.(*Group).Go.func1"
)

// groupCalls returns the goroutines of each errgroup, as far as the words of
// their calls tell it; those that are stuck.
func (g *graph) groupCalls(stacks []*Stack) map[uint64]ref {
	calls, waiting := make(map[uint64]ref), make(map[uint64]int)
	for _, stack := range stacks {
		wait := frameOf(stack, groupWait)
		if wait >= 0 && stack.members.len() > 0 {
			waiting[g.groupOf(ref{stack, 0}, wait, wait+1)] += stack.Count
		}
		if at := g.sc.of[stack]; !stuckIn(at.op) && at.resource == "" {
			continue
		}
		call := frameOf(stack, groupCall)
		for i := range stack.members.len() {
			r := ref{stack, i}
			group := g.groupOf(r, call, call-1)
			if old, ok := calls[group]; group != 0 && (!ok ||
				r.member().Minutes > old.member().Minutes) {
				calls[group] = r
			}
		}
	}
	for group := range calls {
		if group >= byPackage && waiting[group] != 1 {
			delete(calls, group) // which one is not known
		}
	}
	return calls
}

// byPackage is above all addresses.
const byPackage = 1 << 63

// groupOf returns the errgroup of the call at frame, or 0. Where the text has no
// addresses, as a debugger's, the package of the user's call stands for it.
func (g *graph) groupOf(r ref, frame, user int) uint64 {
	if frame < 0 {
		return 0
	}
	if word := g.wordOf(r, frame); word != 0 {
		return word
	}
	calls := r.stack.Frames
	if user < 0 || user >= len(calls) || !g.afford(r.stack) ||
		slices.ContainsFunc(r.stack.args(r.i, nil), func(a args) bool {
			return a.n > 0
		}) {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(packageOf(calls[user].Func)))
	return h.Sum64() | byPackage
}

// frameOf returns the index of a call of s, or -1.
func frameOf(s *Stack, function string) int {
	return slices.IndexFunc(s.Frames, func(f Frame) bool {
		return unvendored(f.Func) == function
	})
}

// wordOf returns the first word of the call at frame, which may be -1, or 0.
func (g *graph) wordOf(r ref, frame int) uint64 {
	if frame < 0 || !g.afford(r.stack) {
		return 0
	}
	words := r.stack.args(r.i, nil)
	if frame >= len(words) {
		return 0
	}
	return words[frame].receiver()
}

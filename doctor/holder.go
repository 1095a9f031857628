package doctor

import "fmt"

// holderOf looks for the goroutine that holds the lock that s waits for.
func (sc *scene) holderOf(s *site) counterpart {
	for _, n := range sc.graph.of(s) {
		if n.self != "" {
			return counterpart{receiver: ReceiverPresent, confidence: n.sure,
				node: n, blocked: true, clause: same(n.who() + " " + n.itself())}
		}
	}
	if n, sure := sc.graph.holder(s); n != nil {
		c := counterpart{receiver: ReceiverPresent, confidence: sure, node: n,
			blocked: n.site.waits() || n.site.op == OperationUnknown,
			clause:  same(n.holding())}
		if n.writing(sc) && (s.count > 1 || n.minutes() > 0 || sc.timeless()) {
			c.blocked = true
			c.clause = c.clause.and(same(notRead))
		}
		return c
	}
	if call := lockOfStd(s.stacks[0]); call != "" {
		return sc.holderInStd(s, call)
	}
	if sc.graph.outside(s) {
		return counterpart{receiver: ReceiverUnknown, confidence: ConfidenceLow,
			clause: same("no goroutine is seen to hold it")}
	}
	c, complete := sc.holderByName(s)
	switch {
	case !complete:
		return unlooked(c)
	case c.receiver == ReceiverPresent && c.site != nil && c.site != s:
		n := sc.graph.group(c.site)
		sc.graph.guess(sc.graph.group(s), n, toUnlock)
		if sc.timeless() && n.writing(sc) {
			c.blocked = true
			c.clause = c.clause.and(same(notRead))
		}
	case c.receiver != ReceiverPresent && sc.partial:
		c.receiver, c.confidence = ReceiverUnknown, ConfidenceLow
		c.clause = same("the holder is not in this input")
	case c.site == nil && sc.partial && sc.alone(s):
		c.receiver = ReceiverUnknown // a caller that also locks was the choice
		c.clause = same("the holder is not in this input, or among its own callers")
	}
	return c
}

const notRead = "the other side does not read"

// writing reports whether n is blocked in a write, until the other side of a
// connection or a pipe reads. Snapshots of a healthy process rarely show that,
// unlike a blocked read; but a write system call only if it takes a minute, or
// if the author of a dump without times chose it.
func (n *node) writing(sc *scene) bool {
	return writes(n.site) && (n.site.op == IO || n.minutes() > 0 || sc.timeless())
}

// writes reports whether the goroutines of s wait in a write, unlike those that
// wait until a new connection can be written to.
func writes(s *site) bool {
	stack := s.stacks[0]
	switch s.op {
	case IO:
		return !stack.has("net.(*netFD).connect") &&
			(stack.has("internal/poll.(*pollDesc).waitWrite") ||
				stack.has("net.(*pollDesc).waitWrite") ||
				stack.has("net.(*pollDesc).WaitWrite"))
	case Syscall:
		return stack.has("syscall.write") || stack.has("syscall.Write") // or WriteConsole
	}
	return false
}

// holderByName looks for goroutines that are inside the same type, and last
// for callers of the waiting ones that are.
func (sc *scene) holderByName(s *site) (c counterpart, complete bool) {
	h := holders{sc: sc, s: s, owner: declared(s.at.Func)}
	h.found = counterpart{receiver: ReceiverMissing, confidence: ConfidenceMedium,
		clause: same("no goroutine is seen that could hold it")}
	complete = sc.search(packageOf(h.owner), h.look)
	switch {
	case h.found.site != nil:
	case h.own != nil:
		return *h.own, complete
	case h.parked != nil:
		return *h.parked, complete
	}
	return h.found, complete
}

// holders is the search for the holder of a lock by names.
type holders struct {
	sc    *scene
	s     *site
	owner string // the declared function that waits

	found  counterpart
	own    *counterpart // a caller of the goroutines that wait
	parked *counterpart // a goroutine in a loop between two jobs, more likely
}

// look compares one call. It returns false when there is no better one.
func (h *holders) look(e entry) bool {
	if e.frame == len(e.stack.Frames) || e.site.design {
		return true
	}
	f := e.call()
	switch waits := isLock(e.site.op) && e.frame == userCall(e.stack); {
	case waits && e.site != h.s && h.found.receiver == ReceiverMissing:
		if disjoint(h.sc.graph.locks(h.s), h.sc.graph.locks(e.site)) {
			h.unseen() // the same code has more than one lock
		}
	case waits || f == h.s.at:
	case h.inside(f) && e.site == h.s:
		if h.own == nil {
			h.own = &counterpart{receiver: ReceiverPresent, blocked: true,
				confidence: ConfidenceLow, clause: same(short(f.Func)).join(clause{
					", among its own callers, may hold it",
					", among their own callers, may hold it"})}
		}
	case h.inside(f) && !h.sc.apart(h.s, h.s.at.Func, e):
		return h.candidate(e)
	case h.found.receiver == ReceiverMissing && e.site != h.s &&
		f.Func != "main.main":
		h.unseen()
	}
	return true
}

// inside reports whether a call is of the type that waits, or of the function.
func (h *holders) inside(f Frame) bool {
	name, typ := declared(f.Func), typeOf(h.owner)
	return typ != "" && typeOf(name) == typ &&
		packageOf(name) == packageOf(h.owner) || typ == "" && name == h.owner
}

func (h *holders) unseen() {
	h.found.receiver, h.found.confidence = ReceiverUnknown, ConfidenceLow
	h.found.clause = same("no goroutine is seen to hold it")
}

// candidate takes a call inside the type. It returns false unless the goroutine
// is parked in the function that it was started with.
func (h *holders) candidate(e entry) bool {
	c := counterpart{receiver: ReceiverPresent, confidence: ConfidenceMedium,
		site: e.site, blocked: e.site.waits() && e.site.resource != remote,
		clause: same(fmt.Sprintf("%s may hold it and is %s",
			short(e.call().Func), where(e.site)))}
	switch loop := e.frame >= lastUser(e.stack); {
	case loop && e.site.op == Sleep && e.frame == userCall(e.stack):
		h.unseen() // between two rounds
		return true
	case !loop || !parked(e.site.op):
		h.found = c
		return false
	}
	if h.parked == nil {
		c.confidence = ConfidenceLow
		h.parked = &c
	}
	return true
}

// disjoint reports whether both sets are known and have nothing in common.
func disjoint(a, b map[uint64]bool) bool {
	for v := range a {
		if b[v] {
			return false
		}
	}
	return len(a) > 0 && len(b) > 0
}

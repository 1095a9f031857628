package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// counterpart describes the goroutine at the other end of a channel, or the
// holder of a lock.
type counterpart struct {
	receiver   Receiver
	confidence Confidence
	clause     clause
	evidence   []string
	blocked    bool  // it is alive, but stuck itself
	source     bool  // known from the source code
	node       *node // which goroutine it is
	site       *site // or where it stands
}

// parked reports whether a goroutine in op is ready to be given something.
// The runtime hands a value over as soon as a sender and a receiver are on
// the same channel, so such a one is not the receiver of a channel on which
// senders are parked.
func parked(op Operation) bool {
	switch op {
	case ChanReceive, Select, SelectNoCases, ChanReceiveNil, ChanSendNil, Cond,
		Coroutine:
		return true
	}
	return false
}

// stuckIn reports whether op waits for another goroutine.
func stuckIn(op Operation) bool {
	switch op {
	case ChanSend, Mutex, RWMutex, WaitGroup, Semaphore:
		return true
	}
	return false
}

// waits reports whether goroutines of s wait for another one, or for what a
// library waits for on their behalf.
func (s *site) waits() bool {
	return stuckIn(s.op) || parked(s.op) || s.resource != ""
}

// isLock reports whether op waits for another goroutine to unlock.
func isLock(op Operation) bool {
	return op == Mutex || op == RWMutex || op == Semaphore
}

// relative is a goroutine that may have to do with a site.
type relative struct {
	stack *Stack
	site  *site
	call  Frame // what makes it a relative
	typed bool  // by the type of the sender, not only by its function
	outer bool  // and not by the call that it is in
	child bool  // only by its creator
}

// ending reports whether a goroutine waits further in for something to end. Its
// own loop is then in the middle of a job, not between two.
func (r relative) ending() bool {
	name := r.site.at.Func
	return r.outer && ending[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])]
}

// maxEvidence bounds the reasons listed for one finding.
const maxEvidence = 8

// list adds reasons in order and without repetition; those over the bound are
// counted.
func (c *counterpart) list(reasons []string) {
	reasons = dedupe(reasons)
	if more := len(reasons) - maxEvidence; more > 0 {
		reasons = append(reasons[:maxEvidence], fmt.Sprintf("and %d more", more))
	}
	c.evidence = append(c.evidence, reasons...)
}

const noReceiver = "no goroutine is receiving there"

// receiverOf looks for the receiver of the channel that the goroutines of s
// are sending on.
func (sc *scene) receiverOf(s *site) counterpart {
	c, ok := sc.fromSource(s)
	if !ok {
		c = sc.byRelation(s)
	}
	if c.receiver == ReceiverMissing && sc.partial &&
		c.confidence != ConfidenceHigh {
		c.receiver, c.confidence = ReceiverUnknown, ConfidenceLow
		c.clause = same("its receiver is not in this input")
	}
	if c.site != nil && c.node == nil {
		c.node = sc.graph.group(c.site)
		sc.graph.guess(sc.graph.group(s), c.node, toReceive)
	}
	return c
}

// byRelation looks for the receiver among the goroutines that the sender's
// type, creator or file has to do with.
func (sc *scene) byRelation(s *site) counterpart {
	c := counterpart{receiver: ReceiverMissing, confidence: ConfidenceMedium,
		clause: same(noReceiver)}
	if own, ok := sc.ownReceivers(s); ok {
		return own
	}
	if n, ok := sc.parentOf(s); ok {
		found := c.likely(n.site, n.who()+", which created "+pronoun(s.count)+",")
		found.node = n
		return found
	}
	others, complete := sc.relatives(s)
	if found, ok := sc.elsewhere(s, others, &c); ok {
		return found
	}
	if sc.gone(s, &c) {
		return c
	}
	sc.numbered(s, others, &c)
	if !sc.partial && sc.graph.orphans(s) == s.count {
		c.clause = clause{noReceiver + ": the goroutine that created it has returned",
			noReceiver + ": the goroutines that created them have returned"}
		return c
	}
	typed := slices.ContainsFunc(others, func(r relative) bool {
		return r.typed && !r.site.design
	})
	if len(others) == 0 && complete && !sc.partial {
		if own, ok := sc.ownLoopOnly(s); ok {
			return own
		}
	}
	if !typed && complete {
		complete = sc.strangers(s, &c)
	}
	if !complete {
		return unlooked(c)
	}
	if !typed && c.receiver == ReceiverMissing {
		sc.stuckElsewhere(s, &c)
	}
	return c
}

// elsewhere returns the receiver that is at work or stuck somewhere else: a
// relative, or a worker that was started with an argument of the senders.
func (sc *scene) elsewhere(s *site, others []relative, c *counterpart) (
	found counterpart, ok bool) {
	if r, ok := c.busy(s, others); ok {
		return c.likely(r.site, fmt.Sprintf("%s, its likely receiver,",
			short(r.call.Func))), true
	}
	r, common, ok := sc.consumer(s)
	if !ok {
		return found, false
	}
	found = c.likely(r.site, fmt.Sprintf("%s, which has %s in common with %s,",
		short(r.call.Func), common, pronoun(s.count)))
	found.blocked = true
	return found, true
}

// busy returns the relative that may be the receiver: one that is not parked.
// The parked ones are evidence.
func (c *counterpart) busy(s *site, others []relative) (relative, bool) {
	var idle []string
	for _, r := range others {
		switch {
		case r.site.design:
		case isLock(r.site.op) && r.site.at.Func == s.at.Func:
			// It waits to come as far as the senders are.
		case r.typed && stuckIn(r.site.op) && isLoop(r.call.Func):
			return r, true // a pool has more workers than blocked senders
		case r.site.count > s.count:
			// There are fewer receivers than goroutines waiting for them.
		case r.typed && r.outer && (!r.child || r.ending()) && s.longest > 0 &&
			r.site.longest+1 >= s.longest:
			// A call of it waits further in, and has as long as the senders.
			return r, true
		case r.child && r.outer && parked(r.site.op):
			// It may wait for work there, or in the middle of a job.
		case parked(r.site.op):
			idle = append(idle, fmt.Sprintf("%s is alive and parked, %s: not the "+
				"receiver, or the runtime would have handed it a value",
				short(r.call.Func), where(r.site)))
		case r.site.op == ChanSend && !r.typed:
			// That it sends elsewhere does not make it a receiver.
		default:
			return r, true
		}
	}
	c.list(idle)
	return relative{}, false
}

// likely is c with a receiver that is alive and not parked.
func (c counterpart) likely(at *site, who string) counterpart {
	c.receiver, c.site = ReceiverPresent, at
	if stuckIn(at.op) || parked(at.op) {
		c.blocked = true
		c.clause = same(fmt.Sprintf("%s: %s is itself %s", noReceiver, who,
			where(at)))
		return c
	}
	c.clause = same(fmt.Sprintf("%s at this moment: %s is busy, %s", noReceiver,
		who, where(at)))
	return c
}

// parentOf returns the goroutine that created those of s and is not parked, if
// the graph has it.
func (sc *scene) parentOf(s *site) (*node, bool) {
	sc.graph.collectors(s)
	n, _ := sc.graph.holder(s)
	return n, n != nil
}

// unlooked takes back what an unfinished search says.
func unlooked(c counterpart) counterpart {
	c.receiver, c.confidence = ReceiverUnknown, ConfidenceLow
	c.evidence = append(c.evidence,
		"there are too many different stacks to look for who is at the other end")
	return c
}

// maxRelatives bounds how many relatives of a sender are looked at.
const maxRelatives = 64

// relatives returns the goroutines outside s that its type's constructor or
// methods run, or that stem from the same declared function. Those of another
// instance of the type are none. It reports whether all could be looked at.
func (sc *scene) relatives(s *site) (found []relative, complete bool) {
	owner := declared(s.at.Func)
	pkg, typ := packageOf(owner), typeOf(owner)
	var last *Stack
	complete = sc.search(pkg, func(e entry) bool {
		f := e.function()
		if e.stack == last || e.site == s ||
			f.Func == s.at.Func && (typ != "" || f.Line <= s.at.Line) {
			return true
		}
		if e.frame == len(e.stack.Frames) && isStd(e.call().Func) {
			return true // a library function is not the receiver
		}
		related := typ != "" && builds(f.Func, pkg, typ) ||
			typ == "" && declared(f.Func) == owner
		if related && !sc.apart(s, s.at.Func, e) {
			last = e.stack
			outer := min(e.frame, lastUser(e.stack)) > userCall(e.stack)
			found = append(found, relative{e.stack, e.site, e.call(), typ != "", outer,
				e.frame == len(e.stack.Frames)})
		}
		return len(found) < maxRelatives
	})
	return found, complete
}

// apart reports whether the words tell that a call is on another instance than
// the calls of function in s.
func (sc *scene) apart(s *site, function string, e entry) bool {
	if e.frame == len(e.stack.Frames) || e.stack.members.at == nil ||
		methodType(e.call().Func) != methodType(function) {
		return false
	}
	sc.effort -= maxSample // it reads the words of as many
	theirs := receivers(e.stack, e.frame)
	if len(theirs) == 0 {
		return false
	}
	for _, stack := range s.stacks {
		i := slices.IndexFunc(stack.Frames, func(f Frame) bool {
			return f.Func == function
		})
		if i >= 0 && (!disjoint(receivers(stack, i), theirs) || !sc.spend()) {
			return false
		}
	}
	return true
}

// receivers returns the first words of a call over the members of a stack, or
// nothing if one of them is not known or there are too many.
func receivers(s *Stack, frame int) map[uint64]bool {
	if s.members.len() > maxSample {
		return nil
	}
	all := make(map[uint64]bool)
	var buf []args
	for i := range s.members.len() {
		buf = s.args(i, buf[:0])
		if frame >= len(buf) || buf[frame].receiver() == 0 {
			return nil
		}
		all[buf[frame].receiver()] = true
	}
	return all
}

// maxSample is how many goroutines of a stack are asked which instance they are
// on.
const maxSample = 64

// gone looks for a receiver that an earlier snapshot had.
func (sc *scene) gone(s *site, c *counterpart) bool {
	var lines []string
	for _, v := range sc.vanished(packageOf(s.at.Func)) {
		related := sameFile(v.file, s.at.File) ||
			declared(v.Function) == declared(s.at.Func)
		if related {
			lines = append(lines, fmt.Sprintf("%s: %d then, 0 now",
				short(v.Function), v.Then))
		}
		if len(lines) > maxEvidence {
			break
		}
	}
	if len(lines) > 0 {
		c.confidence = ConfidenceHigh
		c.clause = same(noReceiver + ": " + lines[len(lines)-1])
		c.list(lines)
	}
	return len(lines) > 0
}

// numbered infers a goroutine that has returned from the numbers of closures.
// That holds only where every literal of a function is started with go, as in
// the constructor of a type with workers; in main, a handler or a test they are
// callbacks as often. Whether func1 was a goroutine is for the source to tell.
func (sc *scene) numbered(s *site, others []relative, c *counterpart) {
	pkg, typ := packageOf(s.at.Func), typeOf(declared(s.at.Func))
	for _, r := range others {
		f := r.stack.root().Func
		constructor := declared(f)
		if constructor == declared(s.at.Func) || !builds(constructor, pkg, typ) ||
			declared(r.stack.CreatedBy.Func) != constructor &&
				r.stack.CreatedBy.Func != "" {
			continue
		}
		for i := closure(f) - 1; i > 0; i-- {
			name := fmt.Sprintf("%s.func%d", constructor, i)
			if sc.alive(name) != 0 {
				continue
			}
			c.clause = same(fmt.Sprintf("%s: %s, by the numbering of closures a "+
				"sibling of %s, is in no stack", noReceiver, short(name), short(f)))
			c.evidence = append(c.evidence, fmt.Sprintf("%s is alive, so %s "+
				"exists, and it is in no stack: if it was a goroutine it has "+
				"returned; -src tells", short(f), short(name)))
			return
		}
	}
}

// strangers weakens the verdict if others of the same file are busy. It reports
// whether all could be looked at.
func (sc *scene) strangers(s *site, c *counterpart) bool {
	return sc.search(packageOf(s.at.Func), func(e entry) bool {
		if e.frame == len(e.stack.Frames) {
			return true
		}
		f := e.call()
		busy := e.site != s && !parked(e.site.op) && !e.site.design &&
			e.site.op != ChanSend
		if busy && f.Func != s.at.Func && sameFile(f.File, s.at.File) &&
			f.Func != "main.main" {
			c.receiver, c.confidence = ReceiverUnknown, ConfidenceLow
			c.evidence = append(c.evidence, fmt.Sprintf("%s of the same file is "+
				"busy, %s, and may be the receiver", short(f.Func), where(e.site)))
			return false
		}
		return true
	})
}

// stuckElsewhere weakens the verdict if another goroutine of the same module is
// stuck: nothing tells that it would not receive.
func (sc *scene) stuckElsewhere(s *site, c *counterpart) {
	if sc.stuckWorker(s, c) {
		return
	}
	if sc.stuck == nil {
		sc.stuck = make(map[string]*site)
		for _, at := range sc.sites {
			waits := isLock(at.op) || at.resource != "" && at.resource != remote
			if m := moduleOf(at.at.Func); waits && sc.stuck[m] == nil {
				sc.stuck[m] = at
			}
		}
	}
	if at := sc.stuck[moduleOf(s.at.Func)]; at != nil {
		c.receiver, c.confidence = ReceiverUnknown, ConfidenceLow
		c.evidence = append(c.evidence, fmt.Sprintf("%s is %s and may be the "+
			"receiver", short(at.at.Func), where(at)))
	}
}

// stuckWorker takes a goroutine for the receiver that a function of the sender's
// package was started on, and that has waited further in for as long as the
// senders, for a lock or for something to close: it does not come back to its
// loop.
func (sc *scene) stuckWorker(s *site, c *counterpart) (found bool) {
	if s.longest == 0 {
		return false
	}
	sc.search(packageOf(s.at.Func), func(e entry) bool {
		r := relative{site: e.site, outer: true}
		if e.site == s || e.site.longest+1 < s.longest ||
			!isLock(e.site.op) && !r.ending() || e.call().Func == "main.main" {
			return true
		}
		// These read all calls of a stack, so they come last.
		last := lastUser(e.stack)
		if e.frame != last || last <= userCall(e.stack) {
			return true
		}
		*c = c.likely(e.site, short(e.call().Func)+", which may be its receiver,")
		c.confidence, found = ConfidenceLow, true
		c.site = nil // too weak for the wait-for graph
		return false
	})
	return found
}

// moduleOf returns the first two elements of a symbol's import path, which is
// the module or its owner.
func moduleOf(symbol string) string {
	elements := strings.SplitN(packageOf(symbol), "/", 3)
	return strings.Join(elements[:min(2, len(elements))], "/")
}

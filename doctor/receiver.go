package doctor

import (
	"fmt"
	"slices"
	"strings"

	"example.com/chanx/internal/printable"
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
	if !r.outer {
		return false
	}
	name := r.site.at.Func
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "Close", "close", "Stop", "stop", "Shutdown", "shutdown", "Wait", "wait",
		"Disconnect", "Drain", "Flush", "flush":
		return true
	}
	return false
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

// ownReceivers reports whether the senders are the receivers of their own
// channel: workers of a pool that submit to it.
func (sc *scene) ownReceivers(s *site) (c counterpart, ok bool) {
	typ := methodType(s.at.Func)
	if typ == "" {
		return c, false
	}
	workers, name := 0, ""
	for _, stack := range s.stacks {
		if loop := ownLoop(stack, typ); loop != "" {
			workers, name = workers+stack.Count, loop
		}
	}
	// A single loop may send to any channel. It is its own if others send there
	// through the same call, or all workers of a pool do.
	if workers == 0 || s.count == 1 || sc.alive(name) > workers {
		return c, false
	}
	who := clause{"it is one of its receivers",
		fmt.Sprintf("%s of them are its receivers", printable.Number(workers))}
	return counterpart{receiver: ReceiverPresent, confidence: ConfidenceMedium,
		blocked: true, clause: same(noReceiver + ": ").join(who).join(
			same(", in " + short(name)))}, true
}

// ownLoopOnly reports whether the sender's own loop may be its receiver: the
// goroutine has come through a method of the same value, and no other one is
// inside the type.
func (sc *scene) ownLoopOnly(s *site) (c counterpart, ok bool) {
	typ := methodType(s.at.Func)
	if typ == "" || s.count != 1 || s.requests > 0 ||
		s.longest < sc.rules.Minutes {
		return c, false
	}
	stack, user := s.stacks[0], userCall(s.stacks[0])
	words := stack.args(0, nil)
	for i := user + 1; i < min(len(stack.Frames), len(words)); i++ {
		f := stack.Frames[i].Func
		if methodType(f) == typ && f != s.at.Func && words[user].receiver() != 0 &&
			words[i].receiver() == words[user].receiver() {
			return counterpart{receiver: ReceiverPresent, blocked: true,
				confidence: ConfidenceLow, clause: same(noReceiver + ": " + short(f) +
					", which it is in, may be the receiver")}, true
		}
	}
	return c, false
}

// ownLoop returns the outermost call of a worker's stack that is of the type it
// sends to: a loop of it, or a literal in a method or a constructor that a
// goroutine was started with. A request may have come through any of these.
func ownLoop(stack *Stack, typ string) string {
	if isRequest(entryOf(stack)) {
		return ""
	}
	user := userCall(stack)
	for i := min(lastUser(stack), len(stack.Frames)-1); i > user; i-- {
		f := stack.Frames[i].Func
		owner := declared(f)
		if strings.Contains(f, ".gowrap") {
			continue
		}
		literal := f != owner
		if methodType(owner) == typ && (literal || isLoop(owner)) ||
			literal && builds(owner, packageOf(stack.Frames[user].Func),
				typeOf(stack.Frames[user].Func)) {
			return f
		}
	}
	return ""
}

// unlooked takes back what an unfinished search says.
func unlooked(c counterpart) counterpart {
	c.receiver, c.confidence = ReceiverUnknown, ConfidenceLow
	c.evidence = append(c.evidence,
		"there are too many different stacks to look for who is at the other end")
	return c
}

// fromSource asks the source code who receives.
func (sc *scene) fromSource(s *site) (counterpart, bool) {
	if sc.rules.Receivers == nil {
		return counterpart{}, false
	}
	names := sc.rules.Receivers(s.finding())
	if names == nil {
		return counterpart{}, false
	}
	c := counterpart{receiver: ReceiverMissing, confidence: ConfidenceHigh,
		clause: same(noReceiver)}
	var reasons []string
	for _, name := range names {
		busy := sc.busyIn(name, s)
		switch {
		case busy != nil:
			return counterpart{receiver: ReceiverPresent,
				confidence: ConfidenceHigh, site: busy, source: true,
				blocked: stuckIn(busy.op),
				clause: same(fmt.Sprintf("%s receives there and is busy, %s",
					short(name), where(busy)))}, true
		case sc.alive(name) > 0:
			reasons = append(reasons, fmt.Sprintf("%s receives from this "+
				"channel by the source and is parked elsewhere", short(name)))
		default:
			reasons = append(reasons, fmt.Sprintf("%s receives from this "+
				"channel by the source and is in no stack", short(name)))
			c.clause = same(noReceiver + ": " + short(name) +
				", which should, is in no stack")
		}
	}
	c.list(reasons)
	if len(names) == 0 {
		c.clause = same("nothing in the source receives there")
	}
	return c, true
}

// busyIn returns the site of a goroutine that has a call of the function and
// is not parked, or nil.
func (sc *scene) busyIn(function string, not *site) (busy *site) {
	sc.search(packageOf(function), func(e entry) bool {
		if e.site != not && e.frame < len(e.stack.Frames) &&
			e.call().Func == function && !parked(e.site.op) {
			busy = e.site
		}
		return busy == nil
	})
	return busy
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

// where describes the operation of s and its line, if the input has that.
func where(s *site) string {
	if s.at.File == "" {
		return s.doing()
	}
	return fmt.Sprintf("%s (%s:%d)", s.doing(), base(s.at.File), s.at.Line)
}

// doing describes the operation of s, or what a library waits for in it.
func (s *site) doing() string {
	if s.resource != "" {
		return "waiting for " + s.resource
	}
	return doing(s.op)
}

func dedupe(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

var phrases = map[Operation]string{
	"chan send":               "blocked sending",
	"chan receive":            "blocked receiving",
	"chan send (nil chan)":    "blocked forever sending to a nil channel",
	"chan receive (nil chan)": "blocked forever receiving from a nil channel",
	"select":                  "blocked in a select",
	"channel operation":       "blocked in a channel operation",
	"select (no cases)":       "blocked forever in an empty select",
	"mutex":                   "waiting for a mutex",
	"rwmutex":                 "waiting for an RWMutex",
	"cond":                    "waiting on a sync.Cond",
	"waitgroup":               "waiting for a sync.WaitGroup",
	"semaphore":               "waiting for a semaphore",
	"IO":                      "waiting for IO",
	"sleep":                   "sleeping",
	"syscall":                 "in a system call",
	"running":                 "running",
	"unknown":                 "blocked (the profile does not say in what)",
}

func doing(op Operation) string {
	if p, ok := phrases[op]; ok {
		return p
	}
	return "in the state " + strings.ToLower(string(op))
}

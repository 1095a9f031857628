package doctor

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"example.com/chanx/internal/printable"
)

// judge gives every site its verdict. Goroutines that are idle by design come
// first: one that waits for work is not a receiver that others miss.
func (sc *scene) judge() {
	asleep := sc.asleep()
	for _, s := range sc.sites {
		if sc.leftover(s) || asleep && s.waits() {
			continue
		}
		if why := sc.idle(s); why != "" {
			s.verdict = sc.pools(s, why)
			s.design = true
		}
		if s.at.Func == "main.main" && s.op == Sleep {
			s.design = true // how a demonstration stays alive
		}
	}
	sc.graph = newGraph(sc)
	for _, s := range sc.sites {
		if s.verdict.state != "" {
			continue
		}
		s.verdict = sc.opinion(s)
		sc.confirm(s)
		if v := &s.verdict; sc.leftover(s) && (!v.report || v.severity < Warning) {
			*v = leftBehind(s)
		}
	}
	sc.graph.sum() // the opinions have added edges
	for _, cycle := range sc.graph.cycles {
		sc.deadlocked(cycle)
	}
	for _, s := range sc.sites {
		sc.heads(s)
	}
	for _, s := range sc.sites {
		sc.awaited(s)
	}
	if !slices.ContainsFunc(sc.sites, (*site).warned) {
		sc.unfinished()
		sc.overdue()
		sc.closingMain()
	}
	sc.chosen()
	for _, s := range sc.sites {
		if why := sc.blind(s); why != "" && !s.reported() {
			s.verdict = verdict{state: VerdictUnknown, why: why}
		}
	}
}

// blind names the part of the input that an opinion on s needs and that is
// missing, or returns "". A goroutine that is idle by its calls may have been so
// for days.
func (sc *scene) blind(s *site) string {
	stack := s.stacks[0]
	switch {
	case s.op == RuntimeInternal || tracing(stack):
		return ""
	case s.at.Func == "" && (s.op != Running ||
		stack.State == "" && s.count >= sc.rules.Many):
		return "its stack is not in the input" // a few are about to start
	case stack.State == "" && stack.members.len() > 0:
		return "neither its state nor its time is in the input"
	case stack.State == "" && s.op == Running && sc.hidden():
		return "the calls of the runtime are not in the input"
	}
	return ""
}

// hidden reports whether the runtime's calls have been removed from a profile
// without states: no goroutine of it waits for anything.
func (sc *scene) hidden() bool {
	return sc.now.Goroutines > 1 && !slices.ContainsFunc(sc.now.Stacks,
		func(s *Stack) bool {
			return s.State != "" || len(s.Frames) == 0 || s.Frames[0].Func == "" ||
				s.has("runtime.gopark")
		})
}

// warned reports whether a finding is about s that is no mere remark.
func (s *site) warned() bool {
	return s.verdict.covered || s.verdict.report && s.verdict.severity >= Warning
}

// overdue reports goroutines that have been closing, stopping or writing something
// for long. It runs if there is no other warning.
func (sc *scene) overdue() {
	for _, s := range sc.sites {
		var what string
		switch {
		case s.design || s.longest < sc.patience():
		case s.requests == 0 && writes(s) && s.longest >= peerGone:
			what = "a write"
		case (parked(s.op) || s.op == WaitGroup || s.op == Syscall) &&
			closing(s.stacks[0]):
			what = "to close or stop something"
		}
		if what == "" {
			continue
		}
		s.verdict = verdict{state: VerdictStuck, report: true, severity: Warning,
			confidence: ConfidenceMedium, other: ConfidenceLow,
			receiver: ReceiverUnknown, why: what + " does not take that long",
			clause: same(what + " does not take that long")}
		if closing(s.stacks[0]) {
			sc.unended(s)
		}
	}
}

// peerGone is the age, in minutes, of a blocked write that no vanished peer
// explains: TCP gives up on it after a quarter of an hour or so.
const peerGone = 60

// chosen reports goroutines of an extract that have waited for long, if there is
// no other finding: the author of the extract did not choose idle ones. Many of
// a kind are most likely too many, and a single one is there for itself.
func (sc *scene) chosen() {
	if !sc.now.Extract || slices.ContainsFunc(sc.sites, (*site).reported) {
		return
	}
	for _, s := range sc.sites {
		if s.design || s.op == Running || s.at.Func == "main.main" {
			continue
		}
		if sc.picked(s) && s.count > 1 && s.op != IO {
			s.verdict = verdict{state: VerdictUnknown, why: "picked from a profile"}
		}
		together := sc.shownTogether(s)
		if s.longest < sc.rules.Minutes && !together &&
			(s.longest < minutesAlone || s.op != WaitGroup || !sc.alone(s)) {
			continue
		}
		s.verdict = verdict{state: VerdictUnknown, report: true, severity: Info,
			confidence: ConfidenceLow, other: ConfidenceLow,
			receiver: ReceiverUnknown, why: "picked from a dump",
			clause: same(fmt.Sprintf("picked from a dump, after %s; what ends this "+
				"is not in the input", printable.Plural(s.longest, "minute")))}
		if s.count >= sc.rules.Many && 2*s.count > sc.now.Goroutines &&
			parked(s.op) && !isPool(s.at.Func) || together || sc.alone(s) {
			s.verdict.severity = Warning
		}
	}
}

// leftover reports whether the input is goleak's report of the goroutines of s:
// they were alive when all tests had ended.
func (sc *scene) leftover(s *site) bool {
	if len(sc.now.leftover) == 0 {
		return false
	}
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			if !sc.now.leftover[m.ID] {
				return false
			}
		}
	}
	return true
}

// leftBehind is the verdict on goroutines that a leak detector reports. A library
// call in them names the object that was not closed.
func leftBehind(s *site) verdict {
	v := verdict{state: VerdictStuck, report: true, severity: Warning,
		confidence: ConfidenceMedium, other: ConfidenceLow,
		receiver: ReceiverUnknown, why: "alive after the tests had ended",
		clause: same("found alive after the tests had ended")}
	if why, ok := design(s.stacks[0]); ok {
		v.clause = v.clause.and(clause{"it " + why, "each " + why})
	}
	return v
}

// opinion is the verdict from one snapshot alone.
func (sc *scene) opinion(s *site) verdict {
	if v, certain := sc.forEver(s); certain {
		return v
	}
	if s.resource != "" {
		return sc.awaitingEnd(s)
	}
	if v, ok := sc.unserved(s); ok {
		return v
	}
	switch s.op {
	case ChanSend:
		return sc.sending(s)
	case Mutex, RWMutex, Semaphore:
		return sc.locking(s)
	case ChanReceive, Select, Cond, WaitGroup:
		return sc.awaiting(s)
	case IO, Sleep, Syscall, Running:
		return sc.working(s)
	case ChanAny, OperationUnknown:
		return sc.unnamed(s)
	}
	return verdict{state: VerdictUnknown, why: "no rule for " + string(s.op)}
}

// wake is a clause about goroutines that nothing can wake.
func wake(before string) clause {
	return clause{before + " wake it", before + " wake them"}
}

// forEver knows what nothing can wake, whatever the other goroutines do.
func (sc *scene) forEver(s *site) (verdict, bool) {
	v := verdict{state: VerdictStuck, report: true, confidence: ConfidenceHigh,
		receiver: ReceiverMissing, other: ConfidenceHigh}
	switch {
	case s.leaked > 0 && s.leaked < s.count:
		v.clause = same(fmt.Sprintf("the garbage collector found that nothing can "+
			"ever wake %s of them", printable.Number(s.leaked)))
	case s.leaked > 0:
		v.clause = wake("the garbage collector found that nothing can ever")
	case s.op == ChanSendNil || s.op == ChanReceiveNil:
		v.clause = wake("nothing can ever")
	case s.op == SelectNoCases:
		if (s.count == 1 || s.requests == 0 && s.count < sc.rules.Many) &&
			!sc.staysInVain(s) {
			return verdict{state: VerdictIdle,
				why: "select {} is how to stay forever"}, true
		}
		v.clause = wake("nothing can ever")
		if sc.deadlock {
			v.severity = Critical
		}
	case s.stacks[0].has("runtime.runfinq") ||
		s.stacks[0].has("runtime.runFinalizers"):
		v.clause = clause{"it holds up every other finalizer of the process",
			"they hold up every other finalizer of the process"}
		v.receiver, v.confidence = ReceiverUnknown, ConfidenceMedium
		if s.op == Running || s.op == Syscall || s.op == IO {
			return verdict{}, false
		}
	case sc.deadlock && (stuckIn(s.op) || parked(s.op)):
		v.clause = same("the runtime found that no goroutine can go on")
		v.severity = Critical
	default:
		return verdict{}, false
	}
	v.severity = max(v.severity, sc.grade(s, Warning))
	if c, ok := sc.counterpartOf(s); ok {
		v.receiver, v.other, v.evidence = c.receiver, c.confidence, c.evidence
		v.clause = c.clause.and(v.clause)
	}
	v.why = v.clause.of(s.count)
	return v, true
}

// staysInVain reports whether an empty select keeps a test from ending, or a
// process in which no other goroutine waits for anything.
func (sc *scene) staysInVain(s *site) bool {
	return sc.timedOut && s.entry == "test" || sc.deadlock &&
		!slices.ContainsFunc(sc.sites, func(o *site) bool {
			return o != s && (stuckIn(o.op) || parked(o.op))
		})
}

// counterpartOf returns the receiver of senders, the holder of a lock.
func (sc *scene) counterpartOf(s *site) (counterpart, bool) {
	switch {
	case s.op == ChanSend:
		return sc.receiverOf(s), true
	case isLock(s.op):
		return sc.holderOf(s), true
	}
	return counterpart{}, false
}

// grade raises a severity by the number of goroutines and requests held up.
func (sc *scene) grade(s *site, least Severity) Severity {
	many := s.count >= sc.rules.Many
	switch {
	case many && s.requests >= sc.rules.Many, s.count >= 100*sc.rules.Many:
		return Critical
	case many, s.requests > 0 && s.longest >= sc.rules.Minutes:
		return max(least, Warning)
	}
	return least
}

// stall rates the evidence that the goroutines of s are stalled: the time they
// have waited, or their number.
func (sc *scene) stall(s *site, c counterpart) Confidence {
	many := sc.rules.Many
	switch {
	case s.longest >= sc.rules.Minutes, s.count >= 100*many,
		s.count >= many && s.requests >= many && c.receiver == ReceiverMissing,
		c.confidence == ConfidenceHigh && (c.receiver == ReceiverMissing || c.source):
		return ConfidenceHigh
	case s.count > 1, s.requests > 0, sc.timedOut, c.blocked:
		return ConfidenceMedium
	}
	return ConfidenceLow
}

// sending judges blocked senders: another goroutine should be receiving.
func (sc *scene) sending(s *site) verdict {
	c := sc.receiverOf(s)
	v := c.verdict(sc.stall(s, c))
	alone := s.count == 1 && s.requests == 0 && !sc.abandoned(s)
	switch {
	case c.receiver == ReceiverPresent && !c.blocked:
		v.state = VerdictSlow
		switch {
		case s.requests >= sc.rules.Many, s.count >= 100*sc.rules.Many,
			s.longest >= sc.rules.Minutes && c.node != nil:
			v.severity = Warning
		}
	case alone && s.longest < sc.patience() && !sc.timedOut && !sc.pickedAlone(s) &&
		v.confidence != ConfidenceHigh && !c.blocked && !sc.chosenWith(s) &&
		!sc.heldUp(s):
		v.state, v.confidence = VerdictUnknown, ConfidenceLow
		v.clause = v.clause.and(same("a producer ahead of its consumer looks the " +
			"same"))
	case c.receiver == ReceiverUnknown && !sc.partial:
		v.state = VerdictUnknown
		v.severity = sc.grade(s, Info)
		if s.longest >= sc.rules.Minutes {
			v.severity = max(v.severity, Warning)
		}
	default:
		v.severity = sc.grade(s, Warning)
	}
	v.why = v.clause.of(s.count)
	return v
}

// patience is for how many minutes a single sender may be ahead of its
// receiver. Someone chose the goroutines of an extract because they are stuck.
func (sc *scene) patience() int {
	if sc.partial {
		return min(sc.rules.Minutes, 1)
	}
	return sc.rules.Minutes
}

// queue reports whether a third of a process waits for one lock. A profile has no
// times, so the number must do.
func (sc *scene) queue(s *site) bool {
	return s.stacks[0].members.len() == 0 && s.count >= 2*sc.rules.Many &&
		3*s.count >= sc.now.Goroutines
}

// timeless reports whether the input is some goroutines of a dump without any
// time, as delve prints them and people retype them: that they were chosen must do
// instead.
func (sc *scene) timeless() bool { return sc.partial && !sc.timed }

// unheldTooLong is for how many minutes a goroutine may wait for a lock that
// none is seen to hold. Few hold a lock for that long, and they can be seen at
// work.
const unheldTooLong = 2

// locking judges goroutines that wait for a lock: the holder should release it.
func (sc *scene) locking(s *site) verdict {
	c := sc.holderOf(s)
	v := c.verdict(sc.stall(s, c))
	v.severity = sc.grade(s, Warning)
	switch {
	case c.node != nil && c.node.self != "" && !c.node.may:
		v.severity = Critical
	case c.receiver == ReceiverPresent && !c.blocked &&
		s.longest < sc.patience():
		v.state = VerdictSlow
		if v.severity < Critical && (!sc.partial || s.count == 1) &&
			!sc.timeless() && !sc.queue(s) {
			v.severity = Info
		}
	case s.count == 1 && s.longest < min(sc.patience(), unheldTooLong) &&
		(!c.blocked || sc.profiled(s) && c.site != nil && c.site.count > 1 &&
			!isLock(c.site.op)) && // one of them at most holds it
		!sc.timedOut && !sc.timeless():
		v.state, v.severity = VerdictUnknown, Info
	}
	v.why = v.clause.of(s.count)
	return v
}

// verdict is of goroutines that wait for c.
func (c counterpart) verdict(stall Confidence) verdict {
	return verdict{state: VerdictStuck, report: true, receiver: c.receiver,
		confidence: stall, other: c.confidence, clause: c.clause,
		evidence: c.evidence}
}

// awaitingEnd judges goroutines for which a library waits until something is
// given back. That is no waiting for work, however few they are.
func (sc *scene) awaitingEnd(s *site) verdict {
	c := counterpart{receiver: ReceiverUnknown, confidence: ConfidenceLow}
	if s.resource == remote {
		v := sc.working(s)
		switch {
		case v.report:
		case s.count >= 100*sc.rules.Many:
			v = sc.leak(s, "too many for calls under way")
		case v.state == VerdictIdle:
			v.state, v.why = VerdictWorking, "waits for "+remote
		}
		return v
	}
	if n, sure := sc.graph.holder(s); n != nil {
		c.receiver, c.confidence, c.node = ReceiverPresent, sure, n
		c.clause = c.clause.and(same(n.holding()))
		c.blocked = stuckIn(n.site.op) || parked(n.site.op)
	} else if s.resource == flow {
		c.clause = same("it has taken none" + since(s, " for "))
	} else if sc.partial {
		c.clause = same("the holder is not in this input")
	} else {
		c.clause = same("no goroutine has given it back")
	}
	v := c.verdict(sc.stall(s, c))
	long := s.longest >= sc.rules.Minutes
	switch {
	case long:
		v.severity = sc.grade(s, Warning)
	case s.requests >= sc.rules.Many, s.count >= 100*sc.rules.Many:
		v.state, v.severity = VerdictSlow, Warning
	case s.count >= sc.rules.Many:
		v.state, v.severity = VerdictSlow, Info
	default:
		v.state, v.report = VerdictWorking, false
	}
	v.why = v.clause.of(s.count)
	return v
}

// unaryTooLong is the age, in minutes, of a gRPC call with one answer that no
// long poll explains.
const unaryTooLong = 60

// awaiting judges receives, selects and the like.
func (sc *scene) awaiting(s *site) verdict {
	v := sc.waiting(s)
	turn := sc.turn(s)
	switch {
	case v.report && v.state == VerdictUnknown:
	case v.report:
		v.severity = sc.grade(s, Warning)
	case turn != nil:
		n := sc.graph.group(turn)
		sc.graph.guess(sc.graph.group(s), n, toUnlock)
		v = verdict{state: VerdictStuck, report: true,
			severity: sc.grade(s, Warning), confidence: ConfidenceMedium,
			other: ConfidenceMedium, receiver: ReceiverPresent,
			clause: same(n.who() + n.is() + "further on in the same call: " + n.doing())}
	case sc.timedOut && s.entry == "test":
		v = verdict{state: VerdictStuck, report: true, severity: Warning,
			confidence: ConfidenceHigh, other: ConfidenceLow,
			receiver: ReceiverUnknown,
			clause:   same("the test that timed out waits here")}
	case s.requests > 0 && s.op != Select:
		v = sc.requests(s)
	case s.requests > 0 && s.longest >= unaryTooLong &&
		s.stacks[0].has("google.golang.org/grpc.(*Server).processUnaryRPC"):
		v = sc.requests(s) // a call with one answer is no long poll
	case s.requests > 0:
		v.why = "requests waiting in a select may be long polls"
		if s.count >= sc.rules.Many {
			v = sc.requests(s)
			v.severity, v.state = Info, VerdictUnknown
			v.clause = v.clause.and(same("a long poll looks the same"))
		}
	case s.guessed && s.count >= sc.rules.Many && !v.report:
		return verdict{state: VerdictUnknown, why: "a select, by the number of " +
			"calls without names: nothing else is known"}
	}
	if v.why == "" {
		v.why = v.clause.of(s.count)
	}
	return v
}

// closing reports whether the goroutines of s are in a call that closes or stops
// something.
func closing(s *Stack) bool {
	last := lastUser(s)
	for i := max(userCall(s), 0); i < len(s.Frames); i++ {
		if name := s.Frames[i].Func; isClosing(name, i < last) {
			return !isStd(name)
		}
	}
	return false
}

// isClosing reports whether a name is of a call that ends something itself. That
// of a method says so in part, but for one that a goroutine was started with, or
// one like waitForShutdown and closeLoop: these wait for a reason to do it.
func isClosing(symbol string, called bool) bool {
	switch symbol[strings.LastIndexByte(symbol, '.')+1:] {
	case "Close", "Stop", "Shutdown", "Disconnect":
		return true
	}
	if !called || methodType(declared(symbol)) == "" {
		return false
	}
	ends := false
	for _, w := range wordsOf(symbol) {
		switch w {
		case "close", "stop", "shutdown", "disconnect", "detach":
			ends = true
		case "start", "restart", "wait", "await", "for", "until", "on", "when", "after", "loop", "run",
			"notify", "signal", "signals", "listen", "handle", "handler", "watch",
			"monitor", "graceful", "gracefully":
			return false
		}
	}
	return ends
}

// wordsOf splits the name of a function, without its package and type, at
// underscores and capital letters: "stop" and "procedure" of "stopProcedure".
func wordsOf(symbol string) (words []string) {
	name := declared(symbol)
	name = name[strings.LastIndexByte(name, '.')+1:]
	from := 0
	for i := 1; i <= len(name); i++ {
		if i == len(name) || name[i] == '_' || unicode.IsUpper(rune(name[i])) &&
			!unicode.IsUpper(rune(name[i-1])) {
			words = append(words, strings.ToLower(strings.Trim(name[from:i], "_")))
			from = i
		}
	}
	return words
}

// requests judges requests that wait for another goroutine.
func (sc *scene) requests(s *site) verdict {
	v := verdict{state: VerdictSlow, report: true, severity: Info,
		confidence: ConfidenceLow, other: ConfidenceLow, receiver: ReceiverUnknown,
		clause: same("no goroutine is sending there at this moment")}
	if n, sure := sc.graph.holder(s); n != nil {
		v.receiver, v.other = ReceiverPresent, sure
		v.clause = same("it waits for " + n.who() + ", which" + n.is() + n.doing())
	} else if s.op == WaitGroup || s.op == Cond {
		v.clause = same("no goroutine has woken " + pronoun(s.count))
	}
	switch {
	case s.op == ChanReceive && s.count < sc.rules.Many && v.receiver == ReceiverUnknown:
		// A stream of events waits for the next one, or for its client to leave.
	case sc.timed && s.longest == 0:
		// Each of them has come within the last minute.
	case s.count >= sc.rules.Many || s.longest >= sc.rules.Minutes:
		v.severity = Warning
	}
	if sc.starved(s) {
		v.state, v.severity = VerdictStuck, Warning
		v.clause = same("all requests wait for their turn there, and no other " +
			"goroutine is at work")
	}
	if s.longest >= sc.rules.Minutes {
		v.confidence = ConfidenceMedium
	}
	if s.count >= 10*sc.rules.Many && s.longest >= sc.rules.Minutes {
		v.state, v.severity, v.confidence = VerdictStuck, Critical, ConfidenceHigh
	}
	return v
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// working judges goroutines that do not wait for another one.
func (sc *scene) working(s *site) verdict {
	v := verdict{state: VerdictWorking, why: doing(s.op)}
	if call := promptCall(s); call != "" && s.longest >= sc.rules.Minutes {
		return verdict{state: VerdictStuck, report: true,
			severity: sc.grade(s, Warning), confidence: ConfidenceMedium,
			other: ConfidenceLow, receiver: ReceiverUnknown,
			why:    "a system call that does not take that long",
			clause: same(call + " does not take that long")}
	}
	if call := osLock(s.stacks[0]); call != "" && s.op == Syscall &&
		s.longest >= min(sc.rules.Minutes, unheldTooLong) {
		return verdict{state: VerdictStuck, report: true,
			severity: sc.grade(s, Warning), confidence: ConfidenceMedium,
			other: ConfidenceLow, receiver: ReceiverUnknown,
			why:    "a lock that is not Go's",
			clause: same(call + " waits for a lock that is not Go's")}
	}
	switch {
	case s.op == Running && panicking(s.stacks[0]):
		return verdict{state: VerdictWorking, report: true, severity: Info,
			confidence: ConfidenceHigh, other: ConfidenceLow,
			receiver: ReceiverUnknown, why: "panics",
			clause: clause{"it panics", "they panic"}}
	case s.op == Running:
		return v
	case sc.oneShot(s):
		return sc.leak(s, "they are nearly all goroutines of the process")
	case s.op == IO && s.requests == 0:
		v.state, v.why = VerdictIdle, "waits for the other side of a connection"
	case s.op == Sleep && s.requests == 0:
		v.state, v.why = VerdictIdle, "sleeps"
	case s.op == IO && hears(s.stacks[0]):
		v.why = "reads from its own client"
	case s.requests >= sc.rules.Many ||
		s.op == Syscall && s.count >= sc.rules.Many:
		v = verdict{state: VerdictSlow, report: true, severity: Info,
			confidence: ConfidenceLow, other: ConfidenceLow,
			receiver: ReceiverUnknown, clause: same("slow rather than stuck")}
		if s.longest >= sc.rules.Minutes {
			v.severity, v.confidence = Warning, ConfidenceMedium
			v.clause = same(fmt.Sprintf("the longest for %s",
				printable.Plural(s.longest, "minute")))
		}
		v.why = v.clause.of(s.count)
	}
	return v
}

// hears reports whether a request reads from its own client: the body of a
// request, or the messages of a connection that it has taken over. These may
// take as long as the client likes.
func hears(s *Stack) bool {
	for _, f := range s.Frames {
		if strings.HasPrefix(f.Func, "net/http.(*body).") ||
			strings.HasPrefix(f.Func, "net/http.(*expectContinueReader).") ||
			strings.Contains(packageOf(f.Func), "websocket") {
			return true
		}
		if strings.HasSuffix(f.Func, ".ServeHTTP") {
			break
		}
	}
	return false
}

// panicking reports whether the goroutine of s is in a panic, rather than in a
// function that only has that in its name.
func panicking(s *Stack) bool {
	for _, f := range s.Frames {
		if f.Func == "panic" || f.Func == "runtime.gopanic" {
			return true
		}
		if !isStd(f.Func) {
			break
		}
	}
	return false
}

// unnamed judges a profile with debug=1 whose runtime calls have no names.
func (sc *scene) unnamed(s *site) verdict {
	v := verdict{state: VerdictUnknown,
		why: "the profile does not say what they wait for"}
	if s.op == ChanAny && s.requests == 0 && sc.dominant(s) {
		return sc.leak(s, "they are nearly all goroutines of the process")
	}
	if s.requests >= sc.rules.Many || s.count >= 100*sc.rules.Many {
		v.report, v.severity, v.confidence = true, Warning, ConfidenceLow
		v.receiver, v.other = ReceiverUnknown, ConfidenceLow
		if s.op == ChanAny {
			v.severity, v.confidence = sc.grade(s, Warning), ConfidenceMedium
		}
		v.clause = same("a profile with debug=1 leaves out the operation: take one " +
			"with debug=2, or give the server's symbols or its binary")
	}
	return v
}

// confirm adds what earlier snapshots say.
func (sc *scene) confirm(s *site) {
	if len(sc.past) == 0 {
		return
	}
	v := &s.verdict
	h := sc.history(s)
	if stayed := sc.stayed(s); stayed > 0 && stuckIn(s.op) {
		v.evidence = append(v.evidence, fmt.Sprintf("%s of them stood there in an "+
			"earlier snapshot already", printable.Number(stayed)))
		if v.report && v.severity == Info && v.state != VerdictSlow {
			v.severity, v.state = Warning, VerdictStuck
		}
		if v.confidence == ConfidenceMedium {
			v.confidence = ConfidenceHigh
		}
	}
	if !sc.growing(s) {
		return
	}
	growth := fmt.Sprintf("growing: %s then, %s now", printable.Number(h[0]),
		printable.Number(s.count))
	if !v.report && parked(s.op) {
		*v = sc.leak(s, growth)
		v.severity = sc.grade(s, Warning)
		v.confidence = ConfidenceMedium
		return
	}
	v.evidence = append(v.evidence, growth)
}

// deadlocked makes one critical finding of goroutines that wait for each other.
func (sc *scene) deadlocked(cycle []*node) {
	first := cycle[0].site
	covered := make(map[*site]int)
	for _, n := range cycle {
		covered[n.site] += n.count
	}
	sure, text := ring(cycle)
	for s, n := range covered {
		if s != first && n == s.count && s.verdict.report {
			s.verdict.report, s.verdict.covered = false, true
		}
	}
	v := &first.verdict
	v.state, v.report, v.severity = VerdictStuck, true, Critical
	v.confidence, v.receiver, v.other = sure, ReceiverPresent, sure
	v.clause = same(text)
	v.why = v.clause.one
	v.evidence = nil
	for i, n := range cycle {
		if i == maxEvidence {
			v.evidence = append(v.evidence, fmt.Sprintf("and %d more", len(cycle)-i))
			break
		}
		v.evidence = append(v.evidence, n.who()+n.is()+n.doing()+" and "+n.waitsFor())
		v.stacks = append(v.stacks, n.stack())
	}
}

// ring is "deadlock: goroutines 20 and 21 wait for each other: 20 waits for
// (*race) 0x1, which 21 holds, ...".
func ring(cycle []*node) (sure Confidence, text string) {
	sure, text = ConfidenceHigh, "deadlock: "
	if slices.ContainsFunc(cycle, func(n *node) bool { return n.may || n.likely }) {
		sure, text = ConfidenceMedium, "most likely a deadlock: "
	}
	const most = 6
	var ids, steps []string
	for i, n := range cycle {
		if i == most {
			steps = append(steps, fmt.Sprintf("and %d more", len(cycle)-most))
			break
		}
		ids = append(ids, fmt.Sprint(n.id()))
		steps = append(steps, fmt.Sprintf("%d %s", n.id(), n.waitsFor()))
	}
	if len(cycle) == 1 {
		return sure, fmt.Sprintf("%sgoroutine %s waits for itself", text, ids[0])
	}
	return sure, fmt.Sprintf("%sgoroutines %s wait for each other (%s): %s", text,
		strings.Join(ids, " and "), strings.Join(ids, " ↔ "),
		strings.Join(steps, ", "))
}

// waitsFor is "waits for (*race) 0xc000200000, which 21 holds", or "waits for 21
// to end".
func (n *node) waitsFor() string {
	switch n.object {
	case toEnd, toReceive, toUnlock:
		return fmt.Sprintf("waits for %d %s", n.to.id(), n.object)
	}
	holds := "holds"
	if n.to.may {
		holds = "may hold"
	}
	return fmt.Sprintf("waits for %s, which %d %s", n.object, n.to.id(), holds)
}

// locked returns how many goroutines are behind those of s because of a lock
// that they hold, and whether a finding at severity warning is about any.
func (sc *scene) locked(s *site) (behind int, reported bool) {
	for _, n := range sc.graph.of(s) {
		locks := n.holds() != ""
		for _, waits := range n.from {
			if waits.object != toUnlock && n.holds() == "" {
				continue
			}
			locks = true
			v := waits.site.verdict
			reported = reported || v.report && v.severity >= Warning
		}
		if locks {
			behind += n.behind
		}
	}
	return behind, reported
}

// headSends reports senders that hold a lock others wait for: these are not a
// producer that is ahead of its consumer.
func (sc *scene) headSends(s *site, behind int) {
	v := &s.verdict
	*v = verdict{state: VerdictStuck, report: true, severity: Warning,
		confidence: ConfidenceMedium, receiver: v.receiver, other: ConfidenceLow,
		clause: same(fmt.Sprintf("%s behind %s", printable.Plural(behind, "goroutine"),
			pronoun(s.count)))}
	if v.receiver == "" {
		v.receiver = ReceiverUnknown
	}
	if n := sc.receiverOn(s); n != nil {
		v.receiver = ReceiverPresent
		v.clause = v.clause.and(same(n.who() + ", most likely its receiver, is " +
			n.doing()))
	}
	v.why = v.clause.of(s.count)
}

// heads reports goroutines that wait for an end which does not come, if others
// wait for an object they hold, or if no goroutine is left that could end it.
func (sc *scene) heads(s *site) {
	v := &s.verdict
	behind, reported := sc.locked(s)
	if reported && v.state == VerdictUnknown && s.op == ChanSend {
		sc.headSends(s, behind)
		return
	}
	if v.report || v.covered || s.design || s.at.Func == "" ||
		s.op != WaitGroup && s.op != Cond ||
		s.longest < sc.rules.Minutes && !reported {
		return
	}
	reason := same(fmt.Sprintf("%s behind %s", printable.Plural(behind, "goroutine"),
		pronoun(s.count)))
	worker, _ := sc.graph.holder(s)
	switch {
	case behind > 0:
	case worker != nil && s.stopping(worker):
		text := worker.who() + ", which" + worker.is() + worker.doing()
		reason = clause{"it waits for " + text, "they wait for " + text}
	case worker != nil, s.op == Cond, s.entry == "main", s.stacks[0].members.len() == 0,
		sc.graph.workers(s) > 0:
		return
	case sc.partial:
		reason = clause{"what it waits for is not in this input",
			"what they wait for is not in this input"}
	default:
		reason = clause{"no goroutine is left that it or its creator has started",
			"no goroutine is left that they or their creators have started"}
	}
	*v = verdict{state: VerdictStuck, report: true, severity: Warning,
		confidence: ConfidenceHigh, other: ConfidenceLow, receiver: ReceiverUnknown,
		clause: reason}
	if behind == 0 {
		v.confidence = ConfidenceMedium
	}
	v.why = v.clause.of(s.count)
}

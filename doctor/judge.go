package doctor

import (
	"fmt"
	"slices"
	"strings"

	"example.com/chanx/internal/printable"
)

// judge gives every site its verdict. Goroutines that are idle by design come
// first: one that waits for work is not a receiver that others miss.
func (sc *scene) judge() {
	sc.judgeDesigns()
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
	sc.brief()
	sc.chosen()
	for _, s := range sc.sites {
		if why := sc.blind(s); why != "" && !s.reported() {
			s.verdict = verdict{state: VerdictUnknown, why: why}
		}
	}
}

// judgeDesigns judges the goroutines that are idle by design.
func (sc *scene) judgeDesigns() {
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
}

// asleep reports whether the runtime says that all goroutines are asleep although
// each one that waits does so by design. That is no excuse there: on the
// playground, say, no connection to accept will come.
func (sc *scene) asleep() bool {
	return sc.deadlock && !slices.ContainsFunc(sc.sites, func(s *site) bool {
		_, designed := design(s.stacks[0])
		return s.waits() && !designed
	})
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
	if sc.nameless == nil {
		hidden := sc.now.Goroutines > 1 && !slices.ContainsFunc(sc.now.Stacks,
			func(s *Stack) bool {
				return s.State != "" || len(s.Frames) == 0 || s.Frames[0].Func == "" ||
					s.has("runtime.gopark")
			})
		sc.nameless = &hidden
	}
	return *sc.nameless
}

// warned reports whether a finding is about s that is no mere remark.
func (s *site) warned() bool {
	return s.verdict.covered || s.verdict.report && s.verdict.severity >= Warning
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
	case sc.neverDone(s):
		return verdict{state: VerdictIdle, why: "a literal that waits for a context " +
			"that is never done looks the same"}, true
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

// neverDone reports whether a few goroutines of a whole dump do nothing but
// receive from a nil channel in the literal that they were started with. They
// stop something when a context is done, and context.Background never is:
// its Done is nil.
func (sc *scene) neverDone(s *site) bool {
	stack := s.stacks[0]
	user := userCall(stack)
	return s.op == ChanReceiveNil && s.count < sc.rules.Many && s.requests == 0 &&
		!sc.partial && !sc.deadlock && !sc.timedOut && user >= 0 &&
		user == lastUser(stack) &&
		declared(s.at.Func) != s.at.Func
}

// staysInVain reports whether an empty select keeps a test from ending, or a
// process in which no other goroutine waits for anything.
func (sc *scene) staysInVain(s *site) bool {
	return sc.timedOut && s.entry == "test" || sc.deadlock &&
		!slices.ContainsFunc(sc.sites, func(o *site) bool {
			return !sc.spend() || o != s && (stuckIn(o.op) || parked(o.op))
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

// queue reports whether a third of a process waits for one lock. A profile has no
// times, so the number must do.
func (sc *scene) queue(s *site) bool {
	return s.stacks[0].members.len() == 0 && s.count >= 2*sc.rules.Many &&
		3*s.count >= sc.now.Goroutines
}

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

// stuckVerdict is the warning that goroutines are stuck, for a reason that names no
// counterpart. An empty why is left to the caller.
func stuckVerdict(sure Confidence, why string, c clause) verdict {
	return verdict{state: VerdictStuck, report: true, severity: Warning,
		confidence: sure, other: ConfidenceLow, receiver: ReceiverUnknown,
		why: why, clause: c}
}

// hears reports whether a request reads from its own client: the body of a
// request, the messages of a connection that it has taken over, or the bytes
// that a tunnel passes on. These take as long as the peers like.
func hears(s *Stack) bool {
	for _, f := range s.Frames {
		if strings.HasPrefix(f.Func, "net/http.(*body).") ||
			f.Func == "io.copyBuffer" ||
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
		*v = leak(growth)
		v.severity = sc.grade(s, Warning)
		v.confidence = ConfidenceMedium
		return
	}
	v.evidence = append(v.evidence, growth)
}

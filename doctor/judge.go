package doctor

import (
	"fmt"
)

// judge gives every site its verdict. What is idle comes first: who waits for
// work is not who should be receiving.
func (sc *scene) judge() {
	for _, s := range sc.sites {
		if why := sc.idle(s); why != "" {
			s.verdict = verdict{state: "idle", why: why}
			s.design = true
		}
		if s.at.Func == "main.main" && s.op == "sleep" {
			s.design = true // how a demonstration stays alive
		}
	}
	for _, s := range sc.sites {
		if s.verdict.state != "" {
			continue
		}
		s.verdict = sc.opinion(s)
		sc.confirm(s)
	}
}

// opinion is the verdict from one snapshot alone.
func (sc *scene) opinion(s *site) verdict {
	if v, certain := sc.forEver(s); certain {
		return v
	}
	switch s.op {
	case "chan send":
		return sc.sending(s)
	case "mutex", "rwmutex", "semaphore":
		return sc.locking(s)
	case "chan receive", "select", "cond", "waitgroup":
		return sc.awaiting(s)
	case "IO", "sleep", "syscall", "running":
		return sc.working(s)
	case "unknown":
		return sc.unnamed(s)
	}
	return verdict{state: "unknown", why: "no rule for " + string(s.op)}
}

// forEver knows what nothing can wake, whatever the other goroutines do.
func (sc *scene) forEver(s *site) (verdict, bool) {
	v := verdict{state: "stuck", report: true, confidence: "high",
		receiver: "missing"}
	switch {
	case s.leaked:
		v.clause = "the garbage collector found that nothing can ever wake them"
	case s.op == ChanSendNil || s.op == ChanReceiveNil:
		v.clause = "nothing can ever wake them"
	case s.op == "select (no cases)":
		if s.count == 1 || s.requests == 0 && s.count < sc.rules.Many {
			return verdict{state: "idle", why: "select {} is how to stay for ever"}, true
		}
		v.clause = "nothing can ever wake them"
	case s.stacks[0].has("runtime.runfinq") ||
		s.stacks[0].has("runtime.runFinalizers"):
		v.clause = "they hold up every other finalizer of the process"
		v.receiver, v.confidence = "unknown", "medium"
		if s.op == "running" || s.op == "syscall" || s.op == "IO" {
			return verdict{}, false
		}
	case sc.deadlock && (stuckIn(s.op) || parked(s.op)):
		v.clause = "the runtime found that no goroutine can go on"
		v.severity = Critical
	default:
		return verdict{}, false
	}
	v.why = v.clause
	v.severity = max(v.severity, sc.grade(s, Warning))
	if s.op == "chan send" {
		c := sc.receiverOf(s)
		v.receiver, v.evidence = c.receiver, c.evidence
		v.clause = c.clause + "; " + v.clause
	}
	return v, true
}

// grade raises a severity by what is held up.
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

// sending judges blocked senders: somebody ought to be receiving.
func (sc *scene) sending(s *site) verdict {
	c := sc.receiverOf(s)
	v := verdict{state: "stuck", report: true, receiver: c.receiver,
		confidence: c.confidence, clause: c.clause, evidence: c.evidence}
	alone := s.count == 1 && s.requests == 0
	switch {
	case c.receiver == "present" && !c.blocked:
		v.state = "slow"
		if s.requests >= sc.rules.Many || s.count >= 100*sc.rules.Many {
			v.severity = Warning
		}
	case alone && s.longest < sc.rules.Minutes && !sc.timedOut &&
		v.confidence != "high" && !c.blocked:
		v.state, v.confidence = "unknown", "low"
		v.clause += "; a producer ahead of its consumer looks the same"
	case c.receiver == "unknown":
		v.state = "unknown"
		v.severity = sc.grade(s, Info)
	default:
		v.severity = sc.grade(s, Warning)
	}
	v.why = v.clause
	return v
}

// locking judges who waits for a lock: the holder ought to let go.
func (sc *scene) locking(s *site) verdict {
	c := sc.holderOf(s)
	v := verdict{state: "stuck", report: true, receiver: c.receiver,
		confidence: c.confidence, clause: c.clause, evidence: c.evidence}
	v.severity = sc.grade(s, Warning)
	switch {
	case c.receiver == "present" && !c.blocked:
		v.state = "slow"
		if v.severity < Critical {
			v.severity = Info
		}
	case s.count == 1 && s.longest < sc.rules.Minutes && !c.blocked &&
		!sc.timedOut:
		v.state, v.severity = "unknown", Info
	}
	v.why = v.clause
	return v
}

// awaiting judges receives, selects and the like.
func (sc *scene) awaiting(s *site) verdict {
	v := sc.waiting(s)
	switch {
	case v.report:
		v.severity = sc.grade(s, Warning)
	case sc.timedOut && s.entry == "test":
		v = verdict{state: "stuck", report: true, severity: Warning,
			confidence: "medium", receiver: "unknown",
			clause: "the test that timed out waits here"}
	case s.requests > 0 && s.op != "select":
		v = sc.requests(s)
	case s.requests > 0:
		v.why = "requests waiting in a select may be long polls"
		if s.count >= sc.rules.Many {
			v = sc.requests(s)
			v.severity, v.state = Info, "unknown"
			v.clause += "; a long poll looks the same"
		}
	}
	if v.why == "" {
		v.why = v.clause
	}
	return v
}

// requests judges requests that wait for another goroutine.
func (sc *scene) requests(s *site) verdict {
	v := verdict{state: "slow", report: true, severity: Info, confidence: "low",
		receiver: "unknown", clause: "no goroutine is sending there at this moment"}
	if s.op == "waitgroup" || s.op == "cond" {
		v.clause = "who should wake them has not"
	}
	if s.count >= sc.rules.Many || s.longest >= sc.rules.Minutes {
		v.severity = Warning
	}
	if s.count >= 10*sc.rules.Many && s.longest >= sc.rules.Minutes {
		v.state, v.severity, v.confidence = "stuck", Critical, "medium"
	}
	return v
}

// working judges what is not waiting for another goroutine.
func (sc *scene) working(s *site) verdict {
	v := verdict{state: "working", why: doing(s.op)}
	switch {
	case s.op == "running":
		return v
	case s.op == "IO" && s.requests == 0:
		v.state, v.why = "idle", "waits for the other side of a connection"
	case s.op == "sleep" && s.requests == 0:
		v.state, v.why = "idle", "sleeps"
	case s.requests >= sc.rules.Many ||
		s.op == "syscall" && s.count >= sc.rules.Many:
		v = verdict{state: "slow", report: true, severity: Info, confidence: "low",
			receiver: "unknown", clause: "slow rather than stuck"}
		if s.longest >= sc.rules.Minutes {
			v.severity, v.confidence = Warning, "medium"
			v.clause = fmt.Sprintf("the longest for %d minutes", s.longest)
		}
		v.why = v.clause
	}
	return v
}

// unnamed judges a profile with debug=1 whose runtime calls have no names.
func (sc *scene) unnamed(s *site) verdict {
	v := verdict{state: "unknown",
		why: "the profile does not say what they wait for"}
	if s.requests >= sc.rules.Many || s.count >= 100*sc.rules.Many {
		v.report, v.severity, v.confidence = true, Warning, "low"
		v.receiver = "unknown"
		v.clause = "a profile with debug=1 leaves out the operation: take one " +
			"with debug=2, or give the server's symbols or its binary"
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
			"earlier snapshot already", number(stayed)))
		if v.report && v.severity == Info && v.state != "slow" {
			v.severity, v.state = Warning, "stuck"
		}
		if v.confidence == "medium" {
			v.confidence = "high"
		}
	}
	if !sc.growing(s) {
		return
	}
	growth := fmt.Sprintf("growing: %s then, %s now", number(h[0]),
		number(s.count))
	if !v.report && parked(s.op) {
		*v = sc.leak(s, growth)
		v.severity = sc.grade(s, Warning)
		v.confidence = "medium"
		return
	}
	v.evidence = append(v.evidence, growth)
}

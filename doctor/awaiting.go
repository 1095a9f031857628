package doctor

import "strings"

// awaitingEnd judges goroutines for which a library waits until something is
// given back. That is no waiting for work, however few they are.
func (sc *scene) awaitingEnd(s *site) verdict {
	c := counterpart{receiver: ReceiverUnknown, confidence: ConfidenceLow}
	if s.resource == remote {
		v := sc.working(s)
		switch {
		case v.report:
		case s.count >= 100*sc.rules.Many:
			v = leak("too many for calls under way")
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
		v = stuckVerdict(ConfidenceHigh, "", same("the test that timed out waits here"))
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

// requests judges requests that wait for another goroutine.
func (sc *scene) requests(s *site) verdict {
	v := verdict{state: VerdictSlow, report: true, severity: Info,
		confidence: ConfidenceLow, other: ConfidenceLow, receiver: ReceiverUnknown,
		clause: same("no goroutine is sending there at this moment")}
	tunnel := false
	if n, sure := sc.graph.holder(s); n != nil {
		v.receiver, v.other = ReceiverPresent, sure
		v.clause = same("it waits for " + n.who() + ", which" + n.is() + n.doing())
		tunnel = n.site.op == IO && !writes(n.site) && hears(n.stack())
	} else if s.op == WaitGroup || s.op == Cond {
		v.clause = same("no goroutine has woken " + pronoun(s.count))
	}
	switch {
	case tunnel:
		return v
	case s.op == ChanReceive && v.receiver == ReceiverUnknown &&
		(s.count < sc.rules.Many || inHandler(s.stacks[0])):
		// A stream of events waits for the next one, or for its client to leave.
		if s.longest >= sc.rules.Minutes {
			v.state = VerdictUnknown
			v.clause = v.clause.and(same("a stream of events looks the same"))
		}
	case s.op == WaitGroup && sc.profiled(s) && v.receiver == ReceiverUnknown &&
		sc.alive(declared(s.at.Func)) > s.count:
		// Literals of the function are at work.
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

// inHandler reports whether a request waits in its handler itself, as one that
// sends events does, rather than in a call that returns an answer.
func inHandler(s *Stack) bool {
	caller := userCall(s) + 1
	for caller < len(s.Frames) && strings.HasSuffix(s.Frames[caller].Func, "-fm") {
		caller++ // the wrapper of a method value
	}
	return caller < len(s.Frames) &&
		(strings.HasSuffix(s.Frames[caller].Func, ".ServeHTTP") ||
			strings.HasSuffix(s.Frames[caller].Func, "_Handler"))
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

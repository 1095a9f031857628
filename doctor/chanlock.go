package doctor

import "slices"

// turn looks for a goroutine that is further on in the call that those of s wait
// in, on the same instance, and most likely has their turn. Where a value's own
// Lock waits, it is the call that locks.
func (sc *scene) turn(s *site) (found *site) {
	if s.op != ChanReceive && s.op != Select || s.longest < sc.rules.Minutes {
		return nil
	}
	call := s.at
	if stack := s.stacks[0]; limits(call.Func) {
		if outer := userCall(stack) + 1; outer > 0 && outer < len(stack.Frames) {
			call = stack.Frames[outer]
		}
	} else if s.op == Select {
		return nil
	}
	if methodType(call.Func) == "" || isLoop(call.Func) {
		return nil
	}
	sc.search(packageOf(call.Func), func(e entry) bool {
		if e.frame == len(e.stack.Frames) || e.site == s ||
			e.call().Func != call.Func || e.site.count >= s.count ||
			e.call().Line <= call.Line && call != s.at ||
			e.site.longest+1 < s.longest || e.stack.members.at == nil ||
			sc.apart(s, call.Func, e) {
			return true
		}
		found = e.site
		return false
	})
	return found
}

// further looks for goroutines that are further on in the function in which
// those of s send, and do not send themselves. Where the channel is a semaphore,
// they have the places and will give them back.
func (sc *scene) further(s *site) (found *site) {
	if s.op != ChanSend || sc.partial || sc.timedOut || isLoop(s.at.Func) {
		return nil
	}
	sc.search(packageOf(s.at.Func), func(e entry) bool {
		if e.frame == len(e.stack.Frames) || e.site == s || e.site.design ||
			e.site.op == ChanSend || e.call().Func != s.at.Func ||
			e.call().Line <= s.at.Line || sc.apart(s, s.at.Func, e) {
			return true
		}
		found = e.site
		return false
	})
	return found
}

// awaitsTurn judges senders that have waited for less than minutes, and others
// are further on.
func (sc *scene) awaitsTurn(s, ahead *site) verdict {
	n := sc.graph.group(ahead)
	v := verdict{state: VerdictSlow, report: true, severity: Info,
		confidence: ConfidenceLow, other: ConfidenceLow, receiver: ReceiverPresent,
		clause: same(n.who() + n.is() + "further on in the same call: " + n.doing())}
	if s.requests >= sc.rules.Many || s.count >= 100*sc.rules.Many {
		v.severity = Warning
	}
	v.why = v.clause.of(s.count)
	return v
}

// starved reports whether the goroutines of s are all requests of the process,
// waiting for their turn, and no other goroutine is at work that could end it.
func (sc *scene) starved(s *site) bool {
	return s.op == ChanReceive && s.count > 1 && s.requests == s.count &&
		limits(s.at.Func) && !sc.partial && !slices.ContainsFunc(sc.sites,
		func(o *site) bool {
			return !sc.spend() || o != s && (o.requests > 0 || o.awake())
		})
}

// awake reports whether goroutines may be at work, unlike those that are idle by
// design, parked in a select, or read for a loop of a library.
func (s *site) awake() bool {
	switch {
	case s.design, s.op == RuntimeInternal:
		return false
	case s.op == Select:
		return s.resource != ""
	case s.op == IO:
		return designOf(s.stacks[0].root().Func) == ""
	}
	return true
}

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

// starved reports whether the goroutines of s are all requests of the process,
// waiting for their turn, and no other goroutine is at work that could end it.
func (sc *scene) starved(s *site) bool {
	return s.op == ChanReceive && s.count > 1 && s.requests == s.count &&
		limits(s.at.Func) && !sc.partial && !slices.ContainsFunc(sc.sites,
		func(o *site) bool { return o != s && (o.requests > 0 || o.awake()) })
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

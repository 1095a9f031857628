package doctor

// sending judges blocked senders: another goroutine should be receiving.
func (sc *scene) sending(s *site) verdict {
	if ahead := sc.further(s); ahead != nil && s.longest < sc.rules.Minutes {
		return sc.awaitsTurn(s, ahead)
	}
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

// abandoned reports whether the main goroutine sends, or another one has sent for
// minutes, while no other goroutine of the process is at work: each is idle by
// design or parked in a select, which has no case for this channel. If the sender
// is not the main goroutine, another one must wait for a WaitGroup, most likely for
// that sender.
func (sc *scene) abandoned(s *site) bool {
	if sc.partial || s.entry != "main" && s.longest < unheldTooLong {
		return false
	}
	joins := s.entry == "main"
	for _, o := range sc.sites {
		switch {
		case o == s:
		case o.op == WaitGroup && o.longest+1 >= s.longest && s.entry != "main":
			joins = true
		case o.awake():
			return false
		}
	}
	return joins
}

// heldUp reports whether the only goroutine of s, which has sent for minutes, is
// inside an object on which another one has waited as long, in a call from
// elsewhere: the reader of a connection, say, and a caller that waits for its
// answer. A producer that is ahead of its consumer holds up none.
func (sc *scene) heldUp(s *site) bool {
	stack := s.stacks[0]
	if s.longest < unheldTooLong || stack.members.len() != 1 {
		return false
	}
	inside := make(map[uint64]string)
	words := stack.args(0, nil)
	for i := max(userCall(stack), 0); i < min(len(words), len(stack.Frames)); i++ {
		v, typ := words[i].receiver(), methodType(stack.Frames[i].Func)
		if v != 0 && typ != "" {
			inside[v] = typ
		}
	}
	for _, o := range sc.sites {
		if len(inside) > 0 && o != s && !o.design && parked(o.op) &&
			o.longest+1 >= s.longest && sc.calls(o, inside, s.longest) {
			return true
		}
	}
	return false
}

// calls reports whether a goroutine of s has waited for about so many minutes in
// a call on one of the objects, from another function of the program.
func (sc *scene) calls(s *site, objects map[uint64]string, minutes int) bool {
	const most = 16 // members that are compared
	for _, stack := range s.stacks {
		if stack.longest()+1 < minutes {
			continue
		}
		last := lastUser(stack)
		for m := range min(stack.members.len(), most) {
			if !sc.graph.afford(stack) {
				return false
			}
			words := stack.args(m, nil)
			for i := max(userCall(stack), 0); i < min(len(words), last); i++ {
				typ := objects[words[i].receiver()]
				if typ != "" && typ == methodType(stack.Frames[i].Func) {
					return true
				}
			}
		}
	}
	return false
}

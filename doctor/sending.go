package doctor

import "slices"

// sending judges blocked senders: another goroutine should be receiving.
func (sc *scene) sending(s *site) verdict {
	if ahead := sc.further(s); ahead != nil && s.longest < sc.rules.Minutes {
		return sc.awaitsTurn(s, ahead)
	}
	c := sc.receiverOf(s)
	v := c.verdict(sc.stall(s, c))
	abandoned := sc.abandoned(s)
	alone := s.count == 1 && s.requests == 0 && !abandoned
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
	case c.receiver == ReceiverUnknown && !sc.partial && !abandoned:
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
// design or parked on another channel, or in a select without it. For a sender
// other than the main goroutine, another one also waits for a WaitGroup, most
// likely for the sender to end.
func (sc *scene) abandoned(s *site) bool {
	if sc.partial || s.entry != "main" && s.longest < unheldTooLong {
		return false
	}
	if sc.busy == nil {
		sc.busy = sc.two(func(o *site) bool {
			return o.op != WaitGroup && o.awake() && (!parked(o.op) || o.resource != "")
		})
	}
	if others(sc.busy, s) {
		return false // which is known without a look at all
	}
	joins := s.entry == "main"
	for _, o := range sc.sites {
		switch {
		case o == s:
		case o.op == WaitGroup && o.longest+1 >= s.longest && s.entry != "main":
			joins = true
		case o.awake() && (!parked(o.op) || o.resource != "" || s.entry == "main"):
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
	calls := sc.calledObjects()
	for _, c := range insideOf(stack) {
		if l := calls[c]; l.elsewhere(s, s.longest) {
			return true
		}
	}
	return false
}

// objectCall is an object and the type whose method is called on it.
type objectCall struct {
	object uint64
	typ    string
}

// insideOf returns the objects that the first goroutine of a stack is inside, each
// with the type of the outermost call on it.
func insideOf(s *Stack) (calls []objectCall) {
	words := s.args(0, nil)
	for i := max(userCall(s), 0); i < min(len(words), len(s.Frames)); i++ {
		v, typ := words[i].receiver(), methodType(s.Frames[i].Func)
		if v == 0 || typ == "" || words[i].doubtful[0] {
			continue
		}
		calls = slices.DeleteFunc(calls, func(c objectCall) bool {
			return c.object == v
		})
		calls = append(calls, objectCall{v, typ})
	}
	return calls
}

// calledObjects returns how long goroutines have waited in calls on objects, from
// another function of the program: on those that a sender may be inside. It is
// computed once, rather than for each sender.
func (sc *scene) calledObjects() map[objectCall]longest {
	if sc.called != nil {
		return sc.called
	}
	sc.called = make(map[objectCall]longest)
	for _, s := range sc.sites {
		if s.op == ChanSend && s.longest >= unheldTooLong &&
			s.stacks[0].members.len() == 1 {
			for _, c := range insideOf(s.stacks[0]) {
				sc.called[c] = longest{}
			}
		}
	}
	for _, s := range sc.sites {
		if len(sc.called) > 0 && !s.design && parked(s.op) {
			sc.callsOf(s)
		}
	}
	return sc.called
}

// callsOf notes the calls of s on objects that senders may be inside.
func (sc *scene) callsOf(s *site) {
	const most = 16 // members that are compared
	for _, stack := range s.stacks {
		waited := stack.longest()
		if waited+1 < unheldTooLong {
			continue
		}
		user, last := max(userCall(stack), 0), lastUser(stack)
		for m := range min(stack.members.len(), most) {
			if !sc.graph.afford(stack) {
				return
			}
			words := stack.args(m, nil)
			for i := user; i < min(len(words), last); i++ {
				c := objectCall{words[i].receiver(), methodType(stack.Frames[i].Func)}
				if l, wanted := sc.called[c]; wanted {
					l.add(s, waited)
					sc.called[c] = l
				}
			}
		}
	}
}

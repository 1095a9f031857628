package doctor

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
		if v != 0 && typ != "" && !words[i].doubtful[0] {
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

// chosenWith reports whether the author of an extract without times shows a
// goroutine that waits and the sender: two ends of one stall. A dump of a crash
// that was cut short shows whatever came first.
func (sc *scene) chosenWith(s *site) bool {
	if sc.timed || !extract(sc.now) || s.stacks[0].members.len() == 0 {
		return false
	}
	for _, o := range sc.sites {
		if o != s && !o.design && o.waits() && o.at.Func != "main.main" {
			return true
		}
	}
	return false
}

package doctor

// closingMain reports the main goroutine of a profile that is closing an object
// and waits for a goroutine of the object's type to end which reads: a profile
// has no times, and a snapshot rarely meets a process in its last moments. It
// runs if there is no other warning.
func (sc *scene) closingMain() {
	for _, s := range sc.sites {
		if s.entry != "main" || s.design || sc.partial || !sc.profiled(s) ||
			s.op != WaitGroup && s.op != ChanReceive {
			continue
		}
		typ := methodType(declared(closingCall(s.stacks[0])))
		for _, o := range sc.sites {
			if !sc.spend() {
				return
			}
			if o.op == IO && !o.design && !writes(o) &&
				startedBy(typ, o) {
				sc.closes(s, o)
				break
			}
		}
	}
}

// closes reports goroutines that most likely wait for those of o to end.
func (sc *scene) closes(s, o *site) {
	n := sc.graph.group(o)
	sc.graph.join(sc.graph.group(s), n, toEnd)
	text := "most likely for " + n.who() + " to end: " + n.doing()
	s.verdict = stuckVerdict(ConfidenceLow, text, same(text))
	s.verdict.receiver = ReceiverPresent
}

// startedBy reports whether the goroutines of s, which are no workers with jobs to
// end, were started with a method of the type or a literal in one.
func startedBy(typ string, s *site) bool {
	root := s.stacks[0].root().Func
	return typ != "" && methodType(declared(root)) == typ && !namesWorker(root)
}

package doctor

// unfinished reports the tests of a run that timed out which are at work, asleep
// or waiting for IO: they did not end either. It runs if there is no other
// warning, since such a test may poll for what a stuck goroutine should do.
func (sc *scene) unfinished() {
	if !sc.timedOut {
		return
	}
	for _, s := range sc.sites {
		if s.entry != "test" || s.design || s.warned() {
			continue
		}
		switch s.op {
		case Running, Sleep, IO, Syscall:
		default:
			continue
		}
		s.verdict = stuckVerdict(ConfidenceMedium, "a test that did not end",
			clause{"the test that timed out was there: either it never ends " +
				"or it needs more time", "the tests that timed out were there: either " +
				"they never end or they need more time"})
	}
}

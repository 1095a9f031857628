package doctor

// minutesAlone is for how long the only goroutine of an extract must have waited.
// For two minutes none is shown that is at work.
const minutesAlone = 2

// alone reports whether the only goroutine of s, besides the runtime's, is what
// the author of an extract shows, and it is neither in a loop that waits for work
// nor reads a connection.
func (sc *scene) alone(s *site) bool {
	if s.count > 1 || s.op == IO || s.op == Sleep ||
		s.op != WaitGroup && isPool(s.at.Func) ||
		s.stacks[0].members.len() == 0 {
		return false
	}
	for _, o := range sc.sites {
		if o != s && userCall(o.stacks[0]) >= 0 {
			return false
		}
	}
	return true
}

// shownTogether reports whether the author of an extract shows both goroutines
// that wait for a WaitGroup and goroutines that the same function has started,
// which have waited for as long.
func (sc *scene) shownTogether(s *site) bool {
	if s.op != WaitGroup || s.longest < sc.patience() || s.entry == "main" {
		return false
	}
	waiter := declared(s.at.Func)
	for _, o := range sc.sites {
		if o != s && !o.design && parked(o.op) && o.longest+1 >= s.longest &&
			waiter == declared(o.stacks[0].CreatedBy.Func) {
			return true
		}
	}
	return false
}

// maxPicked is how many places an extract has whose author picked each of them.
const maxPicked = 8

// pickedAlone reports whether the author of a few records of a profile picked that
// of s, rather than a part of a profile.
func (sc *scene) pickedAlone(s *site) bool {
	return sc.picked(s) && len(sc.sites) <= maxPicked
}

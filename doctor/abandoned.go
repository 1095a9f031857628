package doctor

// abandoned reports whether the main goroutine sends, or another one has sent for
// minutes, while no other goroutine of the process is at work: each is idle by
// design or parked in a select, which has no case for this channel. Besides a
// sender that is not the main goroutine one waits for a WaitGroup, most likely for
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

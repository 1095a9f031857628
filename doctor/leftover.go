package doctor

// leftover reports whether the input is goleak's report of the goroutines of s:
// they were alive when all tests had ended.
func (sc *scene) leftover(s *site) bool {
	if len(sc.now.leftover) == 0 {
		return false
	}
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			if !sc.now.leftover[m.ID] {
				return false
			}
		}
	}
	return true
}

// leftBehind is the verdict on goroutines that a leak detector reports. A library
// call in them names the object that was not closed.
func leftBehind(s *site) verdict {
	v := stuckVerdict(ConfidenceMedium, "alive after the tests had ended",
		same("found alive after the tests had ended"))
	if why, ok := design(s.stacks[0]); ok {
		v.clause = v.clause.and(clause{"it " + why, "each " + why})
	}
	return v
}

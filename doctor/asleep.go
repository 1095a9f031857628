package doctor

import "slices"

// asleep reports whether the runtime says that all goroutines are asleep although
// each one that waits does so by design. That is no excuse there: on the
// playground, say, no connection to accept will come.
func (sc *scene) asleep() bool {
	return sc.deadlock && !slices.ContainsFunc(sc.sites, func(s *site) bool {
		_, designed := design(s.stacks[0])
		return s.waits() && !designed
	})
}

package doctor

import "fmt"

// fromSource asks the source code who receives.
func (sc *scene) fromSource(s *site) (counterpart, bool) {
	if sc.rules.Receivers == nil {
		return counterpart{}, false
	}
	names := sc.rules.Receivers(s.finding())
	if names == nil {
		return counterpart{}, false
	}
	c := counterpart{receiver: ReceiverMissing, confidence: ConfidenceHigh,
		clause: same(noReceiver)}
	var reasons []string
	for _, name := range names {
		busy := sc.busyIn(name, s)
		switch {
		case busy != nil:
			return counterpart{receiver: ReceiverPresent,
				confidence: ConfidenceHigh, site: busy, source: true,
				blocked: stuckIn(busy.op),
				clause: same(fmt.Sprintf("%s receives there and is busy, %s",
					short(name), where(busy)))}, true
		case sc.alive(name) > 0:
			reasons = append(reasons, fmt.Sprintf("%s receives from this "+
				"channel by the source and is parked elsewhere", short(name)))
		default:
			reasons = append(reasons, fmt.Sprintf("%s receives from this "+
				"channel by the source and is in no stack", short(name)))
			c.clause = same(noReceiver + ": " + short(name) +
				", which should, is in no stack")
		}
	}
	c.list(reasons)
	if len(names) == 0 {
		c.clause = same("nothing in the source receives there")
	}
	return c, true
}

// busyIn returns the site of a goroutine that has a call of the function and
// is not parked, or nil.
func (sc *scene) busyIn(function string, not *site) (busy *site) {
	sc.search(packageOf(function), func(e entry) bool {
		if e.site != not && e.frame < len(e.stack.Frames) &&
			e.call().Func == function && !parked(e.site.op) {
			busy = e.site
		}
		return busy == nil
	})
	return busy
}

package doctor

import (
	"fmt"

	"example.com/chanx/internal/printable"
)

// awaited reports goroutines that wait for the world outside the process, in a
// write, a call over the network or one of the system, if others that are stuck
// wait for them: they are the ones to look at. Without the others they may be at
// work. Those that read are among them only if they should receive from the others,
// and have been reading for as long.
func (sc *scene) awaited(s *site) {
	v := &s.verdict
	if v.report || v.covered || s.design || s.longest < sc.rules.Minutes ||
		s.op != IO && s.op != Syscall && s.resource != remote {
		return
	}
	behind, stuck, sure := 0, false, ConfidenceLow
	for _, n := range sc.graph.of(s) {
		for _, w := range n.from {
			behind += w.count + w.behind
			switch {
			case !w.warned():
			case w.object == toReceive:
				stuck = stuck || s.op != Syscall && s.longest+1 >= w.minutes()
			case s.op != IO || writes(s):
				stuck, sure = true, ConfidenceMedium
			}
		}
	}
	if !stuck {
		return
	}
	text := fmt.Sprintf("%s behind %s", printable.Plural(behind, "goroutine"),
		pronoun(s.count))
	*v = stuckVerdict(sure, text, same(text))
}

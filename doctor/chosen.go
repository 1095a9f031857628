package doctor

import (
	"fmt"
	"slices"

	"example.com/chanx/internal/printable"
)

// minutesAlone is for how long the only goroutine of an extract must have waited.
// For two minutes none is shown that is at work.
const minutesAlone = 2

// alone reports whether the goroutine of s is the only one of an extract, except
// for the runtime's. A loop that waits for work does not count, nor does a read
// of a connection.
func (sc *scene) alone(s *site) bool {
	if s.count > 1 || s.op == IO || s.op == Sleep ||
		s.op != WaitGroup && isPool(s.at.Func) ||
		s.stacks[0].members.len() == 0 {
		return false
	}
	if sc.ofUser == nil {
		sc.ofUser = sc.two(func(o *site) bool { return userCall(o.stacks[0]) >= 0 })
	}
	return !others(sc.ofUser, s)
}

// shownTogether reports whether the author of an extract shows both goroutines
// that wait for a WaitGroup and goroutines that the same function has started,
// which have waited for as long.
func (sc *scene) shownTogether(s *site) bool {
	if s.op != WaitGroup || s.longest < sc.patience() || s.entry == "main" {
		return false
	}
	if sc.parked == nil {
		sc.parked = make(map[string]longest)
		for _, o := range sc.sites {
			if creator := declared(o.stacks[0].CreatedBy.Func); !o.design &&
				parked(o.op) {
				l := sc.parked[creator]
				l.add(o, o.longest)
				sc.parked[creator] = l
			}
		}
	}
	l := sc.parked[declared(s.at.Func)]
	return l.elsewhere(s, s.longest)
}

// maxPicked is how many places an extract has whose author picked each of them.
const maxPicked = 8

// pickedAlone reports whether the author of a few records of a profile picked that
// of s, rather than a part of a profile.
func (sc *scene) pickedAlone(s *site) bool {
	return sc.picked(s) && len(sc.sites) <= maxPicked
}

// chosen reports goroutines of an extract that have waited for long, if there is
// no other finding: the author of the extract did not choose idle ones. Many of
// a kind are most likely too many, and a single one is there for itself.
func (sc *scene) chosen() {
	if !sc.now.Extract || slices.ContainsFunc(sc.sites, (*site).reported) {
		return
	}
	for _, s := range sc.sites {
		if s.design || s.op == Running || s.at.Func == "main.main" {
			continue
		}
		if sc.picked(s) && s.count > 1 && s.op != IO {
			s.verdict = verdict{state: VerdictUnknown, why: "picked from a profile"}
		}
		together := sc.shownTogether(s)
		if s.longest < sc.rules.Minutes && !together &&
			(s.longest < minutesAlone || s.op != WaitGroup || !sc.alone(s)) {
			continue
		}
		s.verdict = verdict{state: VerdictUnknown, report: true, severity: Info,
			confidence: ConfidenceLow, other: ConfidenceLow,
			receiver: ReceiverUnknown, why: "picked from a dump",
			clause: same(fmt.Sprintf("picked from a dump, after %s; what ends this "+
				"is not in the input", printable.Plural(s.longest, "minute")))}
		if s.count >= sc.rules.Many && 2*s.count > sc.now.Goroutines &&
			parked(s.op) && !isPool(s.at.Func) || together || sc.alone(s) {
			s.verdict.severity = Warning
		}
	}
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

// picked reports whether s is one of some records of a profile: their author
// chose them, most likely since they are too many.
func (sc *scene) picked(s *site) bool {
	return sc.now.Extract && s.stacks[0].members.len() == 0
}

// timeless reports whether the input is some goroutines of a dump without any
// time, as delve prints them and people retype them: that they were chosen must do
// instead.
func (sc *scene) timeless() bool { return sc.partial && !sc.timed }

// patience is for how many minutes a single sender may be ahead of its
// receiver. Someone chose the goroutines of an extract because they are stuck.
func (sc *scene) patience() int {
	if sc.partial {
		return min(sc.rules.Minutes, 1)
	}
	return sc.rules.Minutes
}

package doctor

import (
	"fmt"

	"example.com/chanx/internal/printable"
)

// locked returns how many goroutines are behind those of s because of a lock
// that they hold, and whether a finding at severity warning is about any.
func (sc *scene) locked(s *site) (behind int, reported bool) {
	for _, n := range sc.graph.of(s) {
		locks := n.holds() != ""
		for _, waits := range n.from {
			if waits.object != toUnlock && n.holds() == "" {
				continue
			}
			locks = true
			v := waits.site.verdict
			reported = reported || v.report && v.severity >= Warning
		}
		if locks {
			behind += n.behind
		}
	}
	return behind, reported
}

// headSends reports senders that hold a lock others wait for: these are not a
// producer that is ahead of its consumer.
func (sc *scene) headSends(s *site, behind int) {
	v := &s.verdict
	receiver := v.receiver
	*v = stuckVerdict(ConfidenceMedium, "", same(fmt.Sprintf("%s behind %s",
		printable.Plural(behind, "goroutine"), pronoun(s.count))))
	v.receiver = receiver
	if n := sc.receiverOn(s); n != nil {
		v.receiver = ReceiverPresent
		v.clause = v.clause.and(same(n.who() + ", most likely its receiver, is " +
			n.doing()))
	}
	v.why = v.clause.of(s.count)
}

// heads reports goroutines that wait for an end which does not come, if others
// wait for an object they hold, or if no goroutine is left that could end it.
func (sc *scene) heads(s *site) {
	v := &s.verdict
	behind, reported := sc.locked(s)
	if reported && v.state == VerdictUnknown && s.op == ChanSend {
		sc.headSends(s, behind)
		return
	}
	if v.report || v.covered || s.design || s.at.Func == "" ||
		s.op != WaitGroup && s.op != Cond ||
		s.longest < sc.rules.Minutes && !reported {
		return
	}
	reason := same(fmt.Sprintf("%s behind %s", printable.Plural(behind, "goroutine"),
		pronoun(s.count)))
	worker, _ := sc.graph.holder(s)
	switch {
	case behind > 0:
	case worker != nil && s.stopping(worker):
		text := worker.who() + ", which" + worker.is() + worker.doing()
		reason = clause{"it waits for " + text, "they wait for " + text}
	case worker != nil, s.op == Cond, s.entry == "main", s.stacks[0].members.len() == 0,
		sc.graph.workers(s) > 0, sc.alive(declared(s.at.Func)) > s.count:
		return // it may wait for a literal of the function
	case sc.partial:
		reason = clause{"what it waits for is not in this input",
			"what they wait for is not in this input"}
	default:
		reason = clause{"no goroutine is left that it or its creator has started",
			"no goroutine is left that they or their creators have started"}
	}
	*v = stuckVerdict(ConfidenceHigh, reason.of(s.count), reason)
	if behind == 0 {
		v.confidence = ConfidenceMedium
	}
}

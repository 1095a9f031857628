package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// deadlocked makes one critical finding of goroutines that wait for each other.
func (sc *scene) deadlocked(cycle []*node) {
	first := cycle[0].site
	covered := make(map[*site]int)
	for _, n := range cycle {
		covered[n.site] += n.count
	}
	sure, text := ring(cycle)
	for s, n := range covered {
		if s != first && n == s.count && s.verdict.report {
			s.verdict.report, s.verdict.covered = false, true
		}
	}
	v := &first.verdict
	v.state, v.report, v.severity = VerdictStuck, true, Critical
	v.confidence, v.receiver, v.other = sure, ReceiverPresent, sure
	v.clause = same(text)
	v.why = v.clause.one
	v.evidence = nil
	for i, n := range cycle {
		if i == maxEvidence {
			v.evidence = append(v.evidence, fmt.Sprintf("and %d more", len(cycle)-i))
			break
		}
		v.evidence = append(v.evidence, n.who()+n.is()+n.doing()+" and "+n.waitsFor())
		v.stacks = append(v.stacks, n.stack())
	}
}

// ring is "deadlock: goroutines 20 and 21 wait for each other: 20 waits for
// (*race) 0x1, which 21 holds, ...".
func ring(cycle []*node) (sure Confidence, text string) {
	sure, text = ConfidenceHigh, "deadlock: "
	if slices.ContainsFunc(cycle, func(n *node) bool { return n.may || n.likely }) {
		sure, text = ConfidenceMedium, "most likely a deadlock: "
	}
	const most = 6
	var ids, steps []string
	for i, n := range cycle {
		if i == most {
			steps = append(steps, fmt.Sprintf("and %d more", len(cycle)-most))
			break
		}
		ids = append(ids, fmt.Sprint(n.id()))
		steps = append(steps, fmt.Sprintf("%d %s", n.id(), n.waitsFor()))
	}
	if len(cycle) == 1 {
		return sure, fmt.Sprintf("%sgoroutine %s waits for itself", text, ids[0])
	}
	return sure, fmt.Sprintf("%sgoroutines %s wait for each other (%s): %s", text,
		strings.Join(ids, " and "), strings.Join(ids, " ↔ "),
		strings.Join(steps, ", "))
}

// waitsFor is "waits for (*race) 0xc000200000, which 21 holds", or "waits for 21
// to end".
func (n *node) waitsFor() string {
	switch n.object {
	case toEnd, toReceive, toUnlock:
		return fmt.Sprintf("waits for %d %s", n.to.id(), n.object)
	}
	holds := "holds"
	if n.to.may {
		holds = "may hold"
	}
	return fmt.Sprintf("waits for %s, which %d %s", n.object, n.to.id(), holds)
}

package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"example.com/chanx/internal/printable"
)

// Rules are the thresholds of [Diagnose]. The zero value is a good default.
type Rules struct {
	// Ignore names functions whose goroutines are in order. A pattern is a
	// function's symbol or its end, from a dot or slash on, and may end in *:
	// "example.com/app.(*Hub).run", "(*Hub).run", "example.com/app.*". Any
	// call of a stack may match.
	Ignore []string

	// Many is how many goroutines blocked in one place are too many to be
	// chance; zero means 10. Negative panics.
	Many int

	// Minutes is how long a goroutine must have waited for that alone to
	// count against it; zero means 5. Negative panics.
	Minutes int

	// Receivers, if not nil, is asked which functions receive from the
	// channel that f's goroutines send on, or send on the one they receive
	// from, as far as the source code tells; full symbols. Nil means that it
	// does not know, an empty slice that there are none.
	Receivers func(f Finding) []string
}

func (r Rules) withDefaults() Rules {
	if r.Many < 0 || r.Minutes < 0 {
		panic("doctor: Rules with a negative threshold")
	}
	if r.Many == 0 {
		r.Many = 10
	}
	if r.Minutes == 0 {
		r.Minutes = 5
	}
	return r
}

// Diagnose judges the snapshots. Those with the same Instance are one process
// over time, the last being now: the findings are about now, the earlier ones
// show growth, vanished workers and goroutines that have not moved. Different
// instances are a fleet: their findings are merged by place. Without snapshots
// the report is empty. It panics if a threshold is negative.
//
// Time and memory are linear in the input; Notes of the report say which parts
// were not compared.
func Diagnose(rules Rules, snapshots ...*Snapshot) *Report {
	rules = rules.withDefaults()
	r := &Report{}
	var order []string
	series := make(map[string][]*Snapshot)
	for _, snap := range snapshots {
		r.read(snap)
		if series[snap.Instance] == nil {
			order = append(order, snap.Instance)
		}
		series[snap.Instance] = append(series[snap.Instance], snap)
	}
	m := merger{r: r, fleet: len(order) > 1, places: make(map[siteKey]int),
		found: make(map[siteKey]int)}
	for _, name := range order {
		m.process(name, rules, r.distinct(series[name]))
	}
	slices.SortStableFunc(r.Findings, worse)
	slices.SortStableFunc(r.Groups, func(a, b Group) int {
		return cmp.Compare(b.Count, a.Count)
	})
	slices.SortStableFunc(r.Waits, func(a, b *Wait) int {
		return cmp.Compare(b.Behind, a.Behind)
	})
	r.Waits = r.Waits[:min(len(r.Waits), maxTrees)]
	r.Root = m.root()
	return r
}

// maxSeries bounds the snapshots of one process that are compared: the first
// and the last ones. A dump quoted a thousand times is no history.
const maxSeries = 32

// distinct returns the snapshots to compare. A dump that was given twice says
// nothing the second time.
func (r *Report) distinct(all []*Snapshot) []*Snapshot {
	var kept []*Snapshot
	again := make(map[string]int) // by target
	for _, p := range all {
		n := len(kept)
		if n == 0 || !sameDump(kept[n-1], p) {
			kept = append(kept, p)
			continue
		}
		if before := kept[n-1].Target; before != p.Target {
			r.Notes = append(r.Notes, fmt.Sprintf(
				"%s and %s are the same dump, which counts once", before, p.Target))
		} else {
			again[p.Target]++
		}
		kept[n-1] = p
	}
	for _, target := range slices.Sorted(maps.Keys(again)) {
		r.Notes = append(r.Notes, fmt.Sprintf("%s has the same dump again, %s, which "+
			"counts once", target, printable.Plural(again[target], "time")))
	}
	if cut := len(kept) - maxSeries; cut > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s between the first and the last "+
			"%d were not compared", printable.Plural(cut, "snapshot"), maxSeries-1))
		kept = slices.Delete(kept, 1, 1+cut)
	}
	return kept
}

// sameDump reports whether two dumps are of the same moment: the same
// goroutines in the same places for the same time. A process that answers twice
// has at least been asked at different times.
func sameDump(a, b *Snapshot) bool {
	if a.Goroutines != b.Goroutines || len(a.Stacks) != len(b.Stacks) ||
		!a.Taken.Equal(b.Taken) {
		return false
	}
	members := 0
	for i, s := range a.Stacks {
		t := b.Stacks[i]
		if s.State != t.State || !s.members.equal(&t.members) ||
			!slices.Equal(s.Frames, t.Frames) || s.Count != t.Count {
			return false
		}
		members += s.members.len()
	}
	return members > 0
}

// merger puts the processes of a report together.
type merger struct {
	r      *Report
	fleet  bool
	places map[siteKey]int // indices into Groups
	found  map[siteKey]int // and into Findings
	cause  *node           // that most goroutines of one process wait for
	behind int             // how many they are
}

// process judges one process, whose last snapshot is now.
func (m *merger) process(name string, rules Rules, series []*Snapshot) {
	var sc *scene
	for _, snap := range series {
		next := newScene(rules, snap)
		if sc != nil {
			next.past = append(sc.past, sc)
		}
		sc = next
	}
	sc.judge()
	r := m.r
	r.Goroutines += sc.now.Goroutines
	r.Instances = append(r.Instances, instanceOf(sc))
	r.Judged += sc.judged()
	r.Extract = r.Extract || extract(sc.now)
	r.Changes = append(r.Changes, sc.changes()...)
	r.Notes = append(r.Notes, sc.notes()...)
	r.Groups = slices.Grow(r.Groups, len(sc.sites))
	for _, s := range sc.sites {
		m.group(s)
		if s.verdict.report {
			m.finding(s, name)
		}
	}
	for _, n := range sc.causes() {
		r.Waits = append(r.Waits, n.wait(0))
		if m.cause == nil || n.weight() > m.cause.weight() {
			m.cause, m.behind = n, n.behind
		}
	}
}

// extract reports whether p is a part of a dump, so that a goroutine missing from
// it may be in the rest. A thousand goroutines are not cut out by hand.
func extract(p *Snapshot) bool { return p.Extract && p.Goroutines < 1000 }

// read takes over what a snapshot says of its input.
func (r *Report) read(s *Snapshot) {
	if !slices.Contains(r.Targets, s.Target) {
		r.Targets = append(r.Targets, s.Target)
	}
	r.Unreadable += s.Unreadable
	for _, t := range s.Troubles {
		if len(r.Troubles) < maxTroubles {
			r.Troubles = append(r.Troubles, t)
		}
	}
	r.Truncated = r.Truncated || s.Truncated
	r.Banner = cmp.Or(r.Banner, s.Banner)
}

func (m *merger) group(s *site) {
	r := m.r
	if i, ok := m.places[s.key()]; ok {
		g := &r.Groups[i]
		g.Count += s.count
		g.Stacks = append(g.Stacks, s.stacks...)
		g.Reported = g.Reported || s.reported()
		g.Judged = g.Judged && s.judged()
		if s.verdict.report {
			g.Verdict, g.Why = s.verdict.state, s.verdict.why
		}
		return
	}
	m.places[s.key()] = len(r.Groups)
	r.Groups = append(r.Groups, Group{
		Operation: s.op, Function: s.at.Func, File: s.at.File, Line: s.at.Line,
		Count: s.count, Entry: s.entry, Verdict: s.verdict.state,
		Why: s.verdict.why, Stacks: s.stacks,
		Reported: s.reported(), Judged: s.judged(),
	})
}

// finding adds s, or its count if another instance has the same.
func (m *merger) finding(s *site, instance string) {
	f, r := s.finding(), m.r
	if i, ok := m.found[s.key()]; ok {
		r.Findings[i].merge(f, instance)
		return
	}
	if m.fleet {
		f.Instances = map[string]int{instance: f.Count}
	}
	m.found[s.key()] = len(r.Findings)
	r.Findings = append(r.Findings, f)
}

// reported reports whether a finding is about s.
func (s *site) reported() bool { return s.verdict.report || s.verdict.covered }

// judged reports whether there is an opinion on s.
func (s *site) judged() bool {
	return s.verdict.state != "" &&
		(s.verdict.state != VerdictUnknown || s.verdict.report)
}

// judged returns the number of goroutines on which there is an opinion.
func (sc *scene) judged() int {
	n := 0
	for _, s := range sc.sites {
		if s.judged() {
			n += s.count
		}
	}
	return n
}

// notes lists the parts of the input that were not compared.
func (sc *scene) notes() (notes []string) {
	if sc.effort <= 0 {
		notes = append(notes, "there are too many different stacks: not every "+
			"receiver and holder was looked for")
	}
	if n := sc.graph.skipped(); n > 0 {
		notes = append(notes, fmt.Sprintf("the arguments of %s were not compared",
			printable.Plural(n, "goroutine")))
	}
	for _, s := range sc.now.Stacks {
		if words := s.members.store; words != nil && words.dropped > 0 {
			return append(notes, fmt.Sprintf("the arguments of %s were not kept",
				printable.Plural(words.dropped, "goroutine")))
		}
	}
	return notes
}

// root is the sentence to read if only one is read.
func (m *merger) root() string {
	r := m.r
	stuck := 0
	for _, f := range r.Findings {
		if f.Severity >= Warning {
			stuck += f.Count
		}
	}
	switch {
	case m.cause != nil && (m.cause.cyclic || len(r.Findings) == 0 ||
		m.behind+m.cause.count >= r.Findings[0].Count):
		return m.cause.sentence(stuck)
	}
	return r.rootSentence()
}

// rootSentence is the sentence to read if the graph has no root.
func (r *Report) rootSentence() string {
	if len(r.Findings) > 0 {
		return r.Findings[0].root()
	}
	return cmp.Or(r.doubt(), "nothing stuck")
}

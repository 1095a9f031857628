package doctor

import (
	"cmp"
	"fmt"
	"slices"
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

// Diagnose judges what the snapshots show. Those with the same Instance are
// one process over time, the last being now: the findings are about now, the
// earlier ones tell what grew, what vanished and who has not moved. Different
// instances are a fleet: their findings are merged by place. Without
// snapshots the report is empty. It panics if a threshold is negative.
func Diagnose(rules Rules, snapshots ...*Snapshot) *Report {
	rules = rules.withDefaults()
	r := &Report{places: make(map[siteKey]int), found: make(map[siteKey]int)}
	instances := make(map[string]*scene)
	var order []string
	for _, snap := range snapshots {
		r.read(snap)
		sc := newScene(rules, snap)
		if before := instances[snap.Instance]; before != nil {
			sc.past = append(before.past, before)
		} else {
			order = append(order, snap.Instance)
		}
		instances[snap.Instance] = sc
	}
	for _, name := range order {
		sc := instances[name]
		sc.judge()
		r.Goroutines += sc.now.Goroutines
		r.Instances = append(r.Instances, instanceOf(sc))
		r.Judged += sc.judged()
		r.Changes = append(r.Changes, sc.changes()...)
		r.take(sc, name, len(order) > 1)
	}
	r.places, r.found = nil, nil
	r.Root = r.rootSentence()
	slices.SortStableFunc(r.Findings, worse)
	slices.SortStableFunc(r.Groups, func(a, b Group) int {
		return cmp.Compare(b.Count, a.Count)
	})
	return r
}

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

// take takes over the sites of one instance.
func (r *Report) take(sc *scene, instance string, fleet bool) {
	for _, s := range sc.sites {
		r.group(s)
		if s.verdict.report {
			r.finding(s, instance, fleet)
		}
	}
}

func (r *Report) group(s *site) {
	if i, ok := r.places[s.key()]; ok {
		g := &r.Groups[i]
		g.Count += s.count
		g.Stacks = append(g.Stacks, s.stacks...)
		g.Reported = g.Reported || s.verdict.report
		g.Judged = g.Judged && s.judged()
		if s.verdict.report {
			g.Verdict, g.Why = s.verdict.state, s.verdict.why
		}
		return
	}
	r.places[s.key()] = len(r.Groups)
	r.Groups = append(r.Groups, Group{
		Operation: s.op, Function: s.at.Func, File: s.at.File, Line: s.at.Line,
		Count: s.count, Entry: s.entry, Verdict: s.verdict.state,
		Why: s.verdict.why, Stacks: s.stacks,
		Reported: s.verdict.report, Judged: s.judged(),
	})
}

// finding adds s, or its count if another instance has the same.
func (r *Report) finding(s *site, instance string, fleet bool) {
	f := s.finding()
	if i, ok := r.found[s.key()]; ok {
		r.Findings[i].merge(f, instance)
		return
	}
	if fleet {
		f.Instances = map[string]int{instance: f.Count}
	}
	r.found[s.key()] = len(r.Findings)
	r.Findings = append(r.Findings, f)
}

// judged reports whether there is an opinion on s: its operation is known.
func (s *site) judged() bool {
	return s.op != OperationUnknown && s.verdict.state != "" &&
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

// rootSentence is the sentence to read if only one is read.
func (r *Report) rootSentence() string {
	if slices.SortStableFunc(r.Findings, worse); len(r.Findings) > 0 {
		return r.Findings[0].Sentence
	}
	if r.Judged < r.Goroutines {
		return fmt.Sprintf("cannot tell for %s of %s",
			number(r.Goroutines-r.Judged), plural(r.Goroutines, "goroutine"))
	}
	if r.Goroutines == 0 {
		return "no goroutine"
	}
	return "nothing stuck"
}

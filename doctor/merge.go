package doctor

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
)

// UnmarshalJSON reads what [Report.WriteJSON] and [Report.WriteJSONStacks]
// write, such as the answer of a [Handler]. The text may come from anyone: a
// report that no Diagnose can have made is an error.
func (r *Report) UnmarshalJSON(text []byte) error {
	var e encodedReport
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	if !e.sound() {
		return errors.New("doctor: a report with impossible numbers")
	}
	*r = Report{Targets: e.Targets, Instances: e.Instances,
		Goroutines: e.Goroutines, Judged: e.Judged, Unreadable: e.Unreadable,
		Extract: e.Extract, Truncated: e.Truncated, Root: e.Root,
		Findings: e.Findings, Waits: e.Waits, Notes: e.Notes, Groups: e.Groups,
		Troubles: e.Troubles, Banner: e.Banner, Changes: e.Changes}
	for i := range r.Findings {
		f := &r.Findings[i]
		for _, g := range r.Groups {
			if g.Reported && g.key() == f.key() {
				f.Stacks = g.Stacks
			}
		}
	}
	slices.SortStableFunc(r.Findings, worse)
	return nil
}

// sound reports whether the numbers can be added up and everything that is
// referred to is there.
func (e *encodedReport) sound() bool {
	ok := sane(e.Goroutines, e.Judged, e.Unreadable) &&
		e.Judged <= e.Goroutines && soundWaits(e.Waits, 0)
	for _, f := range e.Findings {
		ok = ok && sane(f.Count, f.Line)
		for _, n := range f.Instances {
			ok = ok && sane(n)
		}
	}
	for _, c := range e.Changes {
		ok = ok && sane(c.Then, c.Now)
	}
	for _, i := range e.Instances {
		ok = ok && sane(i.Goroutines, i.Snapshots)
	}
	for _, g := range e.Groups {
		ok = ok && sane(g.Count, g.Line)
		for _, s := range g.Stacks {
			ok = ok && s != nil && sane(s.Count)
		}
	}
	return ok
}

func soundWaits(waits []*Wait, depth int) bool {
	for _, w := range waits {
		if depth > 100 || w == nil || !sane(w.Count, w.Behind, w.Minutes) ||
			!soundWaits(w.Waiting, depth+1) {
			return false
		}
	}
	return true
}

// sane reports whether a fleet of such numbers can be added up.
func sane(numbers ...int) bool {
	for _, n := range numbers {
		if n < 0 || n > math.MaxInt>>10 {
			return false
		}
	}
	return true
}

func (f *Finding) key() siteKey {
	return siteKey{f.Operation, f.Function, f.File, f.Line}
}

func (g *Group) key() siteKey {
	return siteKey{g.Operation, g.Function, g.File, g.Line}
}

// Merge adds what other says of its instances, which are others than those of
// r: a fleet of services judges itself, and each report is a part. Findings
// and groups in the same place are merged. Neither report may be used while
// the call lasts, and other not afterwards.
func (r *Report) Merge(other *Report) {
	fleet := len(r.Instances)+len(other.Instances) > 1
	r.name()
	other.name()
	root := r.graphRoot()
	if len(r.Findings) == 0 || len(other.Findings) > 0 &&
		worse(other.Findings[0], r.Findings[0]) < 0 {
		root = other.graphRoot()
	}
	for _, t := range other.Targets {
		if !slices.Contains(r.Targets, t) {
			r.Targets = append(r.Targets, t)
		}
	}
	r.Instances = append(r.Instances, other.Instances...)
	r.Goroutines += other.Goroutines
	r.Judged += other.Judged
	r.Unreadable += other.Unreadable
	r.Troubles = append(r.Troubles, other.Troubles...)
	r.Troubles = r.Troubles[:min(len(r.Troubles), maxTroubles)]
	r.Truncated = r.Truncated || other.Truncated
	r.Extract = r.Extract || other.Extract
	r.Banner = cmp.Or(r.Banner, other.Banner)
	r.Changes = append(r.Changes, other.Changes...)
	r.Notes = append(r.Notes, other.Notes...)
	r.Notes = r.Notes[:min(len(r.Notes), maxTroubles)]
	r.Waits = append(r.Waits, other.Waits...)
	slices.SortStableFunc(r.Waits, func(a, b *Wait) int {
		return cmp.Compare(b.Behind, a.Behind)
	})
	r.mergeFindings(other.Findings)
	r.mergeGroups(other.Groups)
	if !fleet {
		for i := range r.Findings {
			r.Findings[i].Instances = nil
		}
	}
	r.Root = cmp.Or(root, r.rootSentence())
}

// graphRoot returns the root if it is of the wait-for graph. One that repeats a
// finding, or says that there is none, is not true of a fleet.
func (r *Report) graphRoot() string {
	if len(r.Waits) == 0 || r.Root == r.rootSentence() ||
		len(r.Findings) > 0 && r.Findings[0].isRoot(r.Root) {
		return ""
	}
	return r.Root
}

// name says of each finding which instance it is of, if there is only one.
func (r *Report) name() {
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Instances == nil && len(r.Instances) == 1 {
			f.Instances = map[string]int{r.Instances[0].Name: f.Count}
		}
	}
}

func (r *Report) mergeFindings(others []Finding) {
	at := make(map[siteKey]int)
	for i := range r.Findings {
		at[r.Findings[i].key()] = i
	}
	for _, f := range others {
		i, known := at[f.key()]
		known = known && f.Function != "" // or else its sentence is all it has
		if !known || f.Instances == nil || r.Findings[i].Instances == nil {
			at[f.key()] = len(r.Findings)
			r.Findings = append(r.Findings, f)
			continue
		}
		stacks := append(r.Findings[i].Stacks, f.Stacks...)
		for _, instance := range slices.Sorted(maps.Keys(f.Instances)) {
			part := f
			part.Count = f.Instances[instance]
			r.Findings[i].merge(part, instance)
		}
		r.Findings[i].Stacks = stacks
	}
	slices.SortStableFunc(r.Findings, worse)
}

func (r *Report) mergeGroups(others []Group) {
	at := make(map[siteKey]int)
	for i := range r.Groups {
		at[r.Groups[i].key()] = i
	}
	for _, g := range others {
		i, known := at[g.key()]
		if !known {
			at[g.key()] = len(r.Groups)
			r.Groups = append(r.Groups, g)
			continue
		}
		mine := &r.Groups[i]
		mine.Count += g.Count
		mine.Stacks = append(mine.Stacks, g.Stacks...)
		mine.Judged = mine.Judged && g.Judged
		if g.Reported && !mine.Reported {
			mine.Reported, mine.Verdict, mine.Why = true, g.Verdict, g.Why
		}
	}
	slices.SortStableFunc(r.Groups, func(a, b Group) int {
		return cmp.Compare(b.Count, a.Count)
	})
}

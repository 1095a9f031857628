package doctor

import (
	"fmt"
	"slices"
	"strings"

	"example.com/chanx/internal/printable"
)

// Report is the answer of [Diagnose].
type Report struct {
	// Targets are the inputs, in the order given.
	Targets []string

	// Instances are the processes, in the order of their first snapshot.
	Instances []Instance

	// Goroutines is how many there are now, over all instances.
	Goroutines int

	// Judged is the number of goroutines on which there is an opinion: those
	// whose operation and place are known; see [Report.Complete].
	Judged int

	// Root is the sentence to read if only one is read: the goroutine that most
	// others wait for, or else the worst finding, or else that nothing is
	// stuck.
	Root string

	// Extract says that the input is a part of a dump: the goroutine that
	// others wait for may be in the rest.
	Extract bool

	// Waits is the wait-for graph as trees, the root with the most goroutines
	// behind it first; see [Wait].
	Waits []*Wait

	// Unreadable is what could not be understood, over all snapshots;
	// Troubles has the first of it.
	Unreadable int
	Troubles   []Trouble

	// Truncated says that an input was cut short: counts are lower bounds.
	Truncated bool

	// Banner is the first crash banner among the inputs, or "".
	Banner string

	// Findings are worst first.
	Findings []Finding

	// Groups are all goroutines by operation and place, largest first, those
	// in order included.
	Groups []Group

	// Changes are the functions of which an earlier snapshot had more or
	// fewer goroutines, those that have none left first.
	Changes []Change

	// Notes say what of the input was not looked at, and why.
	Notes []string
}

// Group is the goroutines in one place, with a verdict.
type Group struct {
	Operation Operation `json:"operation"`
	Function  string    `json:"function"`
	File      string    `json:"file"`
	Line      int       `json:"line"`
	Count     int       `json:"count"`

	// Entry is how the goroutines came in, as in "HTTP request", "gRPC
	// request", "test", or "" if that is not known.
	Entry string `json:"entry,omitempty"`

	// Verdict is "idle" (waiting by design), "working", "slow", "stuck" or
	// "unknown"; Why is the reason, in English.
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why"`

	// Reported says that a finding is about this group.
	Reported bool `json:"reported"`

	// Judged says that there is an opinion on it.
	Judged bool `json:"judged"`

	Stacks []*Stack `json:"stacks"`
}

// Wait is a goroutine, or several in the same place, in the wait-for graph.
type Wait struct {
	// Goroutine is the id, or 0 for several goroutines or where the input has
	// no ids.
	Goroutine uint64 `json:"goroutine,omitempty"`

	// Count is the number of goroutines in this node, Behind the number of
	// those that wait for it, directly or not.
	Count  int `json:"count"`
	Behind int `json:"behind"`

	// Operation, Function, File and Line are where it stands, and Minutes how
	// long the longest of them has waited.
	Operation Operation `json:"operation"`
	Function  string    `json:"function"`
	File      string    `json:"file"`
	Line      int       `json:"line"`
	Minutes   int       `json:"minutes"`

	// For is what this node waits for, as in "(*app.Cache) 0xc000442730"; for
	// a root it is "".
	For string `json:"for"`

	// Cycle says that this node waits, directly or not, for itself: Waiting
	// of a root ends at it.
	Cycle bool `json:"cycle,omitempty"`

	// Waiting are the nodes that wait for this one, the largest first.
	Waiting []*Wait `json:"waiting,omitempty"`
}

// Complete reports whether every goroutine of the input was read and judged. If
// it is false, an empty list of findings does not say that nothing is stuck: a
// dump was cut short or is an extract, an instance shows no goroutine, a crash
// shows only the goroutine that crashed, no rule applies to some of them, or the
// input itself says that a test or the process did not go on.
func (r *Report) Complete() bool {
	return r.Judged == r.Goroutines && !r.partly() && !r.hung()
}

// hung reports whether the input says that something did not end.
func (r *Report) hung() bool {
	return strings.Contains(r.Banner, "test timed out") ||
		strings.Contains(r.Banner, "all goroutines are asleep")
}

// partly reports whether goroutines may exist that are not in the input.
func (r *Report) partly() bool {
	for _, i := range r.Instances {
		if i.Goroutines == 0 {
			return true
		}
	}
	crash := r.Goroutines == 1 && r.Banner != ""
	return r.Goroutines == 0 || crash || r.Extract || r.Truncated
}

// doubt says why the report is not complete, or is "".
func (r *Report) doubt() string {
	switch unjudged := r.Goroutines - r.Judged; {
	case unjudged > 0:
		return fmt.Sprintf("cannot tell for %s of %s", printable.Number(unjudged),
			printable.Plural(r.Goroutines, "goroutine"))
	case r.Goroutines == 0:
		return "no goroutine"
	case r.hung():
		return "cannot tell what did not go on"
	case r.partly():
		return "cannot tell for goroutines that are not in the input"
	}
	return ""
}

// Add puts f in its place among the findings. It is for what only the caller
// can know, such as an instance that did not answer. The worst of all findings
// becomes the root where there is no wait-for graph.
func (r *Report) Add(f Finding) {
	i, _ := slices.BinarySearchFunc(r.Findings, f, worse)
	r.Findings = slices.Insert(r.Findings, i, f)
	if i == 0 && len(r.Waits) == 0 {
		r.Root = f.root()
	}
}

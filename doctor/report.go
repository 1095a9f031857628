package doctor

import "slices"

// Report is the answer of [Diagnose].
type Report struct {
	// Targets are the inputs, in the order given.
	Targets []string

	// Instances are the processes, in the order of their first snapshot.
	Instances []Instance

	// Goroutines is how many there are now, over all instances.
	Goroutines int

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

	places map[siteKey]int // indices into Groups, while Diagnose runs
	found  map[siteKey]int // and into Findings
}

// Group is the goroutines that stand in one place, and what the doctor
// thinks of it.
type Group struct {
	Operation string `json:"operation"`
	Function  string `json:"function"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Count     int    `json:"count"`

	// Entry is how the goroutines came in, as in "HTTP request", "gRPC
	// request", "test", or "" if that is not known.
	Entry string `json:"entry,omitempty"`

	// Verdict is "idle" (waiting by design), "working", "slow", "stuck" or
	// "unknown"; Why is the reason, in English.
	Verdict string `json:"verdict"`
	Why     string `json:"why"`

	Stacks []*Stack `json:"stacks"`
}

// Add puts f in its place among the findings. It is for what only the caller
// can know, such as an instance that did not answer.
func (r *Report) Add(f Finding) {
	i, _ := slices.BinarySearchFunc(r.Findings, f, worse)
	r.Findings = slices.Insert(r.Findings, i, f)
}

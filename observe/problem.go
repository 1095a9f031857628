package observe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"example.com/chanx/doctor"
	"example.com/chanx/internal/printable"
)

// Problem is something that is wrong.
type Problem struct {
	Severity doctor.Severity `json:"severity"`
	// Kind is "log", "worker", "supervisor", "goroutines", "ring" or
	// "broadcast", and Name the name of that one.
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	// Sentence says it in English, without a final full stop.
	Sentence string `json:"sentence"`
}

// add adds p unless it is empty.
func (s *Snapshot) add(p Problem) {
	if p.Sentence != "" {
		s.Problems = append(s.Problems, p)
	}
}

// kinds is the order of problems that are as severe: a log that stops and a
// worker that fails are often why the others are wrong.
var kinds = []string{"log", "supervisor", "worker", "goroutines", "ring",
	"broadcast"}

func sortProblems(all []Problem) {
	slices.SortStableFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(
			slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)))
	})
}

func (r *Ring) problem() Problem {
	p := Problem{Severity: doctor.Warning, Kind: "ring", Name: r.Name}
	switch {
	case r.Error != "":
		p.Sentence = "ring " + quoted(r.Name) + " cannot be read: its Stats " + r.Error
	case r.Rate.Dropped > 0:
		p.Sentence = "ring " + quoted(r.Name) + " drops values: " +
			r.Rate.share(r.Rate.Dropped) + ", " + printable.Number(r.Dropped) + " in all"
	}
	return p
}

func (b *Broadcast) problem() Problem {
	if b.Error == "" {
		return Problem{}
	}
	return Problem{doctor.Warning, "broadcast", b.Name,
		"broadcast " + quoted(b.Name) + " cannot be read: its Stats " + b.Error}
}

// quoted sets a name off from the sentence around it.
func quoted(name string) string { return `"` + name + `"` }

// share is "132 (11/s) of 20,000 in the last 12s".
func (r Rate) share(n uint64) string {
	return fmt.Sprintf("%s (%s) of %s in the last %s", printable.Number(n),
		perSecond(r.PerSecond(n)), printable.Number(r.Sent), ago(r.Over))
}

// perSecond is "0.25/s", "11/s" or "1,200/s".
func perSecond(f float64) string {
	switch {
	case f == 0:
		return "0/s"
	case f < 0.01:
		return "under 0.01/s"
	case f < 10:
		return strconv.FormatFloat(f, 'g', 2, 64) + "/s"
	}
	return printable.Number(uint64(f+0.5)) + "/s"
}

// ago is a time to read at a glance, in its two largest units: "3d4h", "2h5m",
// "4m10s", "12s".
func ago(d time.Duration) string {
	d = max(d, 0)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h >= 24:
		return fmt.Sprintf("%dd%dh", h/24, h%24)
	case h > 0:
		return fmt.Sprintf("%dh%dm", h, m)
	case m > 0:
		return fmt.Sprintf("%dm%ds", m, s)
	}
	return fmt.Sprintf("%ds", s)
}

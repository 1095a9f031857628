package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// table collects rows of a name and one cell for each server.
type table struct{ strings.Builder }

func (t *table) row(name, before, after string) {
	line := fmt.Sprintf("%-29s %-29s %s", name, before, after)
	t.WriteString(strings.TrimRight(line, " ") + "\n")
}

// both adds a row of one value of each server.
func (rep *report) both(t *table, name string, cell func(serverReport) string) {
	t.row(name, cell(rep.Before), cell(rep.After))
}

func (rep *report) writeTable(w io.Writer) error {
	var t table
	fmt.Fprintf(&t, "\nfault %q, %d requests to each server in each phase, "+
		"client timeout %v\n\n", rep.Fault, rep.Requests, rep.Timeout)
	t.row("", "before", "after")
	for i, p := range phases {
		rep.phaseRows(&t, i, p.title)
	}
	t.row("At the end", "", "")
	rep.goroutineRows(&t)
	rep.logRows(&t)
	rep.workerRows(&t)
	fmt.Fprintf(&t, "\nWhat package doctor says\n  %s\n",
		or(rep.Diagnosis, "nothing is stuck"))
	t.WriteString("\nObserved?\n")
	for _, c := range rep.Claims {
		answer := "yes"
		if !c.Observed {
			answer = "NO "
		}
		fmt.Fprintf(&t, "  %s  %s\n", answer, c.Text)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

func (rep *report) phaseRows(t *table, i int, title string) {
	t.WriteString(title + "\n")
	rep.both(t, "  answered", func(s serverReport) string {
		return s.Phases[i].share()
	})
	rep.both(t, "  timed out", func(s serverReport) string {
		return s.Phases[i].unanswered()
	})
	rep.both(t, "  health checks answered", func(s serverReport) string {
		return fmt.Sprintf("%d of %d", s.Phases[i].HealthOK, s.Phases[i].Health)
	})
	rep.both(t, "  waited, p50 / p99 / max", func(s serverReport) string {
		return s.Phases[i].Wait.String()
	})
}

func (c counts) share() string { return fmt.Sprintf("%d of %d", c.Answered, c.Sent) }

func (c counts) unanswered() string {
	if c.Failed > 0 {
		return fmt.Sprintf("%d, failed otherwise: %d", c.TimedOut, c.Failed)
	}
	return fmt.Sprint(c.TimedOut)
}

func (w wait) String() string {
	return fmt.Sprintf("%s / %s / %s", brief(w.P50), brief(w.P99), brief(w.Max))
}

func brief(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
}

func (rep *report) goroutineRows(t *table) {
	rep.both(t, "  goroutines", func(s serverReport) string {
		return fmt.Sprint(s.Goroutines.Now)
	})
	rep.both(t, "  blocked in a channel send", func(s serverReport) string {
		return fmt.Sprint(s.Goroutines.Blocked)
	})
	rep.both(t, "    at", func(s serverReport) string {
		return or(s.Goroutines.At, "-")
	})
	if rep.Before.Source != "" {
		t.row("", rep.Before.Source, rep.After.Source)
	}
}

func (rep *report) logRows(t *table) {
	for _, row := range [...]struct {
		name string
		of   func(account) int64
	}{
		{"  log lines accepted", func(a account) int64 { return a.Accepted }},
		{"    = written", func(a account) int64 { return a.Written }},
		{"    + dropped", func(a account) int64 { return a.Dropped }},
		{"    + still buffered", func(a account) int64 { return a.Buffered }},
	} {
		rep.both(t, row.name, func(s serverReport) string {
			return fmt.Sprint(row.of(s.Log))
		})
	}
}

// workerRows has nothing on before: nobody watched, and that is the point.
func (rep *report) workerRows(t *table) {
	a := rep.After
	t.row("    lost, says the log itself", "nothing", fmt.Sprint(a.LostLines))
	t.row("  the log's worker", "unknown", a.State)
	t.row("    failed writes", "-", fmt.Sprint(a.SinkErrors))
	t.row("    restarts / stalls", "-",
		fmt.Sprintf("%d / %d", a.Restarts, a.Stalls))
	t.row("    status handler", "-", fmt.Sprintf("%d, then %d",
		a.Phases[struck].Status.Code, a.Phases[lifted].Status.Code))
	t.row("    told its fallback", "-", fmt.Sprint(len(a.Told)))
	t.list(a.Told)
	t.row("    last errors kept", "none", fmt.Sprint(len(a.Kept)))
	t.list(a.reasons())
}

// list leaves stacks to those who ask for JSON.
func (t *table) list(lines []string) {
	for _, line := range lines {
		line, _, _ = strings.Cut(line, "\n")
		t.WriteString("      " + line + "\n")
	}
}

// reasons returns the kept errors, those in a row that say the same as one.
func (s serverReport) reasons() []string {
	var all []string
	for i := 0; i < len(s.Kept); {
		n := 1
		for i+n < len(s.Kept) && s.Kept[i+n].String() == s.Kept[i].String() {
			n++
		}
		all = append(all, fmt.Sprintf("%d x %s", n, s.Kept[i]))
		i += n
	}
	return all
}

func (e keptReport) String() string {
	if e.At == "" {
		return e.Reason
	}
	return e.Reason + ", at " + e.At
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

package observe

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/chanx"
	"example.com/chanx/doctor"
	"example.com/chanx/internal/printable"
)

// text is the page for a terminal.
func (v *view) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", v.title())
	for _, p := range v.Problems {
		fmt.Fprintf(&b, "%-9s %s\n", strings.ToUpper(p.Severity.String()), p.Sentence)
	}
	fmt.Fprintf(&b, "\n%s\n%s\n", v.identity(), v.judged())
	for _, n := range v.Report.Notes {
		fmt.Fprintf(&b, "Not looked at: %s\n", n)
	}
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for i := range v.Supervisors {
		v.writeSupervisor(t, &v.Supervisors[i])
	}
	v.writeLogs(t)
	v.writeRings(t)
	v.writeBroadcasts(t)
	t.Flush()
	return b.Bytes()
}

// row writes the cells of a line of a table.
func row(w io.Writer, cells ...string) {
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func (v *view) writeSupervisor(w io.Writer, s *Supervisor) {
	fmt.Fprintf(w, "\nSupervisor %s: %s\n", s.Name, s.summary())
	row(w, "worker", "state", "for", "restarts", "exits", "last error")
	for i := range s.Workers {
		k := &s.Workers[i]
		row(w, k.Name, k.state(), v.since(k.Since), printable.Number(k.Restarts), k.exits(),
			k.LastError)
	}
	if s.Omitted > 0 {
		fmt.Fprintf(w, "and %s\n", printable.Plural(s.Omitted, "more worker"))
	}
}

func (v *view) writeLogs(w io.Writer) {
	if len(v.Logs) > 0 {
		row(w, "\nlog", "accepted", "written", "dropped", "buffered", "rate", "sink")
	}
	for i := range v.Logs {
		g := &v.Logs[i]
		row(w, g.Name, printable.Number(g.Accepted.Records), printable.Number(g.Written.Records),
			printable.Number(g.Dropped.Records), printable.Number(g.Buffered.Records), g.Rate.text(),
			join("; ", v.stalled(*g), g.trouble(), g.LastError))
	}
}

func (v *view) writeRings(w io.Writer) {
	if len(v.Rings) > 0 {
		row(w, "\nring", "len/cap", "most", "sent", "dropped", "rate")
	}
	for _, r := range v.Rings {
		if r.Error != "" {
			row(w, r.Name, "Stats "+r.Error)
			continue
		}
		row(w, r.Name, fill(r.Len, r.Cap), printable.Number(r.HighWater), printable.Number(r.Sent),
			printable.Number(r.Dropped), r.Rate.text())
	}
}

func (v *view) writeBroadcasts(w io.Writer) {
	if len(v.Broadcasts) > 0 {
		row(w, "\nbroadcast", "len/cap", "subscribers", "sent", "rate")
	}
	for _, c := range v.Broadcasts {
		if c.Error != "" {
			row(w, c.Name, "Stats "+c.Error)
			continue
		}
		row(w, c.Name, fill(c.Len, c.Cap), printable.Number(c.Subscribers), printable.Number(c.Sent),
			c.Rate.text())
	}
}

// join is strings.Join of the parts that are not empty.
func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool {
		return s == ""
	}), sep)
}

// title is "1 critical, 2 warnings", or that no problem was found.
func (v *view) title() string {
	var n [doctor.Critical + 1]int
	for _, p := range v.Problems {
		n[p.Severity]++
	}
	var parts []string
	if c := n[doctor.Critical]; c > 0 {
		parts = append(parts, printable.Number(c)+" critical")
	}
	if c := n[doctor.Warning]; c > 0 {
		parts = append(parts, printable.Plural(c, "warning"))
	}
	if len(parts) == 0 {
		return "No problem found"
	}
	return strings.Join(parts, ", ")
}

// process is that of the report; without one, the zero value.
func (v *view) process() doctor.Process {
	for _, i := range v.Report.Instances {
		if i.Process != nil {
			return *i.Process
		}
	}
	return doctor.Process{}
}

// identity is "web-1, server, pid 4711 (v1.2.3, go1.27.0), up 3h12m".
func (v *view) identity() string {
	p := v.process()
	at := v.Time.UTC().Format("2006-01-02 15:04:05 UTC")
	if p.PID == 0 {
		return at
	}
	s := fmt.Sprintf("%s, %s, pid %d (%s)", p.Host, p.Program, p.PID,
		strings.TrimPrefix(strings.Trim(p.Version, "()")+", "+p.Go, ", "))
	if !p.Started.IsZero() {
		s += ", up " + v.since(p.Started)
	}
	return s + "; " + at
}

// judged is the root sentence of the doctor, unless it is among the problems.
func (v *view) judged() string {
	r := v.Report
	s := fmt.Sprintf("%s, %s judged", printable.Plural(r.Goroutines, "goroutine"),
		printable.Number(r.Judged))
	for _, p := range v.Problems {
		if p.Sentence == r.Root {
			return s
		}
	}
	return join(": ", s, r.Root)
}

func (v *view) since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ago(v.Time.Sub(t))
}

func (v *view) stalled(g Log) string {
	if !g.Stalled {
		return ""
	}
	return "STALLED for " + v.since(g.StalledSince)
}

// text is "1,200/s, dropped 11/s, over 12s".
func (r Rate) text() string {
	if r.Over <= 0 {
		return ""
	}
	s := perSecond(r.PerSecond(r.Sent))
	if r.Dropped > 0 {
		s += ", dropped " + perSecond(r.PerSecond(r.Dropped))
	}
	return s + ", over " + ago(r.Over)
}

func fill(n, capacity int) string { return printable.Number(n) + "/" + printable.Number(capacity) }

func (w *Worker) state() string {
	if w.CrashLooping {
		return "crash-looping"
	}
	return w.State.String()
}

// exits is "3 error, 1 panic".
func (w *Worker) exits() string {
	var parts []string
	for _, e := range []struct {
		n    uint64
		kind string
	}{{w.Exits.Panic, "panic"}, {w.Exits.Error, "error"}, {w.Exits.Goexit, "Goexit"},
		{w.Exits.Stall, "stall"}, {w.Exits.Nil, "nil"}} {
		if e.n > 0 {
			parts = append(parts, printable.Number(e.n)+" "+e.kind)
		}
	}
	return strings.Join(parts, ", ")
}

// summary is "2 running, 1 backing off; not ready: stopping".
func (s *Supervisor) summary() string {
	var parts []string
	for state := chanx.StateStarting; state <= chanx.StateFailed; state++ {
		if n := s.States[state]; n > 0 {
			parts = append(parts, printable.Number(n)+" "+state.String())
		}
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		text = "no workers"
	}
	if s.Reason != "" {
		text += "; " + s.Reason
	}
	return text
}

package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"

	"example.com/chanx"
	"example.com/chanx/doctor"
)

// report is the result, and the form of -json.
type report struct {
	Fault    string        `json:"fault"`
	Requests int           `json:"requests_per_phase"`
	Timeout  time.Duration `json:"timeout_ns"`
	Took     time.Duration `json:"took_ns"`
	Before   serverReport  `json:"before"`
	After    serverReport  `json:"after"`
	// Diagnosis is the worst finding of package doctor in this process.
	Diagnosis string  `json:"diagnosis,omitempty"`
	Claims    []claim `json:"claims"`
	Observed  bool    `json:"observed"` // every claim
}

type serverReport struct {
	Phases     []phaseReport `json:"phases"`
	Goroutines goroutines    `json:"goroutines"`
	// Source is the text of the line that Goroutines.At names, if the source
	// can be read.
	Source      string  `json:"source,omitempty"`
	MostBlocked int     `json:"most_blocked_in_send"` // in any sample
	Log         account `json:"log_lines"`
	LateLines   int     `json:"log_lines_after_fault"`
	// LostLines is how many are missing according to the log files.
	LostLines int64 `json:"log_lines_lost_as_logged"`
	// The rest is known to after's log alone.
	State      string       `json:"worker,omitempty"`
	Restarts   uint64       `json:"restarts"`
	Stalls     uint64       `json:"stalls"`
	SinkErrors uint64       `json:"failed_writes"`
	Kept       []keptReport `json:"kept"`
	Told       []string     `json:"told"` // its fallback
	kept       bool         // the fault is in Kept
}

type phaseReport struct {
	Name  string `json:"name"`
	Title string `json:"-"`
	counts
	Wait   wait    `json:"wait"`
	Status *status `json:"status_handler,omitempty"`
}

// account tells where the records of a log are. At rest, with no call of the
// log under way,
//
//	Accepted == Written + Dropped + Buffered
//
// The four are counted independently: Written by reading the files.
type account struct {
	Accepted int64 `json:"accepted"` // by the log, from a request
	Written  int64 `json:"written"`  // lines in the files
	Dropped  int64 `json:"dropped"`  // evicted, or lost with a failed write
	Buffered int64 `json:"buffered"` // not yet written, perhaps forever
}

func (a account) balanced() bool {
	return a.Accepted == a.Written+a.Dropped+a.Buffered
}

// keptReport is one of the last errors that the log has kept.
type keptReport struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	At     string    `json:"at,omitempty"` // the place of a panic
	Stack  string    `json:"stack,omitempty"`
	cause  error
}

func newKeptReport(at time.Time, err error) keptReport {
	kept := keptReport{Time: at, Reason: err.Error(), cause: err}
	if p, ok := err.(*chanx.PanicError); ok {
		kept.Reason, kept.At, _ = strings.Cut(p.Error(), ", at ")
		kept.Stack = string(p.Stack)
	}
	return kept
}

// report sums up the replay and checks the claims.
func (st *stage) report(samples []sample) *report {
	last := samples[len(samples)-1]
	rep := &report{
		Fault:    string(st.set.fault),
		Requests: st.set.requests,
		Timeout:  st.set.timeout,
		Took:     last.At,
	}
	found := doctor.Diagnose(doctor.Rules{}, doctor.Take()).Findings
	if len(found) > 0 {
		rep.Diagnosis = found[0].Sentence
	}
	b, a := &rep.Before, &rep.After
	st.before.report(b, last.Before)
	st.after.report(a, last.After)
	for _, s := range samples {
		b.MostBlocked = max(b.MostBlocked, s.Before.Blocked)
		a.MostBlocked = max(a.MostBlocked, s.After.Blocked)
	}
	st.reportLog(a)
	rep.check(st.set.fault)
	return rep
}

func (s *server) report(rep *serverReport, last reading) {
	for i, p := range phases {
		counts, wait := s.phases[i].now()
		rep.Phases = append(rep.Phases,
			phaseReport{p.name, p.title, counts, wait, nil})
	}
	rep.Goroutines = last.goroutines
	rep.Source = sourceLine(last.file, last.line)
	rep.Kept, rep.Told = []keptReport{}, []string{}
	log, files := s.accounted()
	rep.Log, rep.LateLines, rep.LostLines = log, files.marked, files.lost
}

// reportLog adds what after's log knows of itself.
func (st *stage) reportLog(a *serverReport) {
	stats := st.log.Stats()
	a.State = st.log.worker().State.String()
	a.Restarts, a.Stalls = stats.Restarts, stats.Stalls
	a.SinkErrors = stats.SinkErrors
	a.Told, a.kept = st.log.told.lines(), st.log.kept(st.set.fault)
	for i := range st.status {
		a.Phases[i].Status = &st.status[i]
	}
	for _, e := range stats.Errors {
		a.Kept = append(a.Kept, newKeptReport(e.At, e.Err))
	}
}

// sourceLine returns a line of a source file without its indentation, or "" if
// it cannot be read: the program may run elsewhere than it was built.
func sourceLine(path string, n int) string {
	text, err := os.ReadFile(path)
	lines := strings.Split(string(text), "\n")
	if err != nil || n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

// write writes the report as set asks for. The picture comes first, so that an
// error is not printed below a page of table.
func (rep *report) write(set settings, samples []sample, stdout io.Writer) error {
	if set.svg != "" {
		if err := os.WriteFile(set.svg, picture(rep, samples), 0o666); err != nil {
			return err
		}
	}
	if !set.json {
		columns := tabwriter.NewWriter(stdout, 30, 8, 1, ' ', 0)
		return errors.Join(table.Execute(columns, rep), columns.Flush())
	}
	enc := json.NewEncoder(stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(rep)
}

//go:embed table.txt
var tableText string

var table = template.Must(template.New("table").Funcs(template.FuncMap{
	"line": func(text string) string { // the first: stacks are in the JSON
		line, _, _ := strings.Cut(text, "\n")
		return line
	},
}).Parse(tableText))

func (w wait) String() string {
	const digits = 100 * time.Microsecond
	return fmt.Sprintf("%v / %v / %v",
		w.P50.Round(digits), w.P99.Round(digits), w.Max.Round(digits))
}

// Reasons returns the kept errors, equal ones in a row as one.
func (s serverReport) Reasons() (all []string) {
	for _, e := range s.Kept {
		all = append(all, e.cause.Error())
	}
	return slices.Compact(all)
}

// claim is one sentence about the replay, and whether it was observed. Claims
// are about counts and never about speed, so they hold on a slow machine.
type claim struct {
	Text     string `json:"claim"`
	Observed bool   `json:"observed"`
}

func (rep *report) check(f fault) {
	rep.Claims = slices.Concat(rep.claims(), rep.accounts(), rep.known(f))
	rep.Observed = !slices.ContainsFunc(rep.Claims, func(c claim) bool {
		return !c.Observed
	})
}

// claims returns those about the requests.
func (rep *report) claims() []claim {
	b, a := rep.Before, rep.After
	ill, late := b.Phases[struck], b.Phases[lifted]
	return []claim{
		{"before answered every request while all was well",
			b.Phases[well].all(rep.Requests)},
		{"before hung when the fault struck, with its health check",
			ill.TimedOut > 0 && ill.HealthOK < ill.Health},
		{"before answered nobody after the fault was lifted",
			late.TimedOut > 0 && late.Answered == 0},
		{fmt.Sprintf("%d goroutines of before are blocked in a channel send, "+
			"for %d requests that timed out",
			b.Goroutines.Blocked, ill.TimedOut+late.TimedOut),
			b.Goroutines.Blocked > 0 &&
				strings.HasSuffix(b.Goroutines.In, ".(*traceWriter).LogWrite")},
		{"before logs nothing any more", b.LateLines == 0},
		{"after answered every request and health check while all was well",
			a.Phases[well].all(rep.Requests)},
		{"after answered every request and health check while the fault lasted",
			a.Phases[struck].all(rep.Requests)},
		{"after answered every request and health check after it was lifted",
			a.Phases[lifted].all(rep.Requests)},
		{"no goroutine of after was ever seen blocked in a channel send",
			a.MostBlocked == 0},
	}
}

// all reports whether all n requests were sent and answered.
func (p phaseReport) all(n int) bool {
	return p.Sent == n && p.Answered == n && p.HealthOK == p.Health
}

// accounts returns the claims about the log lines.
func (rep *report) accounts() []claim {
	const sum = "the log lines of %s add up: %d accepted = " +
		"%d written + %d dropped + %d buffered"
	b, a := rep.Before.Log, rep.After.Log
	return []claim{
		{fmt.Sprintf(sum, "before", b.Accepted, b.Written, b.Dropped,
			b.Buffered), b.balanced()},
		{fmt.Sprintf(sum, "after", a.Accepted, a.Written, a.Dropped,
			a.Buffered), a.balanced()},
		{"after accepted a line for every request it answered",
			a.Accepted == int64(rep.After.answers())},
		{"after's log says how many lines it lost, where it lost them",
			rep.After.LostLines == a.Dropped},
	}
}

// answers returns the number of answered requests, in all phases.
func (s serverReport) answers() (n int) {
	for _, p := range s.Phases {
		n += p.Answered
	}
	return n
}

// known returns the claims about what after's log knows of f.
func (rep *report) known(f fault) []claim {
	a := rep.After
	counted := map[fault]uint64{full: a.SinkErrors, stall: a.Stalls,
		exit: a.Restarts, panicking: a.Restarts}[f]
	return []claim{
		{"after's log noticed, told its fallback, and kept why",
			counted > 0 && len(a.Told) > 0 && a.kept},
		{"after's status handler told of it while the fault lasted",
			a.Phases[struck].Status.Kept > 0},
		{"after is well again, and its log goes on",
			a.Phases[lifted].Status.Code == http.StatusOK &&
				a.LateLines > 0 && a.Log.Buffered == 0},
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/chanx"
	"example.com/chanx/asynclog"
)

// report is the result, and the form of -json.
type report struct {
	Fault    string        `json:"fault"`
	Requests int           `json:"requests_per_phase"`
	Timeout  time.Duration `json:"timeout_ns"`
	Took     time.Duration `json:"took_ns"`
	Before   serverReport  `json:"before"`
	After    serverReport  `json:"after"`
	// Diagnosis is the worst that package doctor finds in this process.
	Diagnosis string  `json:"diagnosis,omitempty"`
	Claims    []claim `json:"claims"`
	Observed  bool    `json:"observed"` // every claim
}

type serverReport struct {
	Phases     []phaseReport `json:"phases"`
	Goroutines goroutines    `json:"goroutines"`
	// Source is the text of the line that Goroutines.At names, if the
	// source is there to be read.
	Source      string  `json:"source,omitempty"`
	MostBlocked int     `json:"most_blocked_in_send"` // in any sample
	Log         account `json:"log_lines"`
	LateLines   int     `json:"log_lines_after_fault"`
	// LostLines is how many are missing according to the log files.
	LostLines int `json:"log_lines_lost_as_logged"`
	// The rest is what after's log knows of itself; before's knows nothing.
	State      string       `json:"worker,omitempty"`
	Restarts   uint64       `json:"restarts"`
	Stalls     uint64       `json:"stalls"`
	SinkErrors uint64       `json:"failed_writes"`
	Kept       []keptReport `json:"kept"`
	Told       []string     `json:"told"` // its fallback
}

type phaseReport struct {
	Name string `json:"name"`
	counts
	Wait   wait    `json:"wait"`
	Status *status `json:"status_handler,omitempty"`
}

// keptReport is one of the last errors that the log has kept.
type keptReport struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	At     string    `json:"at,omitempty"` // where it panicked
	Stack  string    `json:"stack,omitempty"`
	cause  error
}

// report sums up and judges. The last of the film was taken at rest, so that
// the table and the end of the picture say the same.
func (st *stage) report(film []sample) (*report, error) {
	last := film[len(film)-1]
	rep := &report{
		Fault:    st.set.fault.String(),
		Requests: st.set.requests,
		Timeout:  st.set.timeout,
		Took:     last.At,

		Diagnosis: diagnose(),
	}
	err := errors.Join(
		st.before.report(&rep.Before, last.Before),
		st.after.report(&rep.After, last.After))
	for _, s := range film {
		b, a := &rep.Before, &rep.After
		b.MostBlocked = max(b.MostBlocked, s.Before.Blocked)
		a.MostBlocked = max(a.MostBlocked, s.After.Blocked)
	}
	rep.witnessed(st.log, st.status[:])
	rep.judge(st.set.fault)
	return rep, err
}

func (s *side) report(rep *serverReport, last reading) error {
	for i, p := range phases {
		rep.Phases = append(rep.Phases, phaseReport{
			Name:   p.name,
			counts: s.tallies[i].now(),
			Wait:   s.tallies[i].wait(),
		})
	}
	rep.Goroutines = last.goroutines
	rep.MostBlocked = last.Blocked
	rep.Kept, rep.Told = []keptReport{}, []string{}
	if last.Blocked > 0 {
		rep.Source = sourceLine(last.path, last.line)
	}
	log, files, err := s.accounted()
	rep.Log, rep.LateLines, rep.LostLines = log, files.marked, files.lost
	return err
}

// witnessed fills in what after's log knows of itself.
func (rep *report) witnessed(l *asyncLog, answers []status) {
	stats := l.Stats()
	a := &rep.After
	a.State = l.worker().State.String()
	a.Restarts, a.Stalls = stats.Restarts, stats.Stalls
	a.SinkErrors = stats.SinkErrors
	a.Told = l.witness.lines()
	for i := range answers {
		a.Phases[i].Status = &answers[i]
	}
	for _, e := range stats.Errors {
		a.Kept = append(a.Kept, newKeptReport(e))
	}
}

func newKeptReport(e asynclog.SinkError) keptReport {
	rep := keptReport{Time: e.At, Reason: e.Err.Error(), cause: e.Err}
	var p *chanx.PanicError
	if errors.As(e.Err, &p) && p != nil {
		rep.Reason, _, _ = strings.Cut(p.Error(), ", at ")
		rep.Stack = string(p.Stack)
		rep.At = panickedAt(rep.Stack)
	}
	return rep
}

// panickedAt returns the place, as "dir/file.go:12", of the first function
// below the panic, as runtime/debug prints them: the last panic, should one
// have followed another, and past the runtime's own functions, which are what
// a nil pointer or an index panics in.
func panickedAt(stack string) string {
	lines := strings.Split(stack, "\n")
	below := false
	for i := 0; i+1 < len(lines); i++ {
		switch {
		case strings.HasPrefix(lines[i], "panic("):
			below = true
			i++ // its own place
		case strings.HasPrefix(lines[i], "\t"):
		case below && !strings.HasPrefix(lines[i], "runtime."):
			path, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " +0x")
			return short(path)
		}
	}
	return ""
}

// short leaves of a path the file and its directory.
func short(path string) string {
	dir, file := filepath.Split(filepath.ToSlash(path))
	return filepath.Base(dir) + "/" + file
}

// sourceLine returns a line of a source file without its indentation, or ""
// if it cannot be read: the program may run elsewhere than it was built.
func sourceLine(path string, n int) string {
	text, err := os.ReadFile(path)
	lines := bytes.Split(text, []byte("\n"))
	if err != nil || n < 1 || n > len(lines) {
		return ""
	}
	return string(bytes.TrimSpace(lines[n-1]))
}

func (rep *report) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(rep)
}

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
	// The rest is what a supervisor knows; before has none.
	State    string       `json:"consumer,omitempty"`
	Restarts int          `json:"restarts"`
	Stalls   int64        `json:"stalls"`
	Exits    []exitReport `json:"exits"`
}

type phaseReport struct {
	Name string `json:"name"`
	counts
	Wait   wait    `json:"wait"`
	Status *status `json:"status_handler,omitempty"`
}

// exitReport is one exit of the consumer that the supervisor has kept.
type exitReport struct {
	Reason string        `json:"reason"`
	At     string        `json:"at,omitempty"` // where it panicked
	Stack  string        `json:"stack,omitempty"`
	Ran    time.Duration `json:"ran_ns"`
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
	rep.supervised(st.log.status(), st.log.stalls.Load(), st.status[:])
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
	rep.Exits = []exitReport{}
	if last.Blocked > 0 {
		rep.Source = sourceLine(last.path, last.line)
	}
	var err error
	rep.Log, rep.LateLines, err = s.accounted()
	return err
}

// supervised fills in what is known of after's consumer.
func (rep *report) supervised(w chanx.WorkerStatus, stalls int64, answers []status) {
	rep.After.State = w.State.String()
	rep.After.Restarts = w.Restarts
	rep.After.Stalls = stalls
	for i := range answers {
		rep.After.Phases[i].Status = &answers[i]
	}
	for _, e := range w.Exits {
		rep.After.Exits = append(rep.After.Exits, newExitReport(e))
	}
}

func newExitReport(e chanx.Exit) exitReport {
	rep := exitReport{Ran: e.Ran, cause: e.Err}
	var p *chanx.PanicError
	switch {
	case e.Err == nil:
		rep.Reason = "returned nil"
	case errors.As(e.Err, &p):
		rep.Reason, _, _ = strings.Cut(p.Error(), "\n")
		rep.Stack = string(p.Stack)
		rep.At = panickedAt(rep.Stack)
	default:
		rep.Reason = e.Err.Error()
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

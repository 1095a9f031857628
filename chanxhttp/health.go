// Package chanxhttp shows a [chanx.Supervisor] over HTTP.
//
// It is a package of its own so that package chanx does not import net/http.
package chanxhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/chanx"
)

// Health returns a handler that answers 200 while every worker of s is well,
// and 503 naming the others. It reads what the supervisor has noted, and so
// answers when every worker, every hook and every log is stuck: it touches no
// log and waits for nobody.
//
// A worker is well while it is running, and when it has ended in order beside
// others that run; starting, backing off, stalled and failed are not well.
// Nor is a set in which nothing runs, because Run was not called, or has
// returned: a process that answers while its workers are gone is what this is
// to show. The workers of a Supervisor that is itself a worker count, as
// "parent/child".
//
// The body is a JSON object: "healthy", "unwell" (names and states), and
// "workers" with state, times, restarts and the last exits with error and
// stack. That is meant for those who run the service: mount it on an internal
// port. Methods other than GET and HEAD get 405. A nil s panics.
func Health(s *chanx.Supervisor) http.Handler {
	if s == nil {
		panic("chanx: nil supervisor")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		serve(w, s.Status())
	})
}

func serve(w http.ResponseWriter, workers []chanx.WorkerStatus) {
	rep := newReport(workers)
	var body bytes.Buffer // so that an error cannot follow half an answer
	enc := json.NewEncoder(&body)
	enc.SetIndent("", "  ")
	code := http.StatusOK
	if !rep.Healthy {
		code = http.StatusServiceUnavailable
	}
	if err := enc.Encode(rep); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(body.Bytes()) // the client has gone: nobody to tell
}

type report struct {
	Healthy bool     `json:"healthy"`
	Unwell  []string `json:"unwell"`
	Workers []worker `json:"workers"`
}

type worker struct {
	Name         string     `json:"name"`
	State        string     `json:"state"`
	Since        time.Time  `json:"since"`
	Restarts     int        `json:"restarts"`
	LastBeat     *time.Time `json:"last_beat,omitempty"`
	MissedEvents uint64     `json:"missed_events,omitempty"`
	Exits        []exit     `json:"exits"`
	Workers      []worker   `json:"workers,omitempty"`
}

type exit struct {
	Error    string    `json:"error"` // empty for a nil return
	Stack    string    `json:"stack,omitempty"`
	Started  time.Time `json:"started"`
	Ran      string    `json:"ran"`
	Restarts int       `json:"restarts"`
	Backoff  string    `json:"backoff"`
	Final    bool      `json:"final"`
}

func newReport(workers []chanx.WorkerStatus) report {
	rep := report{Unwell: []string{}, Workers: newWorkers(workers)}
	running := rep.judge("", workers)
	if running == 0 && len(rep.Unwell) == 0 {
		rep.Unwell = append(rep.Unwell, "no worker is running")
	}
	rep.Healthy = len(rep.Unwell) == 0
	return rep
}

// judge names the unwell below prefix and returns how many run.
func (rep *report) judge(prefix string, workers []chanx.WorkerStatus) (running int) {
	for _, w := range workers {
		name := prefix + w.Name
		switch w.State {
		case chanx.StateRunning:
			running++
		case chanx.StateStopped:
		default:
			rep.Unwell = append(rep.Unwell, fmt.Sprintf("%s: %v", name, w.State))
		}
		if w.State == chanx.StateRunning {
			rep.judge(name+"/", w.Workers)
		}
	}
	return running
}

func newWorkers(workers []chanx.WorkerStatus) []worker {
	all := make([]worker, len(workers))
	for i, w := range workers {
		all[i] = worker{
			Name:         w.Name,
			State:        w.State.String(),
			Since:        w.Since,
			Restarts:     w.Restarts,
			MissedEvents: w.Missed,
			Exits:        newExits(w.Exits),
		}
		if !w.LastBeat.IsZero() {
			all[i].LastBeat = &w.LastBeat
		}
		if w.Workers != nil {
			all[i].Workers = newWorkers(w.Workers)
		}
	}
	return all
}

func newExits(exits []chanx.Exit) []exit {
	all := make([]exit, len(exits))
	for i, e := range exits {
		all[i] = exit{
			Started:  e.Started,
			Ran:      e.Ran.String(),
			Restarts: e.Restarts,
			Backoff:  e.Backoff.String(),
			Final:    e.Final,
		}
		if e.Err != nil {
			all[i].Error = e.Err.Error()
		}
		var p *chanx.PanicError
		if errors.As(e.Err, &p) {
			all[i].Stack = string(p.Stack)
		}
		if p, ok := e.Err.(*chanx.PanicError); ok { // its text has the stack
			all[i].Error = fmt.Sprintf("panic: %v", p.Value)
		}
	}
	return all
}

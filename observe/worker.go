package observe

import (
	"fmt"
	"slices"
	"time"

	"example.com/chanx"
	"example.com/chanx/doctor"
	"example.com/chanx/internal/printable"
)

// Supervisor is a chanx.Supervisor as it was seen.
type Supervisor struct {
	Name string `json:"name"`
	// Live, Ready and Reason are those of [chanx.Health].
	Live   bool   `json:"live"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
	// States counts all workers by state.
	States map[chanx.WorkerState]int `json:"states"`
	// Workers are at most 1,000 workers, the worst first, and then in the
	// order in which they were added. One below a Supervisor that is itself a
	// worker is named "parent/child".
	Workers []Worker `json:"workers"`
	// Omitted is how many more there are.
	Omitted int `json:"omitted,omitempty"`
}

// Worker is a worker of a Supervisor as it was seen.
type Worker struct {
	Name         string            `json:"name"`
	State        chanx.WorkerState `json:"state"`
	Since        time.Time         `json:"since"`
	Restarts     int               `json:"restarts"`
	CrashLooping bool              `json:"crash_looping,omitempty"`
	Exits        chanx.ExitCounts  `json:"exits"`
	// LastError is the text of the last exit with an error, of those that the
	// supervisor keeps; LastErrorAt is when that was, and Stack the stack of
	// a panic in it.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	Stack       string    `json:"stack,omitempty"`
}

const (
	maxWorkers = 1000     // of a supervisor in a Snapshot
	maxStack   = 16 << 10 // bytes
)

type supervisorSource struct {
	name string
	s    *chanx.Supervisor
}

func (v *supervisorSource) id() string { return v.name }

// report runs no foreign code.
func (v *supervisorSource) report(l *look, s *Snapshot) {
	h := v.s.Health()
	sup := Supervisor{Name: l.name("supervisor", v.name), Live: h.Live,
		Ready: h.Ready, Reason: h.Reason, States: map[chanx.WorkerState]int{}}
	all := flatten(nil, "", v.s.Status())
	for _, st := range all {
		sup.States[st.State]++
	}
	slices.SortStableFunc(all, func(a, b chanx.WorkerStatus) int {
		return int(severity(b.State, b.CrashLooping)) -
			int(severity(a.State, a.CrashLooping))
	})
	sup.Omitted = max(0, len(all)-maxWorkers)
	all = all[:len(all)-sup.Omitted]
	sup.Workers = make([]Worker, len(all))
	for i, st := range all {
		sup.Workers[i] = newWorker(st)
		sup.Workers[i].Name = l.name("worker of "+v.name, st.Name)
	}
	s.Supervisors = append(s.Supervisors, sup)
	s.addWorkers(&sup, l.at)
}

// flatten appends workers and those below them, with the path as the name.
func flatten(all []chanx.WorkerStatus, path string,
	workers []chanx.WorkerStatus) []chanx.WorkerStatus {
	for _, st := range workers {
		below := st.Workers
		st.Name, st.Workers = path+st.Name, nil
		all = flatten(append(all, st), st.Name+"/", below)
	}
	return all
}

func newWorker(st chanx.WorkerStatus) Worker {
	w := Worker{State: st.State, Since: st.Since, Restarts: st.Restarts,
		CrashLooping: st.CrashLooping, Exits: st.ExitCounts}
	for _, e := range slices.Backward(st.Exits) {
		if e.Err == nil || e.Err == chanx.ErrStop {
			continue
		}
		w.LastErrorAt = e.Started.Add(e.Ran)
		// Its text was taken at the exit: no code of the error runs now.
		for _, a := range e.LogValue().Group() {
			switch a.Key {
			case "error":
				w.LastError = shown(a.Value.String())
			case "stack":
				w.Stack = shownLines(cut(a.Value.String(), maxStack))
			}
		}
		break
	}
	return w
}

// healthy is the severity of a worker that is as it should be.
const healthy = doctor.Info - 1

func severity(state chanx.WorkerState, crashLooping bool) doctor.Severity {
	switch {
	case state == chanx.StateFailed || state == chanx.StateStalled:
		return doctor.Critical
	case state == chanx.StateBackingOff || crashLooping:
		return doctor.Warning
	}
	return healthy
}

// maxSentences is how many workers of one set have a problem of their own.
const maxSentences = 5

func (s *Snapshot) addWorkers(sup *Supervisor, now time.Time) {
	switch sup.Reason {
	case "gave up":
		s.add(Problem{doctor.Critical, "supervisor", sup.Name,
			"supervisor " + quoted(sup.Name) + " has given up: its workers run no more"})
	case "": // it runs
	default:
		s.add(Problem{doctor.Info, "supervisor", sup.Name,
			"supervisor " + quoted(sup.Name) + ": " + sup.Reason})
	}
	more, worst := 0, healthy
	for i, w := range sup.Workers {
		switch sev := severity(w.State, w.CrashLooping); {
		case sev == healthy:
		case i < maxSentences:
			s.add(Problem{sev, "worker", w.Name, w.sentence(sup.Name, now)})
		default:
			more, worst = more+1, max(worst, sev)
		}
	}
	if more > 0 {
		s.add(Problem{worst, "worker", sup.Name, fmt.Sprintf(
			"%s of supervisor %s fail as well", printable.Plural(more, "more worker"), quoted(sup.Name))})
	}
}

func (w *Worker) sentence(supervisor string, now time.Time) string {
	how := map[chanx.WorkerState]string{
		chanx.StateFailed:     "failed for good %s ago",
		chanx.StateStalled:    "has been stalled for %s",
		chanx.StateBackingOff: "ended %s ago and waits to be restarted",
		chanx.StateRunning:    "is crash-looping: it was restarted %s ago",
	}[w.State]
	text := fmt.Sprintf("worker %s of %s "+how+", %s so far",
		quoted(w.Name), quoted(supervisor),
		ago(now.Sub(w.Since)), printable.Plural(w.Restarts, "restart"))
	if w.LastError != "" {
		text += "; last error: " + w.LastError
	}
	return text
}

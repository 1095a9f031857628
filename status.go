package chanx

// To copy this file: take supervisor.go along, which names all it needs.

import (
	"fmt"
	"slices"
	"time"
)

// WorkerState is the state of a worker of a [Supervisor].
type WorkerState int

const (
	StateStarting   WorkerState = iota // added, not yet run
	StateRunning                       // its goroutine has been started
	StateBackingOff                    // between an exit and the restart
	StateStalled                       // running, but silent for longer than its Heartbeat
	StateStopped                       // ended in order, or by its Supervisor
	StateFailed                        // ended for good with an error, or gave up
)

// String returns the state in words: "starting", "running", "backing off",
// "stalled", "stopped" or "failed".
func (s WorkerState) String() string {
	names := [...]string{
		"starting", "running", "backing off", "stalled", "stopped", "failed",
	}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("WorkerState(%d)", int(s))
	}
	return names[s]
}

// MarshalText returns what String does.
func (s WorkerState) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

// WorkerStatus is the status of one worker, from [Supervisor.Status]. Its JSON
// has the names of the fields in lower case, the state in words, and the exits
// as [Exit.MarshalJSON] has them.
type WorkerStatus struct {
	Name  string      `json:"name"`
	State WorkerState `json:"state"`
	Since time.Time   `json:"since"` // when it entered State
	// Restarts is how often it was started again, by its policy or along with
	// a sibling, ever. Another Run does not count.
	Restarts int `json:"restarts"`
	// CrashLooping says that it is running again after a failure, and has not
	// been for long enough to call it recovered: for 10 s, or for 1 min if it
	// had failed before since its last healthy run; for ResetAfter if that is
	// less. An exit that its policy restarts is a failure.
	CrashLooping bool `json:"crash_looping,omitempty"`
	// Exits are its last exits, oldest first, at most
	// SupervisorOptions.KeepExits. They stay readable after Run has returned.
	Exits []Exit `json:"exits,omitempty"`
	// LastBeat is when it was started or last called [Beat]; zero before.
	LastBeat time.Time `json:"last_beat,omitzero"`
	// Missed is how many events its OnEvent could not take.
	Missed uint64 `json:"missed_events,omitempty"`
	// Workers is the status of the Supervisor whose Run is this worker, if
	// it is one, since a tree is well only if its leaves are.
	Workers []WorkerStatus `json:"workers,omitempty"`
}

// Status returns the state of every worker, in the order they were added. It
// never waits on a worker, a hook or a log: only on the lock under which the
// supervisor notes what happens. It may be called at any time; after Run has
// returned it tells how everything ended. The result is the caller's.
func (s *Supervisor) Status() []WorkerStatus {
	s.mu.Lock()
	all := make([]WorkerStatus, len(s.members))
	var children map[int]*Supervisor
	for i, m := range s.members {
		all[i] = m.status()
		if child := m.child(); child != nil {
			if children == nil {
				children = make(map[int]*Supervisor)
			}
			children[i] = child
		}
	}
	s.mu.Unlock()
	for i, child := range children {
		all[i].Workers = child.Status()
	}
	return all
}

func (m *member) status() WorkerStatus {
	st := WorkerStatus{
		Name:     m.name,
		State:    m.state,
		Since:    m.since,
		Restarts: m.restarts,
		Exits:    slices.Clone(m.exits),
		Missed:   m.hook.count(),
	}
	st.CrashLooping = m.crashLooping(time.Now())
	if m.run != nil {
		st.LastBeat = m.run.pulse.lastBeat()
	}
	return st
}

func (m *member) child() *Supervisor {
	if m.run == nil {
		return nil
	}
	child, _ := m.run.pulse.child.Load().(*Supervisor)
	return child
}

package chanx

// To copy this file: take supervisor.go along, which names all it needs.

import (
	"context"
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
// has names in lower case, the state in words, and the exits in the form of
// [Exit.MarshalJSON].
type WorkerStatus struct {
	Name  string      `json:"name"`
	State WorkerState `json:"state"`
	Since time.Time   `json:"since"` // when it entered State
	// Restarts is how often it was started again, ever: by its policy, along
	// with a sibling, or by [Supervisor.Restart]. Another Run does not count.
	Restarts int `json:"restarts"`
	// CrashLooping says that it is running again after a failure, and has not
	// been for long enough to call it recovered: for 10 s, or for 1 min if it
	// had failed before since its last healthy run; for ResetAfter if that is
	// less. An exit that its policy restarts is a failure.
	CrashLooping bool `json:"crash_looping,omitempty"`
	// ExitCounts is how often it has exited in each way, ever.
	ExitCounts ExitCounts `json:"exit_counts,omitzero"`
	// Exits are its last exits, oldest first, at most
	// SupervisorOptions.KeepExits. They stay readable after Run has returned.
	Exits []Exit `json:"exits,omitempty"`
	// LastBeat is when it was started or last called [Beat]; zero before.
	LastBeat time.Time `json:"last_beat,omitzero"`
	// Missed is how many events its OnEvent could not take.
	Missed uint64 `json:"missed_events,omitempty"`
	// Workers is the status of the Supervisors that run below this worker,
	// with a ctx derived from its own, since a tree is well only if its leaves
	// are. Once the worker itself has ended, it also has the one that was the
	// last to return.
	Workers []WorkerStatus `json:"workers,omitempty"`
}

// ExitCounts counts the exits of a worker. A [*PanicError] or an [ErrGoexit]
// that it returned counts as an error. The sum is the number of runs that have
// ended; the late end of a run that was replaced as stalled is not counted
// again.
type ExitCounts struct {
	Nil    uint64 `json:"nil,omitempty"`
	Error  uint64 `json:"error,omitempty"` // with ErrStop and the error of its context
	Panic  uint64 `json:"panic,omitempty"`
	Goexit uint64 `json:"goexit,omitempty"`
	Stall  uint64 `json:"stall,omitempty"` // replaced as stalled
}

func (c *ExitCounts) add(kind exitKind) {
	switch kind {
	case exitNil:
		c.Nil++
	case exitError:
		c.Error++
	case exitPanic:
		c.Panic++
	case exitGoexit:
		c.Goexit++
	case exitStall:
		c.Stall++
	}
}

// Status returns the state of every worker, in the order they were added. It
// never waits on a worker, a hook or a log: only on the lock under which the
// supervisor notes what happens. It may be called at any time; after Run has
// returned it tells how everything ended. The result is the caller's.
func (s *Supervisor) Status() []WorkerStatus {
	s.mu.Lock()
	all := make([]WorkerStatus, len(s.members))
	var children map[int][]*Supervisor
	for i, m := range s.members {
		all[i] = m.status()
		if below := m.children(); below != nil {
			if children == nil {
				children = make(map[int][]*Supervisor)
			}
			children[i] = below
		}
	}
	s.mu.Unlock()
	for i, below := range children {
		for _, child := range below {
			all[i].Workers = append(all[i].Workers, child.Status()...)
		}
	}
	return all
}

func (m *member) status() WorkerStatus {
	st := WorkerStatus{
		Name:       m.name,
		State:      m.state,
		Since:      m.since,
		Restarts:   m.restarts,
		ExitCounts: m.ended,
		Exits:      slices.Clone(m.exits),
		Missed:     m.hook.count(),
	}
	st.CrashLooping = m.crashLooping(time.Now())
	if m.run != nil {
		st.LastBeat = m.run.lastBeat()
	}
	return st
}

// children returns the Supervisors whose status belongs to that of m.
func (m *member) children() (below []*Supervisor) {
	if m.run == nil {
		return nil
	}
	for c := m.run.children; c != nil; c = c.next {
		if !c.over || !m.live() {
			below = append(below, c.set)
		}
	}
	slices.Reverse(below)
	return below
}

// childRun is a Run below a worker, in a list: nearly all runs have none.
type childRun struct {
	set  *Supervisor
	over bool
	next *childRun
}

// adopt has the worker that runs with ctx, if any, show set as running below
// it, until leave is called.
func adopt(ctx context.Context, set *Supervisor) (leave func()) {
	r, _ := ctx.Value(runKey{}).(*workerRun)
	if r == nil {
		return func() {}
	}
	mu := &r.m.set.mu
	mu.Lock()
	defer mu.Unlock()
	c := &childRun{set: set, next: r.children}
	r.children = c
	return func() {
		mu.Lock()
		defer mu.Unlock()
		r.forgetOver()
		c.over = true
	}
}

// forgetOver takes the Runs that are over off the list.
func (r *workerRun) forgetOver() {
	for at := &r.children; *at != nil; {
		if (*at).over {
			*at = (*at).next
		} else {
			at = &(*at).next
		}
	}
}

package chanx

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
	StateStopped                       // ended without an error, or by its Supervisor
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

// MarshalText returns the text of String.
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
	// Restarts is the number of restarts since Add: by the policy, with a
	// sibling, or by [Supervisor.Restart]. Another Run does not count.
	Restarts int `json:"restarts"`
	// CrashLooping reports that the worker is running again after a failure,
	// and not yet for long enough to call it recovered: 10 s, or 1 min if it
	// had failed before since its last healthy run; ResetAfter if that is
	// less. An exit that the policy restarts is a failure.
	CrashLooping bool `json:"crash_looping,omitempty"`
	// ExitCounts counts the exits since Add by kind.
	ExitCounts ExitCounts `json:"exit_counts,omitzero"`
	// Exits are the last exits, oldest first, at most
	// SupervisorOptions.KeepExits. They stay readable after Run has returned.
	Exits []Exit `json:"exits,omitempty"`
	// LastBeat is when the worker was started or last called [Beat]; zero
	// before.
	LastBeat time.Time `json:"last_beat,omitzero"`
	// Missed is the number of events lost by its OnEvent.
	Missed uint64 `json:"missed_events,omitempty"`
	// Workers is the status of the Supervisors that run below this worker,
	// with a ctx derived from its own: a tree is healthy only if its leaves
	// are. After the worker itself has ended, it includes the Supervisor that
	// was the last to return.
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
	Stall  uint64 `json:"stall,omitempty"` // the run was replaced as stalled
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

// Status returns the status of every worker, in the order they were added. It
// may be called at any time; after Run has returned it shows how each worker
// ended. It never waits for a worker, a hook or a log, only for the lock of the
// Supervisor. The result belongs to the caller.
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

// adopt makes the status of the worker running with ctx, if any, include that of
// set, until leave is called.
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

// forgetOver removes the Runs that are over from the list.
func (r *workerRun) forgetOver() {
	for at := &r.children; *at != nil; {
		if (*at).over {
			*at = (*at).next
		} else {
			at = &(*at).next
		}
	}
}

// Health is the summary of a [Supervisor] that a probe needs, from
// [Supervisor.Health]. Package chanxhttp serves it over HTTP.
type Health struct {
	// Live reports that no worker is stalled or failed, and that the set has
	// not given up: there is no reason to restart the process.
	Live bool
	// Ready reports that the set is running and not stopping, that it has a
	// running worker, and that each worker is running and not crash-looping, or
	// has stopped.
	Ready bool
	// Reason is why the set as a whole is not ready: "not started", "no
	// worker is running", "stopping", "stopped" or "gave up". It is empty if
	// the set is ready, or only some of its workers are not.
	Reason string
	// Workers are at most 100 workers: first those that are not live, then
	// those that are not ready, then the others; each time in the order of
	// [Supervisor.Status], those below a worker after all its siblings. A
	// worker below a Supervisor that is itself a worker is named
	// "parent/child"; the Workers of each are nil.
	Workers []WorkerStatus
	// Omitted is the number of workers not listed.
	Omitted int
}

// healthWorkers bounds Health.Workers: a set of 10,000 workers is summarized
// without a copy of each.
const healthWorkers = 100

// A worker that has failed is crash-looping until its run has lasted for
// failedGrace or, if it had failed before since its last healthy run, for
// loopingGrace. ResetAfter, if it is shorter, replaces both. One grace period
// alone would hide a worker that lives a little longer, or take a service out of
// its load balancer for a minute because of one error.
const (
	failedGrace  = 10 * time.Second
	loopingGrace = time.Minute
)

// Health reports whether s is live and ready, and lists the workers that are
// not. A worker is not live while it is stalled or failed, and not ready while
// it is starting, backing off, or crash-looping: see WorkerStatus.CrashLooping.
// The workers of a Supervisor that is itself a worker count during its Run. When
// it stops or has given up, the set above it decides what to do: its failed and
// stalled workers are then not ready, but live. A set that gave up is itself not
// live until it is run again.
//
// Like Status, Health waits only for the lock of each Supervisor. It calls no
// code of a worker, and copies the exits of at most 300 workers of each set.
func (s *Supervisor) Health() Health {
	t := s.triage()
	dead, unready := t.workers[deadWorker], t.workers[unreadyWorker]
	h := Health{Live: len(dead) == 0 && !t.gaveUp, Reason: t.reason}
	well := len(dead)+len(unready) == 0
	if h.Reason == "" && well && t.running == 0 {
		h.Reason = "no worker is running"
	}
	h.Ready = h.Reason == "" && well
	for _, all := range t.workers {
		all = all[:min(len(all), healthWorkers-len(h.Workers))]
		h.Workers = append(h.Workers, all...)
	}
	h.Omitted = t.total - len(h.Workers)
	return h
}

// The severities of a worker, worst first.
const (
	deadWorker = iota
	unreadyWorker
	wellWorker
)

// triage is the state of a set and of those below it.
type triage struct {
	busy    bool // its Run has not returned
	gaveUp  bool
	reason  string
	workers [wellWorker + 1][]WorkerStatus // by severity
	total   int
	running int
}

func (s *Supervisor) triage() (t triage) {
	type below struct {
		name string
		set  *Supervisor
	}
	var children []below
	s.mu.Lock()
	now := time.Now()
	t.busy, t.gaveUp, t.reason = s.busy, s.over, s.reason()
	for _, m := range s.members {
		t.add(m.severity(now), "", m.status)
		if m.state != StateRunning && m.state != StateStalled {
			continue
		}
		t.running++
		for _, child := range m.children() {
			children = append(children, below{m.name, child})
		}
	}
	s.mu.Unlock()
	for _, c := range children {
		if child := c.set.triage(); child.busy {
			t.include(c.name+"/", child)
		}
	}
	return t
}

// reason returns why the set is not ready, whatever its workers are. The caller
// holds mu.
func (s *Supervisor) reason() string {
	switch {
	case s.over:
		return "gave up"
	case s.phase == phaseIdle:
		return "not started"
	case s.phase == phaseStopping:
		return "stopping"
	case s.phase == phaseStopped:
		return "stopped"
	}
	return ""
}

// severity is called with mu held.
func (m *member) severity(now time.Time) int {
	switch m.state {
	case StateStalled, StateFailed:
		return deadWorker
	case StateStopped:
		return wellWorker
	case StateRunning:
		if !m.crashLooping(now) {
			return wellWorker
		}
	}
	return unreadyWorker
}

// crashLooping reports whether m has failed, and its run has not lasted long
// enough to count as recovered. The caller holds mu.
func (m *member) crashLooping(now time.Time) bool {
	failures := m.restarter.restarts
	if m.state != StateRunning || failures == 0 {
		return false
	}
	grace := loopingGrace
	if failures == 1 {
		grace = failedGrace
	}
	return now.Sub(m.run.pulse.born) < min(grace, m.restarter.policy.ResetAfter)
}

// add adds one worker, and takes its status only if it is listed.
func (t *triage) add(severity int, prefix string, status func() WorkerStatus) {
	t.total++
	if len(t.workers[severity]) < healthWorkers {
		st := status()
		st.Name = prefix + st.Name
		t.workers[severity] = append(t.workers[severity], st)
	}
}

// include adds the workers of a set that runs below a worker.
func (t *triage) include(prefix string, child triage) {
	listed := 0
	for severity, all := range child.workers {
		if severity == deadWorker && child.reason != "" {
			severity = unreadyWorker
		}
		for _, st := range all {
			t.add(severity, prefix, func() WorkerStatus { return st })
			listed++
		}
	}
	t.total += child.total - listed
}

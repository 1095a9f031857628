package chanx

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Strategy selects the workers of a [Supervisor] that are restarted together.
// The names and their meaning are those of Erlang/OTP.
type Strategy int

const (
	// OneForOne restarts the worker that exited.
	OneForOne Strategy = iota
	// OneForAll stops all other workers, last added first, and starts all
	// again when the backoff of the worker that exited is over; the backoff
	// begins when they have stopped. Their contexts are cancelled with
	// [ErrRestarting] as the cause; if they then return ErrStop or nil, that
	// does not end them for good. A sibling ends for good during this if it is
	// under RestartNever, returns a [Permanent] error, or ended in a way that
	// its policy does not restart before its context was cancelled. A sibling
	// that [Supervisor.Restart] waits for is started in any case.
	OneForAll
	// RestForOne does the same with the workers added after the one that
	// exited.
	RestForOne
)

var strategies = [...]string{"one for one", "one for all", "rest for one"}

// String returns "one for one", "one for all" or "rest for one".
func (s Strategy) String() string {
	if s < 0 || int(s) >= len(strategies) {
		return fmt.Sprintf("Strategy(%d)", int(s))
	}
	return strategies[s]
}

// MarshalText returns the text of String. An unknown strategy is an error.
func (s Strategy) MarshalText() ([]byte, error) {
	if s < 0 || int(s) >= len(strategies) {
		return nil, fmt.Errorf("chanx: unknown %v", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText sets s to the strategy with that text. Any text other than the
// three of String is an error, and leaves s unchanged.
func (s *Strategy) UnmarshalText(text []byte) error {
	i := slices.Index(strategies[:], string(text))
	if i < 0 {
		return fmt.Errorf("chanx: unknown Strategy %q, want one of %q",
			text, strategies)
	}
	*s = Strategy(i)
	return nil
}

// plan is a restart in progress, of one member or of a group: the running members
// are stopped, then all are started when wait is over. A member belongs to the
// last plan that has claimed it, and only that starts it: a group that fails
// again, or within a larger one, cannot run a member twice.
type plan struct {
	members  []*member
	claimed  int  // how many of them still belong to it
	stopping bool // some may still run
	asked    bool // by Restart: its only member is started when it has stopped
	name     string
	cause    Exit // the exit of the worker of that name, which caused the plan
	wait     time.Duration
	timer    *time.Timer
}

// claim makes p the plan that starts m next, in place of the one before.
func (m *member) claim(p *plan) {
	m.unclaim()
	m.plan = p
	p.claimed++
}

// unclaim takes m out of its plan, and drops a plan without members. The
// runtime may hold a stopped timer until it would have fired, so the plan must
// not keep a removed worker in memory.
func (m *member) unclaim() {
	p := m.plan
	if m.plan = nil; p == nil {
		return
	}
	if p.claimed--; p.claimed > 0 {
		return
	}
	p.members, p.cause = nil, Exit{}
	if p.timer != nil {
		p.timer.Stop()
	}
}

// Restart stops the worker of that name, waits for it, and starts it again in
// its place: the order in which workers are started and stopped, and the
// siblings that RestForOne restarts, stay the same. Siblings are not restarted.
// The worker's context is cancelled with [ErrRestarting] as the cause, and
// however it then ends, it is started again at once. A worker that is backing
// off or has ended for good is started at once; a worker that is being stopped
// for a sibling's restart is started with that sibling. The restart counts in
// WorkerStatus.Restarts and towards no limit.
//
// If ctx is done first, Restart returns ctx.Err(), and the worker is restarted
// when it stops. A ctx done before the call changes nothing. An unknown name, a
// worker that is being removed, and a Supervisor that is not running are errors,
// also if the removal or the stop begins while Restart waits. A worker that
// restarts itself waits until its ctx is done, which the restart cancels. A nil
// ctx panics.
func (s *Supervisor) Restart(ctx context.Context, name string) error {
	if ctx == nil {
		panic("chanx: nil context")
	}
	if err := errIfDone(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	m, err := s.restartable(name)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	before := m.run
	settled := s.askRestart(m)
	s.mu.Unlock()
	if settled == nil {
		return nil
	}
	if !closedBefore(ctx, settled) {
		return errIfDone(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.run == before {
		return fmt.Errorf("chanx: worker %q was stopped and not restarted", name)
	}
	return nil
}

// regroup carries out one restart that must first stop siblings. Others wait for
// the next round of Run's loop, so that a group that always fails does not block
// it.
func (s *Supervisor) regroup(a attention) {
	if errIfDone(a.ctx) != nil {
		return
	}
	p, live := s.nextGroup()
	if p == nil {
		return
	}
	timeout := s.patience(a.ctx)
	s.stopInTurn(a, live, timeout, ErrRestarting, a.ctx.Done(), s.halt)
	if errIfDone(a.ctx) == nil {
		s.restartGroup(p, live, timeout)
	}
}

func (s *Supervisor) nextGroup() (p *plan, live []*workerRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.groups) == 0 || s.over {
		return nil, nil
	}
	p = s.groups[0]
	s.groups = slices.Delete(s.groups, 0, 1) // clears the last element
	for _, m := range p.members {
		if m.plan == p && m.live() {
			live = append(live, m.run.awaited())
		}
	}
	return p, live
}

// restartGroup plans the start of a group that was stopped. A member that has
// been removed is no longer part of it, whether it has stopped or not, nor is a
// member that a later plan has claimed.
func (s *Supervisor) restartGroup(p *plan, asked []*workerRun, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	var late []string
	for _, r := range asked {
		if !r.ended && r.m.gone == nil {
			late = append(late, r.m.name)
		}
	}
	if len(late) > 0 {
		s.end(&StopTimeoutError{late, timeout, named(p.name, p.cause.Err, p.cause.shown)})
		return
	}
	p.stopping = false
	p.members = slices.DeleteFunc(p.members, func(m *member) bool {
		return m.plan != p
	})
	s.schedule(p)
	s.nudge() // for the next one, if any
}

// The functions below are called with mu held.

// restart starts m again after wait, together with the siblings that the
// strategy selects. It returns the run that is to start at once, if any.
func (s *Supervisor) restart(m *member, wait time.Duration, cause *Exit) *workerRun {
	if s.opts.Strategy == OneForOne && wait == 0 {
		return s.again(m, cause)
	}
	p := &plan{name: m.name, cause: *cause, wait: wait}
	if s.opts.Strategy == OneForOne {
		p.members = []*member{m}
		m.claim(p)
		s.schedule(p)
		return nil
	}
	group := s.members
	if s.opts.Strategy == RestForOne {
		group = group[s.index(m):]
	}
	p.stopping = true
	for _, sib := range group {
		if sib.over || sib.gone != nil {
			continue
		}
		sib.claim(p)
		p.members = append(p.members, sib)
	}
	s.groups = append(s.groups, p)
	s.nudge()
	return nil
}

// schedule starts the members of p, none of which is running, after its wait.
func (s *Supervisor) schedule(p *plan) {
	switch {
	case p.claimed == 0:
	case p.wait == 0:
		s.launch(p)
	default:
		p.timer = time.AfterFunc(p.wait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.launch(p)
		})
	}
}

func (s *Supervisor) launch(p *plan) {
	members, cause := p.members, p.cause // unclaim empties them
	for _, m := range members {
		if m.plan == p && !s.over { // or it was removed, claimed, or too late
			s.spawn(s.again(m, &cause))
		}
	}
}

// again starts m again after an exit.
func (s *Supervisor) again(m *member, cause *Exit) *workerRun {
	m.restarts++
	r := s.start(m)
	s.tell(m, EventRestart, r.born, cause)
	return r
}

// regrouped decides about the end of a run that its plan was to stop, or has
// stopped. As in OTP, a RestartNever worker is not restarted for others, and a
// RestartOnFailure worker is, unless it had completed before it was to stop.
// None of this counts as a restart.
func (m *member) regrouped(r *workerRun, res *result, d *decision) {
	asked := context.Cause(r.ctx) == ErrRestarting
	switch mode := m.restarter.policy.Restart; {
	case m.settled != nil: // a Restart waits, also if a group has claimed m
		d.restart, d.wait = true, m.plan.wait
	case res.permanent(), res.stop && !asked:
		d.err = res.failure()
	case mode == RestartNever && !asked:
		d.err = res.err
	case mode == RestartNever, mode == RestartOnFailure && res.err == nil && !asked:
	default:
		d.restart, d.wait = true, m.plan.wait
	}
}

func (s *Supervisor) restartable(name string) (*member, error) {
	m := s.names[name]
	switch {
	case m == nil:
		return nil, fmt.Errorf("chanx: there is no worker %q", name)
	case s.phase != phaseRunning || s.over:
		return nil, fmt.Errorf("chanx: cannot restart worker %q: "+
			"supervisor is not running", name)
	case m.gone != nil:
		return nil, fmt.Errorf("chanx: cannot restart worker %q: "+
			"it is being removed", name)
	}
	return m, nil
}

// askRestart starts m, or begins to stop it for a start. It then returns a channel
// that is closed when m was started, or no longer can be.
func (s *Supervisor) askRestart(m *member) (settled <-chan struct{}) {
	switch {
	case m.plan != nil && m.plan.stopping: // which starts it
	case m.live():
		p := &plan{members: []*member{m}, stopping: true, asked: true}
		m.claim(p)
		m.run.cancel(ErrRestarting)
	default:
		if m.over {
			m.over = false
			s.alive++
		}
		s.spawn(s.again(m, &m.exits[len(m.exits)-1]))
		return nil
	}
	if m.settled == nil {
		m.settled = make(chan struct{})
	}
	return m.settled
}

// settle wakes the calls of Restart that wait for m.
func (m *member) settle() {
	if m.settled != nil {
		close(m.settled)
		m.settled = nil
	}
}

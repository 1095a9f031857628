package chanx

// To copy this file: take supervisor.go along, which names all it needs.

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Strategy says which workers of a [Supervisor] are restarted when one of them
// is. The names and their meaning are those of Erlang/OTP.
type Strategy int

const (
	// OneForOne restarts the worker that exited.
	OneForOne Strategy = iota
	// OneForAll stops all the others, last added first, and starts all again
	// when the backoff of the one that exited is over; it begins when they
	// have stopped. A sibling under RestartNever, or one that returns ErrStop,
	// has then ended for good; one under RestartOnFailure only if it returned
	// nil before it was its turn.
	OneForAll
	// RestForOne does that with those added after the one that exited.
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

// MarshalText returns what String does. An unknown strategy is an error.
func (s Strategy) MarshalText() ([]byte, error) {
	if s < 0 || int(s) >= len(strategies) {
		return nil, fmt.Errorf("chanx: unknown %v", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText sets s to the strategy with that text. Any text but the three
// of String is an error, and leaves s unchanged.
func (s *Strategy) UnmarshalText(text []byte) error {
	i := slices.Index(strategies[:], string(text))
	if i < 0 {
		return fmt.Errorf("chanx: unknown Strategy %q, want one of %q",
			text, strategies)
	}
	*s = Strategy(i)
	return nil
}

// plan is a start, of one member or of a group, that waits for its backoff.
type plan struct {
	members []*member
	waiting int // how many of them it is still to start
	cause   Exit
	timer   *time.Timer
}

// regroup is a restart that must first stop siblings.
type regroup struct {
	plan
	failed *member
	wait   time.Duration
}

var errRegrouped = errors.New("chanx: worker is restarted with a sibling")

// regroup does one restart that must first stop siblings. Others wait for the
// next round of Run's loop, so that a group that fails for ever does not keep
// it from the rest.
func (s *Supervisor) regroup(a attention) {
	g, live := s.nextGroup()
	if g == nil {
		return
	}
	s.stopInTurn(a, live, errRegrouped, a.ctx.Done(), s.halt)
	if a.ctx.Err() == nil {
		s.restartGroup(g, live)
	}
}

func (s *Supervisor) nextGroup() (g *regroup, live []*run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.regroups) == 0 || s.over {
		return nil, nil
	}
	g = s.regroups[0]
	s.regroups = slices.Delete(s.regroups, 0, 1) // which keeps nothing
	for _, m := range g.members {
		if m.group == g && m.live() {
			live = append(live, m.run.awaited())
		}
	}
	return g, live
}

// restartGroup plans the start of a group that has been stopped. Those who
// were removed meanwhile are no longer of it, whether they have stopped or
// not, and those claimed by a later one are left to that.
func (s *Supervisor) restartGroup(g *regroup, asked []*run) {
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
		s.end(&StopTimeoutError{late, s.opts.StopTimeout, g.failed.named(g.cause.Err, g.cause.shown)})
		return
	}
	g.plan.members = slices.DeleteFunc(g.members, func(m *member) bool {
		return m.group != g
	})
	s.schedule(&g.plan, g.wait)
	s.nudge() // for the next one, if any
}

// The rest is called with mu held.

// restart starts m again after wait, and with it whom the strategy says.
func (s *Supervisor) restart(m *member, wait time.Duration, cause *Exit) {
	if s.opts.Strategy == OneForOne && wait == 0 {
		s.again(m, cause)
		return
	}
	if s.opts.Strategy == OneForOne {
		s.schedule(&plan{members: []*member{m}, cause: *cause}, wait)
		return
	}
	group := s.members
	if s.opts.Strategy == RestForOne {
		group = group[s.index(m):]
	}
	g := &regroup{plan: plan{cause: *cause}, failed: m, wait: wait}
	for _, sib := range group {
		if sib.over || sib.gone != nil {
			continue
		}
		sib.unplan() // this start takes the place of one it waited for
		sib.group = g
		g.members = append(g.members, sib)
	}
	s.regroups = append(s.regroups, g)
	s.nudge()
}

// schedule starts the members of p, none of which is running, after wait.
func (s *Supervisor) schedule(p *plan, wait time.Duration) {
	p.waiting = len(p.members)
	for _, m := range p.members {
		m.group, m.plan = nil, p
	}
	if wait == 0 {
		s.launch(p)
		return
	}
	p.timer = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.launch(p)
	})
}

func (s *Supervisor) launch(p *plan) {
	for _, m := range p.members {
		if m.plan != p || s.over {
			continue // removed, or part of a later plan, or too late
		}
		s.again(m, &p.cause)
	}
}

// again starts m for another time, after an exit.
func (s *Supervisor) again(m *member, cause *Exit) {
	m.restarts++
	s.start(m)
	m.tell(EventRestart, m.run.pulse.born, cause)
}

// regrouped says what follows the end of a run of which a sibling's failure is
// to be, or was, the end. As in OTP, RestartNever is not restarted for
// others, and RestartOnFailure is; but not if it was done before it was asked.
// None of it counts as a restart.
func (m *member) regrouped(f fate, asked bool) verdict {
	switch mode := m.restarter.policy.Restart; {
	case f.stop, mode == RestartNever && asked:
		return verdict{}
	case mode == RestartNever, mode == RestartOnFailure && f.err == nil && !asked:
		return verdict{err: f.err}
	}
	return verdict{restart: true, wait: m.group.wait}
}

// unplan takes m off what was to start it, and stops the clock of a plan that
// has nobody left. The runtime may hold a stopped timer until it would have
// fired, so the plan must not keep a removed worker in memory.
func (m *member) unplan() {
	p := m.plan
	m.group, m.plan = nil, nil
	if p == nil {
		return
	}
	if p.waiting--; p.waiting == 0 && p.timer != nil {
		p.timer.Stop()
		p.members, p.cause = nil, Exit{}
	}
}

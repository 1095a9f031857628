package chanx

// To copy this file: take supervisor.go along, which names all it needs.

import (
	"context"
	"fmt"
)

// Restart stops the worker of that name, waits for it, and starts it again in
// its place: the order in which workers are started and stopped, and which
// siblings RestForOne restarts, stay the same. Siblings are left alone. The
// worker's context is cancelled with [ErrRestarting] as the cause, and however
// it then ends, it is started again, at once. A worker that is backing off or
// has ended for good is started at once; one that is being stopped for a
// sibling's restart is started with that. The restart counts in
// WorkerStatus.Restarts and towards no limit.
//
// If ctx is done first, Restart returns ctx.Err(), and the worker is restarted
// when it does stop. A ctx done before the call changes nothing. An unknown
// name, a worker that is being removed, before or while Restart waits, and a
// Supervisor that is not running or stops meanwhile, are errors. A worker that
// restarts itself waits for itself: until its ctx, which the restart cancels,
// is done. A nil ctx panics.
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

// The rest is called with mu held.

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

// askRestart starts m, or has it stopped and started. In that case it returns
// a channel that is closed when that has happened or cannot happen any more.
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

// settle lets those Restarts look that wait for m.
func (m *member) settle() {
	if m.settled != nil {
		close(m.settled)
		m.settled = nil
	}
}

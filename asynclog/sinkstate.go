package asynclog

import (
	"fmt"
	"time"

	"example.com/chanx"
)

// keepErrors is how many of the sink's last errors are kept.
const keepErrors = 8

// SinkError is an error of the sink and when it happened.
type SinkError struct {
	At  time.Time
	Err error
}

// sinkState remembers the errors of the sink, because the log that would tell
// them is the thing that has stopped. The Writer's lock guards it, so none of
// its methods calls a method of an error: those are foreign code, and may
// block, panic, or log.
type sinkState struct {
	errors uint64
	last   []SinkError // oldest first
	run    int         // errors since the last call without one
	since  time.Time   // of the first of those
	stalls uint64

	// The result of the last call that has ended; nil: no error. A stall does
	// not change it.
	current error
}

// sinkNews is a change of the sink's state, for Options.Fallback.
type sinkNews struct {
	err   error
	run   int // errors in a row; 0: nothing to tell
	since time.Time
}

// note records the result of a call.
func (s *sinkState) note(err error) (n sinkNews) {
	s.current = err
	switch {
	case err != nil:
		s.keep(err)
		s.errors++
		if s.run++; s.run == 1 {
			s.since = s.last[len(s.last)-1].At
		}
		n = sinkNews{err, s.run, s.since}
	case s.run > 0:
		n = sinkNews{nil, s.run, s.since}
		s.run = 0
	}
	return n
}

func (s *sinkState) keep(err error) {
	if len(s.last) == keepErrors {
		s.last = append(s.last[:0], s.last[1:]...)
	}
	s.last = append(s.last, SinkError{At: time.Now(), Err: err})
}

// tell passes the news on. The caller does not hold mu.
func (w *Writer) tell(n sinkNews) {
	if n.run > 0 {
		w.fallback.tellState(n.String)
	}
}

func (n sinkNews) String() string {
	since := n.since.Format(time.TimeOnly)
	switch {
	case n.err == nil:
		return fmt.Sprintf("the sink works again, after %d errors since %s",
			n.run, since)
	case n.run == 1:
		return "the sink fails: " + brief(n.err)
	}
	return fmt.Sprintf("the sink fails, %d times since %s: %s",
		n.run, since, brief(n.err))
}

// brief returns the text of err without the stack of a panic, which is for
// Stats.
func brief(err error) string {
	if p, ok := err.(*chanx.PanicError); ok {
		return fmt.Sprintf("panic: %v", p.Value)
	}
	return message(err)
}

// message returns err.Error(), "" for nil. An Error method that panics, as
// that of a typed nil often does, must not take down a Close or a page of
// statistics.
func message(err error) (text string) {
	if err == nil {
		return ""
	}
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T, whose Error method panics", err)
		}
	}()
	return err.Error()
}

// observe receives the events of the worker from its supervisor.
func (w *Writer) observe(e chanx.Event) {
	switch e.Kind {
	case chanx.EventExit:
		if e.Exit.Final {
			return
		}
		w.lock()
		w.sinkState.keep(e.Exit.Err)
		w.sinkState.current = e.Exit.Err
		w.unlock()
		w.fallback.tellState(func() string {
			return "the sink crashed: " + brief(e.Exit.Err)
		})
	case chanx.EventStall:
		w.lock()
		w.sinkState.stalls++
		w.sinkState.keep(e.Exit.Err)
		w.unlock()
		w.fallback.tellState(func() string {
			return fmt.Sprintf("the sink has stalled: no progress for %v",
				w.opts.StallAfter)
		})
	case chanx.EventRecover:
		w.fallback.tellState(func() string {
			return "the sink makes progress again"
		})
	}
}

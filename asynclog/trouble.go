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

// trouble remembers what went wrong at the sink, since the log that would
// tell is the thing that has stopped.
type trouble struct {
	errors uint64
	last   []SinkError // oldest first
	run    int         // errors since the last call without one
	since  time.Time   // of the first of those
	stalls uint64

	// What became of the last call that has ended; nil: it was well. A stall
	// says nothing of it.
	current error
}

// note notes the outcome of a call and returns what is to be said about it.
func (t *trouble) note(err error) string {
	t.current = err
	switch {
	case err != nil:
		t.keep(err)
		t.errors++
		if t.run++; t.run == 1 {
			t.since = time.Now()
			return fmt.Sprintf("the sink fails: %v", err)
		}
		return fmt.Sprintf("the sink fails, %d times since %s: %v",
			t.run, t.since.Format(time.TimeOnly), err)
	case t.run > 0:
		n := t.run
		t.run = 0
		return fmt.Sprintf("the sink works again, after %d errors since %s",
			n, t.since.Format(time.TimeOnly))
	}
	return ""
}

func (t *trouble) keep(err error) {
	if len(t.last) == keepErrors {
		t.last = append(t.last[:0], t.last[1:]...)
	}
	t.last = append(t.last, SinkError{At: time.Now(), Err: err})
}

// brief is err on one line: the stack of a panic is for Stats.
func brief(err error) string {
	if p, ok := err.(*chanx.PanicError); ok {
		return fmt.Sprintf("panic: %v", p.Value)
	}
	return err.Error()
}

// observe is told of the worker's life by its supervisor.
func (w *Writer) observe(e chanx.Event) {
	switch e.Kind {
	case chanx.EventExit:
		if e.Exit.Final {
			return
		}
		w.mu.Lock()
		w.trouble.keep(e.Exit.Err)
		w.trouble.current = e.Exit.Err
		w.mu.Unlock()
		w.fallback.tell("the sink crashed: " + brief(e.Exit.Err))
	case chanx.EventStall:
		w.mu.Lock()
		w.trouble.stalls++
		w.trouble.keep(e.Exit.Err)
		w.mu.Unlock()
		w.fallback.tell(fmt.Sprintf("the sink has stalled: no progress for %v",
			w.opts.StallAfter))
	case chanx.EventRecover:
		w.fallback.tell("the sink makes progress again")
	}
}

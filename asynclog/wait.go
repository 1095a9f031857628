package asynclog

import (
	"slices"
	"time"
)

// waiter is a Write that waits for room. Its record is put into the buffer by
// the goroutine that makes the room, so that it cannot be overtaken: when
// waiters were only told to try again, some never came first and waited in vain
// although the sink was well.
type waiter struct {
	p         []byte
	m         mark
	stored    bool
	dismissed bool          // by Shutdown
	done      chan struct{} // closed when stored or dismissed
	before    Count         // written when the wait began
}

// wait accepts p once there is room, or drops it after Options.MaxWait. A Write
// from within the sink or Options.Report would wait for itself, so it does not
// wait.
func (w *Writer) wait(p []byte, m mark) (stored bool, err error) {
	x := &waiter{p: p, m: m, done: make(chan struct{})}
	w.nudge(w.line(x, w.onWorker()))
	timer := time.NewTimer(w.opts.MaxWait)
	defer timer.Stop()
	select {
	case <-x.done:
	case <-timer.C:
		w.nudge(w.giveUp(x))
	}
	if x.dismissed {
		_, err = w.refusal(p, closedAnswer)
	}
	return x.stored, err
}

// line stores the record of x, lines x up behind the other waiters, or drops
// the record if it must not wait. In all cases but the second, done is closed.
func (w *Writer) line(x *waiter, dontWait bool) (wake bool) {
	w.lock()
	defer w.unlock()
	w.settle()
	x.before = w.buf.written
	switch {
	case w.closed:
		x.dismissed = true
		w.refused.add(len(x.p))
	case w.fits(x.p, x.m):
		x.stored = true
	case dontWait || w.hopeless:
		w.buf.drop(x.p, x.m)
	default:
		w.waiters = append(w.waiters, x)
		return false
	}
	close(x.done)
	wake, w.idle = w.idle, false
	return wake
}

// fits stores p if there is room, unless others wait for that. The caller holds
// mu.
func (w *Writer) fits(p []byte, m mark) bool {
	return (len(w.waiters) == 0 || m.isUrgent()) && w.buf.add(p, m)
}

// giveUp drops the record of a waiter that has waited long enough.
func (w *Writer) giveUp(x *waiter) (wake bool) {
	w.lock()
	defer w.unlock()
	w.settle() // which may make room at the last moment
	i := slices.Index(w.waiters, x)
	if i < 0 {
		return false
	}
	w.waiters = slices.Delete(w.waiters, i, i+1)
	w.hopeless = w.buf.written == x.before
	w.buf.drop(x.p, x.m)
	w.admitWaiters() // there may be room for a shorter one
	wake, w.idle = w.idle, false
	return wake
}

// progress is called when the sink has taken something. The caller holds mu.
func (w *Writer) progress() {
	w.yields = 0
	w.hopeless = false
	w.admitWaiters()
}

// admitWaiters stores the records of waiting Writes, in order, while they fit.
// The caller holds mu.
func (w *Writer) admitWaiters() {
	n := 0
	for n < len(w.waiters) && w.buf.add(w.waiters[n].p, w.waiters[n].m) {
		w.waiters[n].stored = true
		close(w.waiters[n].done)
		n++
	}
	w.waiters = slices.Delete(w.waiters, 0, n)
}

// dismiss refuses the records of all waiting Writes. The caller holds mu.
func (w *Writer) dismiss() {
	for _, x := range w.waiters {
		x.dismissed = true
		w.refused.add(len(x.p))
		close(x.done)
	}
	w.waiters = nil
}

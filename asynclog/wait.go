package asynclog

import (
	"slices"
	"time"
)

// waiter is a Write that waits for room. Its record is put into the buffer by
// whoever makes the room, so that it cannot be overtaken: when they were only
// told to try again, some never came first and waited in vain although the
// sink was well.
type waiter struct {
	p      []byte
	m      mark
	stored bool
	done   chan struct{} // closed when stored, and by Shutdown
}

// admit stores p, at once or after a wait if that is the policy. If it
// returns false, p is not stored. The caller holds mu, which is given up
// during a wait.
func (w *Writer) admit(p []byte, m mark) bool {
	if len(w.waiters) == 0 || m.isUrgent() {
		if w.buf.add(p, m) {
			return true
		}
	}
	return w.opts.Full == Wait && !w.hopeless && w.wait(p, m)
}

func (w *Writer) wait(p []byte, m mark) bool {
	x := &waiter{p: p, m: m, done: make(chan struct{})}
	w.waiters = append(w.waiters, x)
	w.settle()
	before := w.buf.written
	w.mu.Unlock()
	timer := time.NewTimer(w.opts.MaxWait)
	select {
	case <-x.done:
	case <-timer.C:
	}
	timer.Stop()
	w.mu.Lock()
	w.settle() // which may make room at the last moment
	if i := slices.Index(w.waiters, x); i >= 0 {
		w.waiters = slices.Delete(w.waiters, i, i+1)
		w.hopeless = w.buf.written == before
		w.admitWaiters() // there may be room for a shorter one
	}
	return x.stored
}

// progress is called when the sink has taken something. The caller holds mu.
func (w *Writer) progress() {
	w.yields = 0
	w.hopeless = false
	w.admitWaiters()
}

// admitWaiters stores what those have who wait, as far as there is room. The
// caller holds mu.
func (w *Writer) admitWaiters() {
	n := 0
	for n < len(w.waiters) && w.buf.add(w.waiters[n].p, w.waiters[n].m) {
		w.waiters[n].stored = true
		close(w.waiters[n].done)
		n++
	}
	w.waiters = slices.Delete(w.waiters, 0, n)
}

// dismiss lets everybody go who waits. The caller holds mu.
func (w *Writer) dismiss() {
	for _, x := range w.waiters {
		close(x.done)
	}
	w.waiters = nil
}

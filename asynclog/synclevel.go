package asynclog

import (
	"context"
	"slices"
	"time"
)

// Sync is [Writer.Flush] with Options.CloseTimeout. With it a Writer is a
// zapcore.WriteSyncer, which zap syncs before it exits or panics.
func (w *Writer) Sync() error {
	ctx, cancel := context.WithTimeout(context.Background(), w.opts.CloseTimeout)
	defer cancel()
	return w.Flush(ctx)
}

// syncs returns a flush for the record just stored, or nil if the caller does
// not wait for it. The caller holds mu.
func (w *Writer) syncs(s severity) *flush {
	if !s.sync || w.unsynced != nil && !w.unsynced.over() {
		return nil
	}
	w.unsynced = nil
	f := &flush{young: w.buf.youngIn, done: make(chan struct{})}
	w.pending = append(w.pending, f)
	return f
}

// await waits for f, up to MaxWait. If that is in vain the next callers do not
// wait until the record has left the buffer: with a sink that hangs, or is too
// slow for its backlog, a service pays MaxWait once. The sink itself cannot wait
// for its own record.
func (w *Writer) await(f *flush) {
	if w.isSink() {
		w.mu.Lock()
		w.forget(f)
		w.mu.Unlock()
		return
	}
	timer := time.NewTimer(w.opts.MaxWait)
	defer timer.Stop()
	select {
	case <-f.done:
		return
	case <-w.done:
	case <-timer.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unsynced != nil {
		w.forget(f)
		return
	}
	w.unsynced = f // and stays in pending
}

// over reports whether there is nothing left to wait for.
func (f *flush) over() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// forget takes a flush back that waits no longer. The caller holds mu.
func (w *Writer) forget(f *flush) {
	w.pending = slices.DeleteFunc(w.pending, func(g *flush) bool { return f == g })
}

// isSink reports whether the caller is called by the sink of w, in the worker.
func (w *Writer) isSink() bool {
	if !handed() {
		return false
	}
	var id [goidLen]byte
	goid(&id)
	w.mu.Lock()
	defer w.mu.Unlock()
	return id == w.self
}

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

// beginSync returns a flush for the record just written, or nil if the caller
// does not wait for it.
func (w *Writer) beginSync() *flush {
	f, wake := w.registerSync()
	w.nudge(wake) // the record may be written already, and the worker idle
	return f
}

func (w *Writer) registerSync() (f *flush, wake bool) {
	w.lock()
	defer w.unlock()
	if w.unsynced != nil && !w.unsynced.over() {
		return nil, false
	}
	w.unsynced = nil
	f = &flush{young: w.buf.youngIn, done: make(chan struct{})}
	w.buf.pending = append(w.buf.pending, f)
	w.buf.cross()
	wake, w.idle = w.idle, false
	return f, wake
}

// await waits for f, up to MaxWait. If that is in vain the next callers do not
// wait until the record has left the buffer: with a sink that hangs, or is too
// slow for its backlog, a service pays MaxWait once. The sink itself cannot
// wait for its own record.
func (w *Writer) await(f *flush) {
	if f == nil {
		return
	}
	if w.onWorker() {
		w.lock()
		w.forget(f)
		w.unlock()
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
	w.lock()
	defer w.unlock()
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
	b := &w.buf
	b.pending = slices.DeleteFunc(b.pending, func(g *flush) bool { return f == g })
	b.cross()
}

package asynclog

import (
	"context"
	"time"

	"example.com/chanx"
)

// Close is [Writer.Shutdown] with Options.CloseTimeout.
func (w *Writer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), w.opts.CloseTimeout)
	defer cancel()
	return w.Shutdown(ctx)
}

// Shutdown accepts no more records, has everything written that was accepted,
// and the losses reported, and ends the worker. Failed calls of the sink are
// repeated as before. The sink is not closed, but its method Flush() error, if
// it has one, is called once at the end, and its error returned.
//
// If ctx is done first, or already, it gives up and returns an
// [*UnwrittenError] with the exact count of what was not written at that
// moment; Stats then shows it as Buffered. The sink is not called again, but a
// call that it still has in hand may yet write, as nothing can stop it; its
// goroutine ends with it. Options.Fallback is told.
//
// Only the first call to come to an end decides: others, then and later,
// return its result. Writes from then on, and those that are waiting for
// room, return [chanx.ErrClosed]; never a panic. A sink that calls Shutdown of
// its own Writer waits for itself, until ctx is done. A nil ctx panics.
func (w *Writer) Shutdown(ctx context.Context) error {
	if ctx == nil {
		panic("asynclog: nil context")
	}
	w.mu.Lock()
	w.closed = true
	w.dismiss()
	w.mu.Unlock()
	chanx.TrySend(w.wake, struct{}{})
	select {
	case <-w.done:
		return w.finish(nil)
	case <-ctx.Done():
		return w.finish(ctx.Err())
	}
}

// finish ends the worker for good, because of err unless that is nil.
func (w *Writer) finish(err error) error {
	w.mu.Lock()
	first := !w.over
	w.abandoned.Store(true) // first: no call begins that is not counted
	w.settle()
	if first && err != nil {
		w.result = &UnwrittenError{
			Left: w.buf.buffered(), Err: err, Sink: w.trouble.current,
		}
	}
	if first && err == nil && w.lastErr != nil {
		w.result = w.lastErr
	}
	w.over = true
	result := w.result
	w.mu.Unlock()
	w.cancel()
	if first && result != nil {
		w.fallback.tellAtLast(result.Error(), 100*time.Millisecond)
	}
	return result
}

package asynclog

import (
	"context"
	"sync/atomic"
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
// and the losses reported, and ends the worker. A Write that is waiting for
// room still gets it while there is time. Failed calls of the sink are repeated
// as before. The sink is not closed, but its method Flush() error, if it has
// one, is called once at the end, and its error returned.
//
// If ctx is done first, or already, Shutdown gives up: if records or the report
// of a loss are left it returns an [*UnwrittenError] with the exact count of
// the records not written at that moment; Stats then shows them as Buffered. No
// call of the sink begins after that. One that is in progress may still write,
// because nothing can stop it; its goroutine ends with it. Options.Fallback
// is told. A context that a signal has ended leaves no time at all: take
// context.WithoutCancel of it, with a timeout, or call Close.
//
// Only the first call to come to an end decides: others, then and later,
// return its result. Writes from then on, and those still waiting for room,
// return [chanx.ErrClosed]; never a panic. A sink that calls Shutdown of its
// own Writer waits for itself, until ctx is done. A nil ctx panics.
func (w *Writer) Shutdown(ctx context.Context) error {
	if ctx == nil {
		panic("asynclog: nil context")
	}
	w.nudge(w.beginShutdown())
	select {
	case <-w.done:
		return w.finish(chanx.ErrClosed)
	case <-ctx.Done():
		return w.finish(ctx.Err())
	}
}

func (w *Writer) beginShutdown() (wake bool) {
	w.lock()
	defer w.unlock()
	if !w.closed {
		w.seal()
		w.closed = true
		close(w.closing)
	}
	wake, w.idle = w.idle, false
	return wake
}

// finish ends the worker for good. The result is nil if nothing is left, and
// otherwise says that err was the reason.
func (w *Writer) finish(err error) error {
	result, first := w.decide(err)
	w.cancel()
	if first {
		var line func() string
		if result != nil {
			line = result.Error
		}
		w.fallback.finish(line, 100*time.Millisecond)
	}
	return result
}

func (w *Writer) decide(err error) (result error, first bool) {
	w.lock()
	defer w.unlock()
	w.gate.shut() // first: no call begins that is not counted
	w.settle()
	first = !w.over
	left := w.buf.buffered()
	if first && (left != Count{} || w.reporting() || w.buf.losses.pending()) {
		w.result = &UnwrittenError{
			Left: left, Err: err, Sink: w.sinkState.current,
		}
	}
	if first && w.result == nil {
		w.result = w.lastErr
	}
	w.over = true
	w.dismiss()
	return w.result, first
}

// gate keeps calls of the sink from beginning once Shutdown has given up. To
// read a flag before the call is not enough: Shutdown could return between the
// two.
type gate struct{ state atomic.Uint32 }

const (
	gateInside = 1 << iota // the sink is being called
	gateShut
)

// enter reports whether the sink may be called.
func (g *gate) enter() bool { return g.state.CompareAndSwap(0, gateInside) }
func (g *gate) leave()      { g.state.And(^uint32(gateInside)) }
func (g *gate) shut()       { g.state.Or(gateShut) }
func (g *gate) isShut() bool {
	return g.state.Load()&gateShut != 0
}

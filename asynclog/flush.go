package asynclog

import (
	"context"
	"fmt"
	"math"
	"slices"

	"example.com/chanx"
)

// UnwrittenError is returned by [Writer.Flush], [Writer.Shutdown] and
// [Writer.Close] if they had to give up.
type UnwrittenError struct {
	// Left counts the records not written, exactly, at the moment of giving up.
	// A record of which the sink has taken only a part is one of them. It is
	// zero if only the report of a loss is not written.
	Left Count
	// Err is the error of the context, or chanx.ErrClosed for a Flush after a
	// Shutdown that has given up, and for a worker that was taken away.
	Err error
	// Sink is the result of the last call of the sink that has ended: its
	// error, or a *chanx.PanicError; nil if there was no error.
	Sink error
}

func (e *UnwrittenError) Error() string {
	what := e.Left.String()
	if e.Left == (Count{}) {
		what = "the report of a loss"
	}
	s := fmt.Sprintf("asynclog: not written: %s: %s", what, message(e.Err))
	if e.Sink != nil {
		s += "; the sink's last error: " + brief(e.Sink)
	}
	return s
}

// Unwrap returns Err and, unless it is nil, Sink.
func (e *UnwrittenError) Unwrap() []error {
	if e.Sink == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Sink}
}

// flush is a waiting caller of Flush.
type flush struct {
	young   uint64 // the records before this position are to go
	crossed bool   // they have left young
	old     uint64 // once crossed: those of them in old are before this one
	told    uint64 // losses of which a report must be made
	sync    bool   // call the sink's Sync as well as its Flush
	written bool   // in Writer.flushing
	err     error  // of the sink's Flush or Sync; to be read after done
	done    chan struct{}
}

// Flush waits until everything accepted before the call has been taken by the
// sink, and losses until then have been reported to it. Records that the policy
// drops meanwhile count as gone; they are in Stats and in the stream like any
// others.
//
// Then the sink is flushed: its methods Flush() error, as bufio.Writer has one,
// and Sync() error, as [File] and os.File have one, are called by the worker,
// in this order, once for all callers waiting at that moment. Their error is
// returned, wrapped, and counted in Stats.SinkErrors, unless it means that the
// sink cannot be synced: pipes and terminals refuse it.
//
// If ctx is done first, or already, Flush returns nil if nothing is left, and
// otherwise an [*UnwrittenError] that wraps the error of ctx and counts the
// records accepted before the call that are left. A context that a signal has
// ended is of no use here: take context.WithoutCancel of it, with a timeout.
//
// After Close it returns nil if Close did. A sink that calls Flush of its
// Writer waits for itself, until ctx is done. A nil ctx panics.
func (w *Writer) Flush(ctx context.Context) error {
	if ctx == nil {
		panic("asynclog: nil context")
	}
	err := ctx.Err() // foreign code: not under mu
	f, wake := w.beginFlush()
	w.nudge(wake)
	if err == nil {
		err = f.wait(ctx, w.done)
	}
	if err == nil {
		return f.err
	}
	return w.endFlush(f, err)
}

func (w *Writer) beginFlush() (f *flush, wake bool) {
	w.lock()
	defer w.unlock()
	f = &flush{
		young: w.buf.youngIn,
		told:  w.buf.losses.queued(),
		sync:  true,
		done:  make(chan struct{}),
	}
	w.buf.pending = append(w.buf.pending, f)
	w.buf.cross()
	wake, w.idle = w.idle, false
	return f, wake
}

// wait returns nil once done is closed, and otherwise why it was in vain.
func (f *flush) wait(ctx context.Context, ended <-chan struct{}) error {
	select {
	case <-f.done:
		return nil
	case <-ended:
		return chanx.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// endFlush returns the result of a Flush that gave up because of err.
func (w *Writer) endFlush(f *flush, err error) error {
	w.lock()
	defer w.unlock()
	b := &w.buf
	w.forget(f)
	w.settle()
	if f.written {
		return fmt.Errorf("asynclog: all is written, but the sink's "+
			"Flush or Sync has not returned: %w", err)
	}
	left := b.leftOf(f)
	if left == (Count{}) && !w.reporting() && b.losses.queuedTold >= f.told {
		return nil
	}
	return &UnwrittenError{Left: left, Err: err, Sink: w.sinkState.current}
}

// noWatch is a position that is never reached.
const noWatch = math.MaxUint64

// cross notes which callers of Flush have none of their records in young any
// more. Those of them that were rescued are then in old, before the records
// that will be rescued later.
func (b *buffer) cross() {
	b.watch = noWatch
	for _, f := range b.pending {
		switch {
		case f.crossed:
		case b.youngOut >= f.young:
			f.crossed, f.old = true, b.oldIn
		default:
			b.watch = min(b.watch, f.young)
		}
	}
}

func (b *buffer) leftOf(f *flush) Count {
	old := f.old
	if !f.crossed {
		old = b.oldIn
	}
	return b.unwritten(f.young, old)
}

// lossAwaited reports whether a caller of Flush waits for the report of a loss.
func (b *buffer) lossAwaited() bool {
	return slices.ContainsFunc(b.pending, func(f *flush) bool {
		return b.losses.rejected.open || b.losses.queuedTold < f.told
	})
}

// flushed releases the Flush calls whose records have left the buffer, or has
// them wait for the sink's own Flush. The caller holds mu, and nothing is in
// the hands of the sink.
func (w *Writer) flushed() {
	b := &w.buf
	b.pending = slices.DeleteFunc(b.pending, func(f *flush) bool {
		over := f.crossed && b.oldOut >= f.old && b.losses.queuedTold >= f.told &&
			!w.reporting()
		switch {
		case over && w.flushes(f):
			f.written = true
			w.flushing = append(w.flushing, f)
		case over:
			close(f.done)
		}
		return over
	})
}

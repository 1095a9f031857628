package asynclog

import (
	"context"
	"fmt"
	"slices"

	"example.com/chanx"
)

// UnwrittenError is returned by [Writer.Flush], [Writer.Shutdown] and
// [Writer.Close] if they had to give up.
type UnwrittenError struct {
	// Left is what has not been written, exactly, at the moment of giving up.
	// A record of which the sink has taken only a part is among it.
	Left Count
	// Err is why: the error of the context, or chanx.ErrClosed for a Flush
	// after a Shutdown that has given up.
	Err error
	// Sink is what became of the last call of the sink that has ended: its
	// error, or a *chanx.PanicError; nil if that was well.
	Sink error
}

func (e *UnwrittenError) Error() string {
	s := fmt.Sprintf("asynclog: not written: %v: %v", e.Left, e.Err)
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

// flush is a caller of Flush who waits.
type flush struct {
	young   uint64 // everything before it is to go
	crossed bool   // it has left young
	old     uint64 // what of it may be in old, once it has crossed
	told    uint64 // records lost before the call
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
// If ctx is done first, or already, Flush returns an [*UnwrittenError] that
// wraps its error and says how much of what was accepted before the call is
// left. After Close it returns nil if Close did. A sink that calls Flush of
// its own Writer waits for itself, until ctx is done. A nil ctx panics.
func (w *Writer) Flush(ctx context.Context) error {
	if ctx == nil {
		panic("asynclog: nil context")
	}
	w.mu.Lock()
	f := &flush{
		young: w.buf.youngIn,
		told:  w.buf.losses.total.Records,
		sync:  true,
		done:  make(chan struct{}),
	}
	err := ctx.Err()
	if err == nil {
		w.pending = append(w.pending, f)
	}
	w.mu.Unlock()
	if err == nil {
		chanx.TrySend(w.wake, struct{}{})
		err = f.wait(ctx, w.done)
	}
	if err == nil {
		return f.err
	}
	return w.giveUp(f, err)
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

func (w *Writer) giveUp(f *flush, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(f)
	w.settle()
	if f.written {
		return fmt.Errorf("asynclog: all is written, but the sink's "+
			"Flush or Sync has not returned: %w", err)
	}
	left := w.leftOf(f)
	if err == chanx.ErrClosed && left == (Count{}) {
		return nil
	}
	return &UnwrittenError{Left: left, Err: err, Sink: w.trouble.current}
}

func (w *Writer) leftOf(f *flush) Count {
	old := f.old
	if !f.crossed {
		old = w.buf.oldIn
	}
	return w.buf.left(f.young, old)
}

// flushed lets those go who have waited long enough. The caller holds mu, and
// nothing is in the hands of the sink.
func (w *Writer) flushed() {
	w.pending = slices.DeleteFunc(w.pending, func(f *flush) bool {
		if !f.crossed && w.buf.youngOut >= f.young {
			// What was rescued of it by now is in old, perhaps with some
			// that came later. Old goes first, so this waits for little more.
			f.crossed, f.old = true, w.buf.oldIn
		}
		over := f.crossed && w.buf.oldOut >= f.old &&
			w.buf.losses.told.Records >= f.told
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

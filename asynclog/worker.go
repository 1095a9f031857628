package asynclog

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"example.com/chanx"
)

const (
	minPause, maxPause = 10 * time.Millisecond, time.Second

	// poisonous is how many times running a record may crash the sink. At the
	// pace of the restarts this takes some ten seconds.
	poisonous = 16
)

// start starts the worker under a supervisor of its own. A Writer has to
// outlive the supervisor of the application, which logs its own end.
func (w *Writer) start() {
	w.supervisor = chanx.NewSupervisor(chanx.SupervisorOptions{
		StopTimeout: time.Second,
	})
	policy := chanx.RestartPolicy{
		MinBackoff: minPause,
		MaxBackoff: maxPause,
		ResetAfter: 10 * time.Second,
		Heartbeat:  max(w.opts.StallAfter, 0),
		OnEvent:    w.observe,
	}
	if err := w.supervisor.Add("asynclog", w.work, policy); err != nil {
		panic("asynclog: " + err.Error()) // a new supervisor takes any name
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	go func() {
		defer close(w.done)
		_ = w.supervisor.Run(ctx) // told by Status
	}()
}

// Supervisor returns the supervisor of the worker, to show its state:
//
//	http.Handle("/health/log", chanxhttp.Health(w.Supervisor()))
//
// The worker is well while the sink makes progress or has nothing to do, and
// stalled when it has made none for Options.StallAfter. The supervisor belongs
// to the Writer: do not run it, and add nothing to it.
func (w *Writer) Supervisor() *chanx.Supervisor { return w.supervisor }

// work is the worker. Everything it needs to go on is in w, as a panic or a
// Goexit of the sink ends it at any call.
func (w *Writer) work(ctx context.Context) error {
	w.begin()
	nap := newNap(w.opts.StallAfter)
	defer nap.stop()
	pause := minPause
	n := 0
	for ctx.Err() == nil {
		p, next := w.next(n)
		switch next {
		case stepEnd:
			return chanx.ErrStop
		case stepIdle:
			nap.idle(ctx, w.wake)
			chanx.Beat(ctx) // whatever comes now has all of StallAfter
		case stepFlush:
			w.flushSink()
			chanx.Beat(ctx)
		case stepCall:
			var err error
			if n, err = w.feed(ctx, p); n > 0 {
				pause = minPause
			}
			if err != nil {
				w.failed(n, err)
				nap.pause(ctx, w.wake, pause)
				pause = min(2*pause, w.maxPause())
			}
		}
	}
	return ctx.Err()
}

// begin takes notice of how the last run ended.
func (w *Writer) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	goid(&w.self)
	if !w.calling {
		return
	}
	w.calling = false
	w.settle()
	w.crashes++
	if w.crashes >= poisonous && len(w.report) == 0 {
		if w.buf.discard() {
			w.report = []byte("\n") // the others shall have their own lines
		}
		w.crashes, w.poisoned = 0, true
		w.admitWaiters()
	}
}

type step int

const (
	stepCall  step = iota // the sink, with the bytes returned
	stepAgain             // ask again
	stepFlush             // the sink's Flush and Sync
	stepIdle              // wait until woken
	stepEnd               // all is written, or given up
)

// next decides what is to be done, after the sink has taken n bytes if it
// counts as called, as it does after stepCall. To count those bytes under a
// lock of their own would make twice as many callers meet the worker at the
// lock.
func (w *Writer) next(n int) ([]byte, step) {
	w.lock()
	defer w.mu.Unlock()
	if w.calling {
		w.took(n, nil)
	}
	if w.abandoned.Load() {
		return nil, stepEnd
	}
	if w.poisoned && len(w.report) == 0 { // before the rest of the batch
		w.poisoned = false
		if loss, ok := w.loss(); ok {
			w.render(loss)
			return nil, stepAgain
		}
	}
	if len(w.report) == 0 && w.buf.flight.ring == nil {
		w.flushed()
		if len(w.flushing) > 0 {
			return nil, stepFlush
		}
		if loss, ok := w.loss(); ok {
			w.render(loss)
			return nil, stepAgain
		}
		if !w.buf.take(w.batchRecords()) {
			if w.closed {
				return nil, w.lastStep()
			}
			w.idle = true
			w.seldom, w.unasked = 0, 0
			return nil, stepIdle
		}
		w.echoing, w.echo = w.echo, false
	}
	w.calling = true
	switch {
	case len(w.report) > 0:
		return w.report, stepCall
	case w.crashes > 0: // which record is it?
		return w.buf.flight.head(), stepCall
	}
	return w.buf.flight.rest, stepCall
}

// loss returns a loss to be reported now. The caller holds mu.
func (w *Writer) loss() (Loss, bool) {
	if w.buf.losses.quiet && !w.closed && len(w.pending) == 0 {
		return Loss{}, false
	}
	return w.buf.loss()
}

func (w *Writer) batchRecords() int {
	if w.opts.Unbatched {
		return 1
	}
	return math.MaxInt
}

// render makes the report of a loss. The caller holds mu, which is given up
// meanwhile. It leaves a report behind however Options.Report ends: the loss
// is no longer known anywhere else.
func (w *Writer) render(l Loss) {
	w.mu.Unlock()
	var b []byte
	returned := false
	defer func() {
		if !returned {
			w.fallback.tell(fmt.Sprintf("Options.Report: panic: %v", recover()))
			b = ReportPlain(l)
		}
		w.mu.Lock()
		w.report = b
	}()
	b = w.opts.Report(l)
	returned = true
}

// maxPause is short once somebody waits for the end.
func (w *Writer) maxPause() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 5 * minPause
	}
	return maxPause
}

// feed gives p to the sink, a batch in pieces, until there is an error. It
// returns how much the sink has taken.
func (w *Writer) feed(ctx context.Context, p []byte) (n int, err error) {
	if len(w.report) > 0 {
		if n, err = w.call(p); n > 0 {
			chanx.Beat(ctx)
		}
		return n, err
	}
	f := &w.buf.flight
	start := f.size - len(f.rest) // settle moves it, but not before fed says so
	for n < len(p) && err == nil && !w.abandoned.Load() {
		var k int
		end := min(len(p), n+f.piece(start+n))
		if k, err = w.call(p[n:end]); k > 0 {
			n += k
			w.fed.Add(int64(k))
			chanx.Beat(ctx)
		}
	}
	return n, err
}

// settle counts what the sink has taken since the last time, and lets those
// have the room who wait for it. Whoever wants exact counts calls it first. The
// caller holds mu.
func (w *Writer) settle() {
	if n := w.fed.Swap(0); n > 0 {
		w.buf.wrote(int(n))
		w.progress()
	}
}

// call calls the sink and holds it to the contract of io.Writer.
func (w *Writer) call(p []byte) (int, error) {
	n, err := hand(w.sink, p)
	switch {
	case n < 0 || n > len(p):
		return 0, fmt.Errorf("asynclog: sink took %d of %d bytes", n, len(p))
	case n == 0 && err == nil:
		return 0, io.ErrShortWrite
	}
	return n, err
}

// lock takes mu for the worker. Against a flood of callers, each of which
// releases the lock only to take it again, Lock comes through after a
// millisecond, when the mutex turns fair, and a batch takes it twice. Whoever
// spins comes through within some hundred nanoseconds.
func (w *Writer) lock() {
	for range 1000 {
		if w.mu.TryLock() {
			return
		}
	}
	w.mu.Lock()
}

// took notes the outcome of feeding the sink. The caller holds mu.
func (w *Writer) took(n int, err error) {
	w.calling = false
	w.settle()
	if n > 0 {
		w.crashes = 0
		if len(w.report) > 0 {
			w.report = w.report[n:]
			w.progress()
		}
	}
	if tell := w.trouble.note(err); tell != "" {
		w.fallback.tell(tell)
	}
}

func (w *Writer) failed(n int, err error) {
	w.lock()
	defer w.mu.Unlock()
	w.took(n, err)
}

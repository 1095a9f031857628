package asynclog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// Writer is an io.WriteCloser that hands what is written to it over to a sink,
// on a goroutine of its own, and never makes its callers wait for that. All
// methods may be called by any number of goroutines, and by the sink itself.
// The zero Writer is not usable: see [New].
type Writer struct {
	sink io.Writer
	opts Options // checked

	// mu is held for the time of a copy, never while the sink, the fallback or
	// Options.Report is running.
	mu       sync.Mutex
	idle     bool      // the worker waits for wake
	calling  bool      // the worker is feeding the sink
	closed   bool      // no more records are accepted
	hopeless bool      // one of waiters has waited in vain
	waiters  []*waiter // for room, in order
	buf      buffer

	echoing bool // the batch in the sink's hands has records of its own
	echo    bool // the buffer has such records
	refused Count
	result  error // of Shutdown, once over
	over    bool

	yields int // since the sink last took something

	pending     []*flush // wait for their records to leave the buffer
	flushing    []*flush // wait for the sink's Flush or Sync
	unsynced    *flush   // was waited for in vain, see await
	flushedLast bool     // the sink was told to, for Shutdown
	lastErr     error    // of that

	self, who       [goidLen]byte // the worker's goroutine, and scratch space
	seldom, unasked int           // see own

	trouble trouble // what went wrong at the sink

	// Between two pieces of a batch the worker does without mu. What it has to
	// tell and to know there:
	fed       atomic.Int64 // bytes taken that settle has not counted yet
	abandoned atomic.Bool  // Shutdown has given up

	// The worker's; here, because it may have to be started again.
	report   []byte // not yet written
	crashes  int    // in a row without progress
	poisoned bool   // a record was dropped for that

	wake       chan struct{} // one token: look again
	done       chan struct{} // closed when the worker has ended
	supervisor *chanx.Supervisor
	cancel     context.CancelFunc
	fallback   *fallback
}

// Options are the optional arguments of [New]. The zero value is good.
type Options struct {
	// Budget is the memory for records, in bytes, allocated by New and never
	// changed: the records, four bytes for each of them, the reserve, and what
	// is in the hands of the sink. Zero: 4 MiB. New panics below 256 bytes and
	// above 256 MiB.
	Budget int

	// Full says what happens when it is used up. Zero: DropOldest.
	Full FullPolicy

	// MaxWait is how long a Write may wait under the policy Wait.
	// Zero: 1 s. Negative: New panics.
	MaxWait time.Duration

	// Reserve is the part of Budget that is kept for records at or above
	// ReserveLevel, so that errors still fit when info floods. Records
	// written with [Writer.Write] have no level and do not count as such.
	//
	// Under DropOldest such a record, when it would be dropped, moves on to
	// the reserve, and is dropped only when newer ones need its place there.
	// Under the other policies the others may not fill the reserve.
	// A program that writes no levels leaves it empty: set -1 to use all of
	// Budget. Zero: a fifth of Budget. Negative: none. Budget or more: New
	// panics.
	Reserve int

	// ReserveLevel is read once, by New. Nil: slog.LevelError.
	ReserveLevel slog.Leveler

	// SyncLevel makes a Write of a record at or above it wait until the sink
	// has taken the record, for at most MaxWait: the line before os.Exit is
	// then not lost. With a [File] that takes about 8 µs on an idle machine,
	// without it 35 ns. A sink with a method Flush() error, such as
	// bufio.Writer, is flushed as well, but not synced. Levels reach a Writer
	// by [Handler], by [Writer.WriteLeveled] and by the adapters asynczap and
	// asynczerolog.
	//
	// Write returns nil also if the wait was in vain. The next records then do
	// not wait until that record has left the buffer, so that a sink that hangs
	// or falls behind costs the service MaxWait once. A record that the sink
	// itself writes to its Writer does not wait. The level is read once, by
	// New. Nil: off.
	SyncLevel slog.Leveler

	// Report renders a loss for the stream: [ReportJSON], [ReportText],
	// [ReportPlain] or your own. It is called by the worker, with no lock
	// held. If it panics, ReportPlain takes its place.
	// Nil: one of the three, to look like the first record that was lost.
	Report func(Loss) []byte

	// Fallback is told when the sink fails, stalls or recovers, and what Close
	// could not write: a line at once, and then at most one in ten seconds.
	// It is called on a goroutine of its own; if it hangs it is not called
	// again. Nil: no messages; see [Writer.Stats]. os.Stderr is a sensible
	// choice; if that can be a pipe whose reader goes away, which ends a Go
	// process, use signal.Ignore(syscall.SIGPIPE) as well.
	Fallback io.Writer

	// CloseTimeout is how long Close waits for the sink. Zero: 5 s.
	// Negative: New panics.
	CloseTimeout time.Duration

	// StallAfter is how long the sink may make no progress, be it that a
	// call does not return or that every call fails, until it is reported
	// as stalled. Zero: 10 s. Negative: never.
	StallAfter time.Duration

	// Unbatched gives the sink each record in a separate call, as datagram
	// sockets, syslog, testing.T.Output and zerolog.ConsoleWriter need it; the
	// last shows only the first record of a call. Otherwise a call has as
	// many whole records as are waiting, up to a quarter of Budget or 64 KiB.
	Unbatched bool
}

const (
	defaultBudget = 4 << 20
	minBudget     = 256
	maxBudget     = maxLen + 1
)

// New returns a Writer for sink and starts its worker, the one goroutine that
// calls sink.Write, one call at a time. [Writer.Close] ends the worker; it does
// not close the sink, which may be os.Stderr: close it after the Writer.
//
// The sink is called as io.Writer says. Of a call that returns n < len(p) the
// first n bytes count as written and the others are written again, after a
// pause if there was an error. A sink that panics or calls runtime.Goexit has
// its worker restarted by a [chanx.Supervisor], with the same bytes; a record
// with which it panics sixteen times running is dropped, and if it has taken a
// part of that, it is given a "\n" to end the line. A sink that never returns
// keeps its worker for ever, as Go cannot end a goroutine; nobody else waits
// for it.
//
// New panics if sink is nil or opts contradict themselves.
func New(sink io.Writer, opts Options) *Writer {
	if sink == nil {
		panic("asynclog: nil sink")
	}
	opts = opts.checked()
	w := &Writer{
		sink:     sink,
		opts:     opts,
		buf:      *newBuffer(opts.Budget, opts.Reserve, opts.Full == DropOldest),
		wake:     make(chan struct{}, 1),
		done:     make(chan struct{}),
		fallback: newFallback(opts.Fallback),
	}
	w.start()
	return w
}

// Validate returns an error that names the first field with which [New] would
// panic, or nil. It is for options that come from a configuration.
func (o Options) Validate() error {
	o = o.filled()
	wrong := func(format string, a ...any) error {
		return fmt.Errorf("asynclog: "+format, a...)
	}
	switch {
	case !o.Full.known():
		return wrong("unknown %v", o.Full)
	case o.MaxWait < 0:
		return wrong("MaxWait < 0")
	case o.CloseTimeout < 0:
		return wrong("CloseTimeout < 0")
	case o.Budget < minBudget || o.Budget > maxBudget:
		return wrong("Budget of %d bytes", o.Budget)
	case o.Reserve >= o.Budget:
		return wrong("Reserve takes all of the Budget")
	}
	return nil
}

// checked returns o with its defaults filled in, or panics.
func (o Options) checked() Options {
	if err := o.Validate(); err != nil {
		panic(err.Error())
	}
	return o.filled()
}

func (o Options) filled() Options {
	setDefault(&o.Budget, defaultBudget)
	setDefault(&o.MaxWait, time.Second)
	setDefault(&o.CloseTimeout, 5*time.Second)
	setDefault(&o.StallAfter, 10*time.Second)
	setDefault(&o.Reserve, o.Budget/5)
	o.Reserve = max(o.Reserve, 0)
	if o.ReserveLevel == nil {
		o.ReserveLevel = slog.LevelError
	}
	o.ReserveLevel = o.ReserveLevel.Level()
	if o.SyncLevel != nil {
		o.SyncLevel = o.SyncLevel.Level()
	}
	if o.Report == nil {
		o.Report = reportLike
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// ErrTooLarge is returned, wrapped, by a Write of a record that could never be
// stored, not even in an empty buffer.
var ErrTooLarge = errors.New("asynclog: record too large for the buffer")

// Write accepts p as one record of unknown level and returns len(p), nil, also
// when the policy then drops it, or another one: that is counted and reported
// in the stream. p is copied. The record reaches the sink in one piece, with
// no other between its bytes, though not necessarily in a call of its own; it
// should end the way records end in this stream, which is to say with "\n".
//
// It returns an error only if the record is not accepted: [chanx.ErrClosed]
// after Close, [ErrTooLarge] for one that can never fit, which is refused
// rather than truncated, since half a JSON object is no record. These are in
// Stats.Refused. About three quarters of the Budget always fit. An empty p is
// no record and does nothing.
//
// Apart from the policy Wait it does not wait for the sink. It takes a lock
// that is held for as long as it takes to copy a record, and allocates
// nothing. A caller that finds the buffer full because the worker did not get
// a turn on the processor lets it have one, at most once for every 16 KiB
// lost and not if the sink itself is stuck.
func (w *Writer) Write(p []byte) (int, error) {
	return w.write(p, severity{})
}

// WriteLeveled is Write for a record whose level is known, so that the reserve,
// the counts by level and Options.SyncLevel apply to it. It is for loggers
// other than slog, zap and zerolog; those have [Handler] and the adapters
// asynczap and asynczerolog.
func (w *Writer) WriteLeveled(level slog.Level, p []byte) (int, error) {
	return w.write(p, w.severity(level))
}

func (w *Writer) write(p []byte, s severity) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	w.lockPolitely()
	own := w.calling && w.buf.queued() == 0 && w.own()
	m := newMark(len(p)&maxLen, s.class) | s.urgent
	if w.closed || len(p) > w.buf.largest(m) {
		return w.refuse(p) // unlocks
	}
	if own && w.echoes(p, m) {
		w.mu.Unlock()
		return len(p), nil
	}
	var f *flush
	if w.admit(p, m) {
		f = w.syncs(s)
	} else {
		if w.closed { // while it was waiting
			return w.refuse(p)
		}
		w.buf.refuse(p, m)
	}
	wake, yield := w.idle, w.buf.starved > yieldAfter && w.yield()
	w.idle = false
	w.mu.Unlock()
	if wake {
		chanx.TrySend(w.wake, struct{}{})
	}
	if yield {
		runtime.Gosched()
	}
	if f != nil {
		w.await(f)
	}
	return len(p), nil
}

// lockPolitely takes mu for a caller. If it is taken, the caller spins for as
// long as a copy takes, and then lets others run before it tries again: a
// goroutine that is parked and woken costs both sides more than the whole
// critical section. To yield once and then Lock costs a line, in floods, 80 ns
// for 75 here with two producers and a sink that hangs, 251 for 208 with 64, and
// 85 for 78 with 64 and a file. Ten turns instead of three are better with 64
// (163, 75) and worse with two (91). Lock alone was the slowest, and to spin for
// longer starves the worker.
//
// To keep away for a microsecond between tries, as chanx.Ring does, costs the
// same with a file and half with 64 producers and a sink that hangs. But then
// the slowest line in a thousand takes 1.7 ms for 0.25, and what callers feel of
// a fault counts more. With all of the Ring's lock the worker hardly gets in.
func (w *Writer) lockPolitely() {
	for range 3 {
		for range 30 {
			if w.mu.TryLock() {
				return
			}
		}
		runtime.Gosched()
	}
	w.mu.Lock()
}

// refuse ends a Write that was not accepted. The caller holds mu.
func (w *Writer) refuse(p []byte) (int, error) {
	closed := w.closed
	w.refused.add(len(p))
	w.mu.Unlock()
	if closed {
		return 0, chanx.ErrClosed
	}
	err := fmt.Errorf("%w: %d bytes", ErrTooLarge, len(p))
	w.fallback.tell(err.Error())
	return 0, err
}

const (
	yieldAfter = 16 << 10 // bytes lost
	maxYields  = 1000     // until the sink takes something
)

// yield reports whether the caller shall give the processor away. The worker
// is one goroutine among all those that log; if they keep the processors busy
// it gets its turn only when the scheduler stops one of them, every ten
// milliseconds, in which time a flood fills the buffer many times over. With
// 64 producers on two processors this brought six times as many lines to the
// file, at no cost that could be told from noise. The number is limited: a
// sink that hangs is not helped by it. The caller holds mu.
func (w *Writer) yield() bool {
	w.buf.starved = 0
	w.yields++
	return w.yields <= maxYields
}

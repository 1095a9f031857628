package asynclog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// Writer is an io.WriteCloser that passes records on to a sink, on a separate
// goroutine, and never makes its callers wait for that. All
// methods may be called by any number of goroutines, and by the sink itself.
// The zero Writer is not usable: see [New].
type Writer struct {
	sink io.Writer
	opts Options // checked

	// mu is held for the time of a copy. Nothing foreign runs under it: not the
	// sink, no method of its errors or of a Context, not Options.Report, not
	// the fallback. One of these could block, or log while the client holds a
	// lock that another client waits for, and every Write would hang.
	//
	// The fields that each Write touches share no cache line: nothing that the
	// worker writes without mu, or that lies before or behind the Writer in
	// memory, takes them from the callers.
	_         cacheLine
	mu        lock
	aside     aside        // not under mu
	spent     *asideRecord // were aside; release frees them
	idle      bool         // the worker waits for wake
	calling   bool         // the worker is feeding the sink
	closed    bool         // no more records are accepted
	hopeless  bool         // one of waiters has waited in vain
	waiters   []*waiter    // for room, in order
	flushing  []*flush     // wait for the sink's Flush or Sync
	unsynced  *flush       // was waited for in vain, see await
	nextYield uint64       // accepted records before another Write may yield
	lastYield time.Time    // or could have
	yields    int          // since the sink last took something
	echo      echo
	buf       buffer

	worker      goid // the worker's goroutine
	refused     Count
	late        bool  // a Write after Close was told to the fallback
	result      error // of Shutdown, once over
	lastErr     error // of the sink's last Flush
	flushedLast bool  // which was begun
	over        bool
	sinkState   sinkState
	_           cacheLine

	// Between two pieces of a batch the worker does without mu. Shared then:
	fed  atomic.Int64 // bytes taken that settle has not counted yet
	gate gate
	_    cacheLine

	// The worker's, under mu all the same; here, because it may have to be
	// started again.
	report      []byte    // not yet written
	reportCut   bool      // the sink has taken part of it
	rendering   bool      // report is being made
	postponed   []byte    // a report during which the sink crashed too often
	retrying    bool      // report was postponed, and the sink then took others
	reported    Loss      // the loss in report
	reportAt    uint64    // written records before the next report
	nextReport  time.Time // or the time
	reportedNow bool      // since the last batch
	turn        int       // bytes of batches since the worker last waited
	crashes     int       // in a row without progress
	poisons     int       // given up within patternTime of one another
	lastPoison  time.Time
	tookSince   bool // the sink has taken something since lastPoison

	wake       chan struct{} // one token: look again
	closing    chan struct{} // closed by the first Shutdown
	done       chan struct{} // closed when the worker has ended
	supervisor *chanx.Supervisor
	cancel     context.CancelFunc
	fallback   *fallback
}

// cacheLine keeps its neighbors from sharing a line, or the pair of lines that
// some processors fetch at once.
type cacheLine [128]byte

// Options are the optional arguments of [New]. The zero value uses the
// defaults.
type Options struct {
	// Budget is the memory for records, in bytes, allocated by New and never
	// changed: the records, four bytes for each of them, the reserve, and the
	// batch that the sink is writing. Zero means 4 MiB. A value below 256 bytes
	// or above 256 MiB is invalid.
	Budget int

	// Full is the policy when it is used up. Zero means DropOldest.
	Full FullPolicy

	// MaxWait is how long a Write may wait under the policy Wait. A Write on
	// the worker's goroutine, within the sink or Report, does not wait.
	// Zero means 1 s. A negative value is invalid.
	MaxWait time.Duration

	// Reserve is the part of Budget that is kept for records at or above
	// ReserveLevel, so that errors still fit when info floods. Records
	// written with [Writer.Write] have no level and do not count as such.
	//
	// Under DropOldest such a record, when it would be dropped, moves on to
	// the reserve, and is dropped only when newer ones need its place there.
	// Under the other policies the others may not fill the reserve.
	// A program that writes no levels leaves it empty: set -1 to use all of
	// Budget. Zero means a fifth of Budget, and a negative value none. A value
	// that leaves no room for an ordinary record of 64 bytes is invalid.
	Reserve int

	// ReserveLevel is read once, by New. Nil means slog.LevelError.
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
	// New. Nil means that no Write waits.
	SyncLevel slog.Leveler

	// Report renders a loss for the stream: [ReportJSON], [ReportText],
	// [ReportPlain] or your own. It is called by the worker, with no lock
	// held. If it panics, ReportPlain takes its place. The first report is
	// made at once, as is that of a record that crashed the sink; further ones
	// after 64 records written or after a second, so that a sink that cannot
	// keep up is not kept busy with them.
	// Nil means one of the three, in the form of the first record that was lost.
	Report func(Loss) []byte

	// Fallback gets a line when the sink fails, stalls or recovers, one with the
	// number of records that Close could not write, and one with the first
	// record after Close: at once, and then at most one line in ten seconds, of
	// which the last is never left out. Control characters are escaped. It is
	// called on a separate goroutine; if it hangs it is not called again. Nil
	// means none: see [Writer.Stats]. os.Stderr is a sensible choice; if that
	// can be a pipe whose reader goes away, which ends a Go process, use
	// signal.Ignore(syscall.SIGPIPE) as well.
	Fallback io.Writer

	// CloseTimeout is how long Close waits for the sink. Zero means 5 s. A
	// negative value is invalid.
	CloseTimeout time.Duration

	// StallAfter is how long the sink may make no progress, because a call does
	// not return or every call fails, until it is reported as stalled. Zero
	// means 10 s, and a negative value never.
	StallAfter time.Duration

	// Rejected reports whether an error of the sink is the fault of the record
	// it was given, which would fail again, and not the sink's: a datagram or
	// a line above the sink's maximum, a record that cannot be parsed. See
	// [ErrRejected]. Like the sink it runs on the worker, with no lock held.
	// Nil means only the errors that are known.
	Rejected func(error) bool

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
// Of a call that returns n < len(p) the first n bytes count as written and the
// others are written again, after a pause if there was an error. The pauses
// double from 10 ms to a second; no caller shortens them. If the error is the
// fault of one record, see [ErrRejected], that record is dropped. A sink that
// returns no error and a count that cannot be (none, or more than it was given)
// is taken to have written everything: that counts in SinkErrors, and the bytes
// are not written again.
//
// A sink that panics or calls runtime.Goexit has its worker restarted by a
// [chanx.Supervisor], with the same bytes; a record with which it panics
// sixteen times running is dropped, and if it has taken a part of that, it is
// given a "\n" to end the line. If more such records follow within a minute,
// each has fewer tries, down to one. A sink that never returns keeps its worker
// forever, as Go cannot end a goroutine; no caller waits for it.
//
// A sink may write to its own Writer: it never waits there, and if it does so
// in every call it is stopped after some 64 calls, and sooner from then on. It
// must not wait for another goroutine that does.
//
// For two sinks use two Writers. An io.MultiWriter whose second half fails
// makes the first half take the same lines again.
//
// New panics if sink is nil or opts are invalid.
func New(sink io.Writer, opts Options) *Writer {
	if sink == nil {
		panic("asynclog: nil sink")
	}
	opts = opts.checked()
	w := &Writer{
		sink:     sink,
		mu:       newLock(),
		opts:     opts,
		buf:      *newBuffer(opts.Budget, opts.Reserve, opts.Full == DropOldest),
		wake:     make(chan struct{}, 1),
		closing:  make(chan struct{}),
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
	case o.room() < minRoom:
		return wrong("Reserve of %d bytes leaves too little of the Budget",
			o.Reserve)
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

// minRoom is the least that a Reserve must leave: the length of the longest
// ordinary record.
const minRoom = 64

// room returns the length of the longest ordinary record.
func (o Options) room() int {
	if o.Full == DropOldest && o.Reserve >= minReserve {
		return recordBytes(o.Budget - o.Reserve)
	}
	return recordBytes(o.Budget) - o.Reserve
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
// no other between its bytes, though not necessarily in a separate call; it
// should end as records in this stream do: with "\n".
//
// It returns an error only if the record is not accepted: [chanx.ErrClosed]
// after Close, [ErrTooLarge] for one that can never fit, which is refused
// rather than truncated, since half a JSON object is no record. Loggers drop
// these errors, so they leave a trace: both are in Stats.Refused, a record too
// large is in the next report of losses, and Options.Fallback is told of the
// first record after Close. About three quarters of the Budget always fit. An
// empty p is no record and does nothing.
//
// Apart from the policy Wait it does not wait for the sink. It takes a lock
// that is held for as long as it takes to copy a record, and allocates nothing,
// with one exception: if the lock stays held for some 5 µs, as it does when its
// holder loses its processor, the record is kept outside the buffer, in memory
// that is used again, allocated when there is none, and at most a quarter of
// the Budget. While records are lost because the worker gets no turn on the
// processor, at most one call in 2,000 gives up its own, holding nothing, and
// none once the sink itself is stuck.
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

// answer is the result of accept, in bits.
type answer uint8

const (
	wakeAnswer   answer = 1 << iota // wake the worker
	yieldAnswer                     // and give up the processor
	fullAnswer                      // wait for room
	askAnswer                       // ask whether this is an echo
	closedAnswer                    // refused
	largeAnswer                     // refused
	lateAnswer                      // and the first after Close
	syncAnswer                      // stored; wait until it is written
)

func (w *Writer) write(p []byte, s severity) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	m := newMark(len(p)&maxLen, s.class) | s.urgent
	a := w.accept(p, m, s.sync, 0)
	if a&askAnswer != 0 {
		asked := askedNo
		if w.onWorker() {
			asked = askedYes
		}
		a = w.accept(p, m, s.sync, asked)
	}
	switch {
	case a == 0:
		return len(p), nil
	case a&(closedAnswer|largeAnswer) != 0:
		return w.refusal(p, a)
	case a&fullAnswer != 0:
		stored, err := w.wait(p, m)
		if err != nil {
			return 0, err
		}
		if stored && s.sync {
			a |= syncAnswer
		}
	}
	w.nudge(a&wakeAnswer != 0)
	if a&yieldAnswer != 0 {
		runtime.Gosched()
	}
	if a&syncAnswer != 0 {
		w.await(w.beginSync())
	}
	return len(p), nil
}

// asked tells whether the caller is on the worker's goroutine.
type asked uint8

const (
	askedNo asked = 1 + iota
	askedYes
)

// accept stores p, drops it, or returns why it did neither. A caller that is to
// wait for the sink anyway waits for the lock as well. With a zero ask the caller
// was not asked.
func (w *Writer) accept(p []byte, m mark, sync bool, ask asked) (a answer) {
	large := len(p) > w.buf.largest(m) // which is fixed: mu is not needed
	if !w.enter() {
		if !large && !sync && w.opts.Full != Wait && w.putAside(p, m) {
			return 0
		}
		w.mu.Lock()
	}
	defer w.unlock()
	w.fold()
	if w.closed || large {
		return w.refuse(p)
	}
	if w.echo.ask && w.calling && w.buf.queued() == 0 {
		if ask == 0 {
			return askAnswer
		}
		w.echo.ask = w.echo.known
		if ask == askedYes && w.echo.drops() {
			w.dropQuietly(p, m)
			return 0
		}
	}
	switch {
	case w.fits(p, m):
		if sync {
			a |= syncAnswer
		}
	case w.opts.Full == Wait && !w.hopeless:
		return fullAnswer
	default:
		w.buf.drop(p, m)
	}
	if w.idle {
		w.idle = false
		a |= wakeAnswer
	}
	if w.buf.starved >= yieldBytes && w.shallYield() {
		a |= yieldAnswer
	}
	return a
}

// dropQuietly drops an echo. Its loss is not reported before there is something
// else to be written, as the report would start the echo anew. The caller holds
// mu.
func (w *Writer) dropQuietly(p []byte, m mark) {
	quiet := !w.buf.losses.pending() || w.buf.losses.quiet
	w.buf.drop(p, m)
	w.buf.losses.quiet = quiet
}

// refuse counts a record that is not accepted. The caller holds mu.
func (w *Writer) refuse(p []byte) (a answer) {
	w.refused.add(len(p))
	if w.closed {
		if a = closedAnswer; !w.late {
			w.late = true
			a |= lateAnswer
		}
		return a
	}
	w.buf.losses.tooLarge(p, w.buf.youngIn)
	if a = largeAnswer; w.idle { // the report is due
		w.idle = false
		a |= wakeAnswer
	}
	return a
}

// lateExcerpt bounds the part of a late record that the fallback gets.
const lateExcerpt = 200

// refusal ends a Write that was not accepted. Loggers drop its error, so it
// leaves another trace: a record that is too large in the report of losses, the
// first one after Close at the fallback.
func (w *Writer) refusal(p []byte, a answer) (int, error) {
	w.nudge(a&wakeAnswer != 0)
	if a&closedAnswer == 0 {
		err := fmt.Errorf("%w: %d bytes", ErrTooLarge, len(p))
		w.fallback.tell(err.Error)
		return 0, err
	}
	if a&lateAnswer != 0 && w.fallback != nil {
		excerpt := string(bytes.TrimSpace(p[:min(len(p), lateExcerpt)]))
		w.fallback.say("written after Close, and lost: " + excerpt)
	}
	return 0, chanx.ErrClosed
}

package asynclog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"example.com/chanx"
)

const (
	minPause, maxPause = 10 * time.Millisecond, time.Second

	// poisonous is how many times running a record may crash the sink. At the
	// pace of the restarts this takes some ten seconds. Each further record of
	// the kind within patternTime has a quarter of the tries of the one before,
	// provided that the sink took something in between: a sink that crashes
	// always is not the fault of the records.
	poisonous   = 16
	patternTime = time.Minute

	// A report of losses is made after so many records written, or after so
	// long, since the one before; until then losses add up. Flush, Shutdown and
	// probing do not wait for that.
	reportRecords = 64
	reportEvery   = time.Second
	// After a report that the sink could not take.
	reportPause = time.Minute
)

// start starts the worker under a separate supervisor. A Writer has to
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
// to the Writer: do not run it, and add and remove nothing. A Writer whose
// worker was removed writes nothing more; Close returns an error with the
// number of records.
func (w *Writer) Supervisor() *chanx.Supervisor { return w.supervisor }

// work is the worker. Everything it needs to go on is in w, as a panic or a
// Goexit of the sink ends it at any call.
func (w *Writer) work(ctx context.Context) error {
	w.begin()
	timer := newWorkTimer(w.opts.StallAfter)
	defer timer.stop()
	pause, closing := minPause, w.closing
	n := 0
	for ctx.Err() == nil {
		do := w.next(n)
		switch do.step {
		case stepEnd:
			return chanx.ErrStop
		case stepIdle:
			timer.idle(ctx, w.wake, do.wait)
			chanx.Beat(ctx) // a record from now on has all of StallAfter
		case stepReport:
			w.render(do.loss)
		case stepFlush:
			w.flushSink()
			chanx.Beat(ctx)
		case stepCall:
			r := w.feed(ctx, do.p)
			if n = r.n; n > 0 {
				pause = minPause
			}
			if r.err == nil || w.failed(r) {
				break
			}
			if timer.pause(ctx, closing, min(pause, w.maxPause())) {
				closing = nil // once
			}
			pause = min(2*pause, w.maxPause())
		}
	}
	w.leave(n)
	return ctx.Err()
}

// begin settles how the last run ended.
func (w *Writer) begin() {
	w.tellAll(w.restart())
}

// restart counts a crash if the last run ended within the sink, and gives up the
// record or report that crashed it after the last of its tries.
func (w *Writer) restart() (gaveUp func() string) {
	id := currentGoroutine()
	w.lock()
	defer w.unlock()
	w.worker = id
	w.gate.leave()
	if !w.calling {
		return nil
	}
	w.calling = false
	w.settle()
	w.crashes++
	several := len(w.report) == 0 && w.buf.inHand.isolate()
	if w.crashes < w.tries() || several && w.crashes == 1 {
		return nil
	}
	w.crashes = 0
	if w.postpone() {
		return nil
	}
	w.poisons++
	w.lastPoison, w.tookSince = time.Now(), false
	return w.drop()
}

// tries returns how often the record or report in the worker's hands may crash
// the sink. The caller holds mu.
func (w *Writer) tries() int {
	switch {
	case w.retrying:
		return poisonous / 4
	case w.poisons == 0 || time.Since(w.lastPoison) > patternTime:
		w.poisons = 0
	case !w.tookSince:
		return poisonous
	}
	return max(poisonous>>(2*w.poisons), 1)
}

// postpone keeps a report that crashes the sink until the sink has taken a
// record, and reports whether it did. A sink that crashes always is not the
// fault of the report, and the report is the only trace of its records. It is
// given up when it crashes the sink again after that, or if part of it was
// taken. The caller holds mu.
func (w *Writer) postpone() bool {
	if len(w.report) == 0 || w.reportCut || w.retrying {
		return false
	}
	w.postponed, w.report = w.report, nil
	w.tookSince = false
	return true
}

// retry takes up the postponed report: between two records, once the sink has
// taken something or if there is nothing to try it with. The caller holds mu.
func (w *Writer) retry() {
	b := &w.buf.inHand
	switch {
	case len(w.postponed) == 0 || len(w.report) > 0,
		b.ring != nil && !(w.tookSince && b.between()),
		b.ring == nil && !w.tookSince && w.buf.queued() > 0:
		return
	}
	w.report, w.postponed = w.postponed, nil
	w.retrying = w.tookSince
}

// drop gives up the report in the worker's hands, or else the record at the
// head of the batch, because the sink cannot take it. The caller holds mu.
func (w *Writer) drop() (gaveUp func() string) {
	if len(w.report) > 0 {
		l := w.reported
		w.report, w.nextReport = nil, time.Now().Add(reportPause)
		if w.reportCut {
			w.report = []byte("\n") // to end the line
		}
		w.reported, w.reportCut, w.retrying = Loss{}, false, false
		w.reportAt = noWatch
		if l.Since.IsZero() { // it only ended a line
			return nil
		}
		return func() string {
			return fmt.Sprintf("the sink cannot take the report of a loss: "+
				"%v dropped, %d records too large", l.Count, l.TooLarge.Records)
		}
	}
	if w.buf.reject() {
		w.report, w.reported = []byte("\n"), Loss{} // to end the line
	}
	w.progress()
	return nil
}

// step is the next step of the worker.
type step struct {
	step stepKind
	p    []byte        // stepCall
	loss Loss          // stepReport
	wait time.Duration // stepIdle; 0: for as long as nothing happens
}

type stepKind int

const (
	stepCall   stepKind = iota // the sink
	stepReport                 // make the report of a loss
	stepFlush                  // the sink's Flush and Sync
	stepIdle                   // wait until woken
	stepEnd                    // all is written, or given up
)

// next decides the next step, after the sink has taken n bytes if it counts as
// called, as it does after stepCall. Taking the lock a second time for those
// bytes would make twice as many callers meet the worker at the lock.
func (w *Writer) next(n int) step {
	s, news := w.decideNext(n)
	w.tell(news)
	return s
}

func (w *Writer) decideNext(n int) (s step, news sinkNews) {
	w.lock()
	defer w.unlock()
	w.idle = false // it may be awake without a Write's doing
	if w.calling {
		news = w.took(n, nil)
	}
	if w.gate.isShut() {
		return step{step: stepEnd}, news
	}
	w.retry()
	if len(w.report) == 0 {
		if l, wait := w.loss(); wait == 0 {
			w.rendering = true
			return step{step: stepReport, loss: l}, news
		} else if w.buf.inHand.ring == nil {
			w.flushed()
			if len(w.flushing) > 0 {
				return step{step: stepFlush}, news
			}
			if w.shallRest() {
				return step{step: stepIdle, wait: restTime}, news
			}
			if !w.takeBatch() {
				return w.idleStep(wait), news
			}
		}
	}
	w.calling = true
	if len(w.report) > 0 {
		return step{p: w.report}, news
	}
	return step{p: w.buf.inHand.next()}, news
}

// takeBatch reports whether there was a batch to take.
func (w *Writer) takeBatch() bool {
	if !w.buf.take(w.batchRecords()) {
		return false
	}
	w.reportedNow = false
	w.turn += w.buf.inHand.size
	w.echo.begin()
	return true
}

// idleStep is the step when the buffer is empty.
func (w *Writer) idleStep(wait time.Duration) step {
	if w.closed && len(w.waiters) == 0 {
		return step{step: w.lastStep()}
	}
	w.idle = true
	w.turn = 0
	w.echo.idle()
	if wait == never {
		wait = 0
	}
	return step{step: stepIdle, wait: wait}
}

const never = math.MaxInt64

// loss takes a loss that is due to be reported, or returns how long to wait until
// one is. The caller holds mu.
func (w *Writer) loss() (Loss, time.Duration) {
	l, whole := &w.buf.losses, w.buf.inHand.ring == nil
	hurry := whole && (w.closed || w.buf.lossAwaited())
	switch {
	case len(w.postponed) > 0,
		whole && !l.due(w.buf.youngOut),
		!whole && (!l.rejected.open || !w.buf.inHand.between()),
		l.quiet && !hurry,
		// One report for a batch is enough.
		w.reportedNow && w.buf.queued() > 0 && !w.probing():
		return Loss{}, never
	case hurry || w.probing() || w.buf.written.Records >= w.reportAt:
	default:
		if d := time.Until(w.nextReport); d > 0 {
			return Loss{}, d
		}
	}
	w.reportedNow = true
	w.reportAt = w.buf.written.Records + reportRecords
	w.nextReport = time.Now().Add(reportEvery)
	if whole {
		w.reported = l.take(w.buf.youngOut)
	} else {
		w.reported = l.takeRejected()
	}
	return w.reported, 0
}

// probing reports whether a report is due at once, to show whether the sink
// takes anything but the record that was given up last: see tries. Without that,
// of poison records in a row every second one had all its tries, as reports are
// otherwise a second apart. The caller holds mu.
func (w *Writer) probing() bool {
	return w.poisons > 0 && !w.tookSince && w.reportAt != noWatch
}

func (w *Writer) batchRecords() int {
	if w.opts.Unbatched {
		return 1
	}
	return math.MaxInt
}

// render makes the report of a loss. It leaves a report behind however
// Options.Report ends: the loss is no longer known anywhere else.
func (w *Writer) render(l Loss) {
	var b []byte
	returned := false
	defer func() {
		if !returned {
			v := recover()
			w.fallback.tell(func() string {
				return fmt.Sprintf("Options.Report: panic: %v", v)
			})
			b = ReportPlain(l)
		}
		w.setReport(b)
	}()
	b = w.opts.Report(l)
	returned = true
}

func (w *Writer) setReport(b []byte) {
	w.lock()
	defer w.unlock()
	w.report, w.rendering = b, false
}

// reporting reports whether the report of a loss is on its way. The caller
// holds mu.
func (w *Writer) reporting() bool {
	return w.rendering || len(w.report) > 0 || len(w.postponed) > 0
}

// maxPause returns the longest pause, which is short during a Shutdown.
func (w *Writer) maxPause() time.Duration {
	w.lock()
	defer w.unlock()
	if w.closed {
		return 5 * minPause
	}
	return maxPause
}

// result is the outcome of feeding the sink.
type result struct {
	n        int // bytes taken
	err      error
	whole    bool // the call that returned err has taken all its bytes
	rejected bool // a record of that call is at fault
}

// feed gives p to the sink, a batch in pieces, until there is an error.
func (w *Writer) feed(ctx context.Context, p []byte) (r result) {
	report := len(w.report) > 0
	b := &w.buf.inHand
	start := b.size - len(b.rest) // settle moves it, but only after fed has grown
	for r.n < len(p) && r.err == nil && !w.gate.isShut() {
		end := len(p)
		if !report {
			end = min(end, r.n+b.piece(start+r.n))
		}
		var k int
		k, r.err = w.call(p[r.n:end])
		r.n += k
		if r.whole = r.n == end; !r.whole {
			r.rejected = w.rejects(r.err)
		}
		if k > 0 && !report {
			w.fed.Add(int64(k))
		}
		if k > 0 || r.rejected {
			chanx.Beat(ctx)
		}
	}
	return r
}

// settle counts the bytes that the sink has taken since the last time, and
// gives the room to waiting Writes. It is called before anything that shows
// exact counts. The caller holds mu.
func (w *Writer) settle() {
	if n := w.fed.Swap(0); n > 0 {
		w.buf.wrote(int(n))
		w.progress()
	}
}

// errMiscounted is the error for a sink that breaks the contract of io.Writer.
var errMiscounted = errors.New("asynclog: the sink returned a wrong count " +
	"and no error; the bytes count as written")

// call calls the sink unless Shutdown has given up. A count that cannot be,
// from a sink that returns no error, is taken for a mistake in counting: to
// write the same bytes again would write them forever.
func (w *Writer) call(p []byte) (int, error) {
	if !w.gate.enter() {
		return 0, nil
	}
	n, err := w.sink.Write(p)
	w.gate.leave()
	switch {
	case err == nil && (n < 1 || n > len(p)):
		return len(p), fmt.Errorf("%w: %d of %d", errMiscounted, n, len(p))
	case err != nil:
		n = min(max(n, 0), len(p))
	}
	return n, err
}

// took notes the result of feeding the sink. The caller holds mu.
func (w *Writer) took(n int, err error) sinkNews {
	w.calling = false
	w.settle()
	if n > 0 {
		w.crashes = 0
		w.tookSince = true
		if len(w.report) > 0 {
			w.report = w.report[n:]
			w.reportCut = len(w.report) > 0
			w.retrying = w.retrying && w.reportCut
			w.progress()
		}
	}
	if n == 0 && err == nil { // Shutdown has given up before the call
		return sinkNews{}
	}
	return w.sinkState.note(err)
}

// failed notes an error. It reports whether the sink is to be called again at
// once: it has taken everything, or rejected one record and may take others.
func (w *Writer) failed(r result) (again bool) {
	news, gaveUp := w.noteError(r)
	w.tell(news)
	w.tellAll(gaveUp)
	return r.whole || r.rejected
}

func (w *Writer) noteError(r result) (news sinkNews, gaveUp func() string) {
	w.lock()
	defer w.unlock()
	report := len(w.report) > 0
	news = w.took(r.n, r.err)
	if r.rejected && (report || !w.buf.inHand.isolate()) {
		gaveUp = w.drop()
	}
	return news, gaveUp
}

// leave counts the bytes that the sink took from a worker that was removed.
func (w *Writer) leave(n int) {
	w.lock()
	defer w.unlock()
	if w.calling {
		w.took(n, nil)
	}
}

func (w *Writer) tellAll(line func() string) {
	if line != nil {
		w.fallback.tell(line)
	}
}

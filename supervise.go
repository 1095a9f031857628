package chanx

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Supervise runs worker, and restarts it according to policy, until ctx is done,
// the worker ends for good, or the policy gives up. Every end of a run counts as
// an exit: an error, a panic, a nil return before ctx is done, runtime.Goexit.
//
// It returns
//
//   - ctx.Err() when ctx ended it: before the start, during a run, or while
//     waiting for a restart. That is read from ctx, never guessed from the
//     worker's error: a context.Canceled of some other context is an ordinary
//     failure.
//   - nil when the worker returned [ErrStop], or nil under RestartOnFailure
//     or RestartNever.
//   - the error of a worker that failed for good: see [Permanent].
//   - the error, or [*PanicError], or [ErrGoexit], of a RestartNever worker.
//   - a [*RestartLimitError] when the policy gave up.
//
// A nil ctx, a nil worker and an invalid policy panic before anything starts. If
// a method of ctx panics or calls runtime.Goexit after that, Supervise panics
// with a [*PanicError] or calls runtime.Goexit.
//
// The worker runs on its own goroutine, with a context derived from ctx that
// is cancelled when the run ends, and with it everything the run has started
// with that context. Supervise returns only when the worker has returned: a
// worker that ignores its context delays it, and only a [Supervisor] has a
// timeout for that. The exception is a run that was replaced as stalled, which
// happens only before ctx is done. Supervise waits up to a second for OnEvent to
// take the queued events.
//
// # On recovering panics
//
// The Go team landed and reverted recovery in errgroup (golang/go#53757,
// #74275, #74304): a recovered panic crashes late or never, on another
// goroutine, and without its stack. This is an argument against recovering by
// default; a caller of Supervise asks for a worker that survives its faults.
// Supervise keeps the stack of the panic with the error, reports and counts the
// restart, and returns an error when MaxRestarts is reached. State that a panic
// may leave inconsistent belongs inside the worker function, where a restart
// creates it again. If the state is shared, set CrashOnPanic: Supervise then
// panics, on its caller's goroutine, once OnEvent has taken the queued events.
// If the panic was in a run that had been replaced, the context of the current
// run is cancelled, and that run has to return first.
//
// # Cost
//
// A restart without backoff or Heartbeat costs less than starting and joining
// a goroutine, since the goroutine is kept. The next run therefore inherits the
// state of the goroutine (LockOSThread, SetPanicOnFault, profiler labels): a
// worker must restore it, or end with runtime.Goexit, after which a new
// goroutine is started.
func Supervise(ctx context.Context, worker func(context.Context) error, policy RestartPolicy) error {
	if worker == nil {
		panic("chanx: nil worker")
	}
	if ctx == nil {
		panic("chanx: nil context")
	}
	policy = policy.checked()
	if err := errIfDone(ctx); err != nil {
		return err
	}
	s := &solo{
		ctx:       ctx,
		worker:    worker,
		restarter: newRestarter(policy),
		hook:      newHook(policy.OnEvent),
		done:      make(chan error, 1),
	}
	if policy.ReplaceStalled && policy.CrashOnPanic {
		s.ctx, s.cancel = context.WithCancel(ctx)
		defer s.cancel()
	}
	r := s.newRun()
	s.tell(EventStart, r.started, &Exit{Started: r.started})
	go s.work(r)
	err := <-s.done
	s.hook.end(nil)
	if crash := s.crash.Load(); crash != nil {
		crash.raise()
	}
	if err == errContextGoexit {
		runtime.Goexit()
	}
	return err
}

// solo is one call of Supervise. One goroutine at a time owns it and may use its
// fields; it passes ownership on by starting its successor.
type solo struct {
	ctx       context.Context
	worker    func(context.Context) error
	restarter restarter
	hook      *hook
	done      chan error
	attempts  int64

	// Also used by goroutines that were leaked:
	cancel context.CancelFunc // not nil if they may crash
	crash  atomic.Pointer[PanicError]
	leaked atomic.Int32
}

// soloRun is one goroutine of a solo: a run of the worker and, if the worker is
// not watched, the runs that follow.
type soloRun struct {
	pulse   *pulse
	started time.Time
	cancel  context.CancelCauseFunc // of the current run
	leaked  bool                    // written under pulse.mu, read after stop
}

func (s *solo) newRun() *soloRun {
	r := &soloRun{started: time.Now()}
	s.attend(r)
	return r
}

// attend gives r a new pulse, so that goroutines of an old run beat for that
// run only. It costs as much as the restart itself, so a goroutine whose runs
// are not watched keeps the first pulse.
func (s *solo) attend(r *soloRun) {
	r.pulse = &pulse{Context: s.ctx, born: r.started}
	r.pulse.attempt.Store(s.attempts)
	if limit := s.restarter.policy.Heartbeat; limit > 0 {
		r.pulse.watched(limit, func(stalled, stopping bool) {
			s.stallChanged(r, stalled, stopping)
		})
	}
}

// work runs the worker until it has ended for good, or until this goroutine
// ends: by runtime.Goexit, or because it was leaked.
func (s *solo) work(r *soloRun) {
	var res result
	inWorker, settled := false, false
	defer s.unsettled(&settled)
	defer func() {
		if inWorker && s.ended(r, &res) { // runtime.Goexit
			go s.work(r)
		}
		settled = settled || inWorker
	}()
	for again := true; again; {
		var ctx context.Context
		ctx, r.cancel = context.WithCancelCause(r.pulse)
		s.attempts++
		r.pulse.start()
		inWorker = true
		protect(ctx, s.worker, &res)
		inWorker = false
		again = s.ended(r, &res)
	}
	settled = true
}

// errContextGoexit makes Supervise call runtime.Goexit, as a method of ctx has
// done on the goroutine of a run.
var errContextGoexit = errors.New("chanx: a method of the context called runtime.Goexit")

// unsettled is deferred by the goroutines that call methods of ctx. If such a
// goroutine ends before it has set *settled, a method of ctx has ended it, by a
// panic or by runtime.Goexit: Supervise then does the same on the goroutine of
// its caller, which would otherwise wait forever.
func (s *solo) unsettled(settled *bool) {
	if *settled {
		return
	}
	if v := recover(); v != nil {
		s.crash.CompareAndSwap(nil, &PanicError{Value: v, Stack: debug.Stack()})
	}
	select {
	case s.done <- errContextGoexit:
	default: // a goroutine that was leaked is not waited for
	}
}

// ended handles the end of a run. It reports whether r is to run again, after
// the backoff.
func (s *solo) ended(r *soloRun, res *result) (again bool) {
	r.cancel(nil)
	r.pulse.stop()
	now := time.Now()
	if r.leaked {
		s.endedLate(r, res, now)
		return false
	}
	o := outcome{at: now}
	s.exited(r, res, errIfDone(s.ctx), &o)
	return s.follow(r, &o)
}

// endedLate records the end of the goroutine of r, which was leaked.
func (s *solo) endedLate(r *soloRun, res *result, now time.Time) {
	s.leaked.Add(-1)
	late := res.late()
	exit := r.exit(&late, now)
	if s.restarter.crashes(res) {
		s.crash.CompareAndSwap(nil, res.crash())
		s.cancel()
	}
	s.tell(EventExit, now, &exit)
}

func (r *soloRun) exit(res *result, now time.Time) Exit {
	return Exit{
		Err: res.err, Started: r.started, Ran: now.Sub(r.started), shown: res.shown,
	}
}

// outcome is a decision that has been reported.
type outcome struct {
	decision
	at   time.Time
	exit Exit
}

// exited decides what follows the end of a run of r, records and reports it.
func (s *solo) exited(r *soloRun, res *result, ctxErr error, o *outcome) {
	now := o.at
	o.exit = r.exit(res, now)
	s.decide(&o.decision, res, o.exit.Ran, ctxErr, now)
	s.restarter.note(&o.decision, now)
	o.exit.Restarts = o.restarts
	o.exit.Backoff, o.exit.Final = o.wait, !o.restart
	if o.crash {
		s.crash.CompareAndSwap(nil, res.crash())
	}
	s.tell(EventExit, now, &o.exit)
	if o.passed != nil {
		s.tell(EventGiveUp, now, &o.exit)
		o.err = o.passed.err(res.err, res.shown)
	}
}

func (s *solo) decide(d *decision, res *result, ran time.Duration, ctxErr error, now time.Time) {
	d.crash = s.restarter.crashes(res)
	if d.crash || ctxErr != nil {
		d.restarts = s.restarter.counts(ran, res.kind == exitStall)
		d.err = ctxErr
		return
	}
	s.restarter.decide(d, res, ran, now)
}

// follow waits out the backoff and reports true, or ends the supervision and
// reports false.
func (s *solo) follow(r *soloRun, o *outcome) (again bool) {
	if o.restart {
		o.err = sleep(s.ctx, o.wait)
	}
	if !o.restart || o.err != nil {
		s.done <- o.err
		return false
	}
	if r.started = o.at; o.wait > 0 {
		r.started = time.Now()
	}
	if r.pulse.limit > 0 {
		s.attend(r)
	}
	s.tell(EventRestart, r.started, &o.exit)
	return true
}

// stallChanged is the pulse's report. The timer's goroutine handles a stall
// itself: it owns s while it holds the pulse's mu, so that the end of the old
// run, however soon, is reported later.
func (s *solo) stallChanged(r *soloRun, stalled, stopping bool) {
	now := time.Now()
	e := r.exit(&result{}, now)
	if !stalled {
		s.tell(EventRecover, now, &e)
		return
	}
	e.Err = ErrStalled
	s.tell(EventStall, now, &e)
	if stopping || !s.restarter.policy.mayReplace(int(s.leaked.Load())) {
		return
	}
	s.leaked.Add(1)
	r.leaked, r.pulse.running = true, false
	o := outcome{at: now}
	s.exited(r, &result{err: ErrStalled, kind: exitStall}, nil, &o)
	go s.succeed(r, o)
}

// succeed takes over from the goroutine of old, which was leaked.
func (s *solo) succeed(old *soloRun, o outcome) {
	settled := false
	defer s.unsettled(&settled)
	old.cancel(ErrStalled)
	r := s.newRun()
	again := s.follow(r, &o)
	settled = true
	if again {
		s.work(r)
	}
}

func (s *solo) tell(kind EventKind, at time.Time, exit *Exit) {
	s.hook.send(kind, "", at, exit)
}

// sleep waits for d, or until ctx is done and returns its error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return errIfDone(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return errIfDone(ctx)
}

// errIfDone returns the error of ctx, and context.Canceled if ctx is done without
// an error. That breaks the contract of a context, and package context panics
// for a child of such a one.
func errIfDone(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		select {
		case <-ctx.Done():
			return context.Canceled
		default:
		}
	}
	return err
}

package chanx

// To copy this file: take policy.go exit.go event.go beat.go along.

import (
	"context"
	"sync/atomic"
	"time"
)

// Supervise runs worker, and runs it again as policy says, until ctx is done,
// the worker ends for good, or the policy gives up. Every way out of the
// worker counts as an exit: an error, a panic, a nil return while ctx lives,
// runtime.Goexit.
//
// It returns
//
//   - ctx.Err() when ctx ended it: before the start, during a run, or while
//     waiting for a restart. That is read from ctx, never guessed from the
//     worker's error: a context.Canceled of some other context is an ordinary
//     failure.
//   - nil when the worker returned [ErrStop], or nil under RestartOnFailure
//     or RestartNever.
//   - the error, or [*PanicError], or [ErrGoexit], of a RestartNever worker.
//   - a [*RestartLimitError] when the policy gave up.
//
// A nil ctx, a nil worker, and a policy that contradicts itself panic before
// anything starts.
//
// The worker runs on a goroutine of its own, with a context made from ctx that
// is cancelled when that run ends, so that what a run started ends with it.
// Supervise returns only when the worker has returned: one that ignores its
// context holds it up, and only a [Supervisor] has a timeout for that. The
// exception is a worker that is stalled under ReplaceStalled, which is left
// behind. It waits up to a second for OnEvent to take what is queued.
//
// # On recovering panics
//
// The Go team landed and reverted recovery in errgroup (golang/go#53757,
// #74275, #74304): a recovered panic crashes late or never, on another
// goroutine, and without its stack. This is an argument against recovering by
// default where nobody asked; whoever calls Supervise asks for a worker that
// outlives its mistakes. What was lost there is kept here: the stack is taken
// where the panic happened and printed with the error, the restart is an
// event and counted, and MaxRestarts turns a worker that cannot recover into
// an error. State that a panic may have left inconsistent belongs inside the
// worker function, where a restart makes it anew. If it is shared, set
// CrashOnPanic: then Supervise panics, on its caller's goroutine, as soon as
// OnEvent has been told.
//
// A restart without backoff or Heartbeat costs less than starting and joining
// a goroutine, since the goroutine is kept; after runtime.Goexit a new one is
// started. Profiler labels of the caller are not those of a restarted run.
func Supervise(ctx context.Context, worker func(context.Context) error, policy RestartPolicy) error {
	if worker == nil {
		panic("chanx: nil worker")
	}
	if ctx == nil {
		panic("chanx: nil context")
	}
	policy = policy.checked()
	if err := ctx.Err(); err != nil {
		return err
	}
	k := &keeper{
		ctx:       ctx,
		worker:    worker,
		restarter: newRestarter(policy),
		hook:      newHook(policy.OnEvent),
		result:    make(chan error, 1),
	}
	go k.live(k.newLife())
	err := <-k.result
	if k.hook != nil {
		grace, cancel := context.WithTimeout(context.Background(), hookGrace)
		defer cancel()
		k.hook.end(grace.Done())
	}
	if k.crash != nil {
		panic(k.crash)
	}
	return err
}

// keeper is one call of Supervise. One goroutine at a time is in charge of it
// and may use its fields; it hands over only by starting its successor.
type keeper struct {
	ctx       context.Context
	worker    func(context.Context) error
	restarter restarter
	hook      *hook
	result    chan error
	crash     *PanicError
	leaked    atomic.Int32 // goroutines left behind; used by these as well
}

// life is one goroutine that runs the worker, again and again.
type life struct {
	pulse     *pulse
	started   time.Time
	cancel    context.CancelCauseFunc // of the current run
	abandoned bool                    // written under pulse.mu, read after stop
}

func (k *keeper) newLife() *life {
	l := &life{started: time.Now()}
	k.attend(l)
	return l
}

// attend gives l a new pulse, so that what an old run has left behind beats
// for that run only. It costs as much as the restart itself, hence a goroutine
// whose runs are not watched keeps the first.
func (k *keeper) attend(l *life) {
	l.pulse = &pulse{Context: k.ctx, born: l.started}
	if limit := k.restarter.policy.Heartbeat; limit > 0 {
		l.pulse.watched(limit, func(stalled bool) { k.stallChanged(l, stalled) })
	}
}

// live runs the worker until it is over, or until this goroutine is: it may be
// ended by runtime.Goexit, or abandoned as stalled.
func (k *keeper) live(l *life) {
	var f fate
	inWorker := false
	defer func() {
		if inWorker && k.ended(l, f) { // Goexit got us here
			go k.live(l)
		}
	}()
	for again := true; again; {
		var ctx context.Context
		ctx, l.cancel = context.WithCancelCause(l.pulse)
		l.pulse.start()
		inWorker = true
		f = protect(ctx, k.worker, &f)
		inWorker = false
		again = k.ended(l, f)
	}
}

// ended deals with the end of a run. If the worker is to be run again, it
// waits as long as the policy says and returns true.
func (k *keeper) ended(l *life, f fate) bool {
	l.cancel(nil)
	l.pulse.stop()
	if l.abandoned {
		k.endedLate(l, f)
		return false
	}
	return k.follow(l, k.judge(l, f))
}

func (k *keeper) endedLate(l *life, f fate) {
	k.leaked.Add(-1)
	now := time.Now()
	exit := l.exit(lateFate(f), now)
	k.tell(EventExit, now, &exit)
}

func (l *life) exit(f fate, now time.Time) Exit {
	return Exit{Err: f.err, Started: l.started, Ran: now.Sub(l.started), shown: f.shown}
}

// outcome is what has been decided about an exit, and been told.
type outcome struct {
	verdict
	at   time.Time
	exit Exit
}

// judge decides what follows the end of a run of l.
func (k *keeper) judge(l *life, f fate) outcome {
	now := time.Now()
	exit := l.exit(f, now)
	exit.Restarts = k.restarter.before(credit(f.err, exit.Ran))
	if f.panicked && k.restarter.policy.CrashOnPanic {
		k.crash = f.err.(*PanicError).crashing()
	}
	v := verdict{err: k.ctx.Err()}
	if v.err == nil && k.crash == nil {
		v = k.restarter.exited(f, now)
	}
	exit.Backoff, exit.Final = v.wait, !v.restart
	k.tell(EventExit, now, &exit)
	if v.gaveUp {
		k.tell(EventGiveUp, now, &exit)
	}
	return outcome{v, now, exit}
}

// follow does it: it waits for the restart, and returns true when l is to run,
// or ends the supervision.
func (k *keeper) follow(l *life, o outcome) bool {
	if o.restart {
		o.err = sleep(k.ctx, o.wait)
	}
	if !o.restart || o.err != nil {
		k.result <- o.err
		return false
	}
	if l.started = o.at; o.wait > 0 {
		l.started = time.Now()
	}
	if l.pulse.limit > 0 {
		k.attend(l)
	}
	k.tell(EventRestart, l.started, &o.exit)
	return true
}

// stallChanged is the pulse's report. Its goroutine judges a stall itself, in
// charge of k as long as it holds the pulse's mu, so that however soon the
// old run ends now, that is told later.
func (k *keeper) stallChanged(l *life, stalled bool) {
	now := time.Now()
	e := l.exit(fate{}, now)
	if !stalled {
		k.tell(EventRecover, now, &e)
		return
	}
	e.Err = ErrStalled
	k.tell(EventStall, now, &e)
	if k.restarter.policy.mayReplace(int(k.leaked.Load())) {
		k.leaked.Add(1)
		l.abandoned, l.pulse.running = true, false
		o := k.judge(l, fate{err: ErrStalled})
		l.cancel(ErrStalled)
		go k.succeed(o)
	}
}

// succeed takes over from a goroutine that was abandoned.
func (k *keeper) succeed(o outcome) {
	if l := k.newLife(); k.follow(l, o) {
		k.live(l)
	}
}

func (k *keeper) tell(kind EventKind, at time.Time, exit *Exit) {
	k.hook.send(kind, "", at, exit)
}

// sleep waits for d, or until ctx is done and returns its error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

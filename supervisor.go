package chanx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// SupervisorOptions are the options of [NewSupervisor]. The zero value uses the
// defaults.
type SupervisorOptions struct {
	// Strategy selects the workers that are restarted together.
	// Zero means OneForOne.
	Strategy Strategy

	// MaxRestarts and Within limit the restarts of the whole set, as those
	// of [RestartPolicy] do for one worker: the exit that would need one
	// more gives up. Restarts of siblings do not count, nor does Restart. As
	// with one worker, a limit that backoff prevents is never reached; that is
	// not checked here, since every worker has its own policy.
	// Zero MaxRestarts means no limit. Zero Within means the sum of the
	// restarts of each worker since its last healthy run, without workers that
	// have ended for good or were removed; a current run counts as healthy
	// once it has lasted ResetAfter, unless it is stalled. A negative value
	// is invalid.
	MaxRestarts int
	Within      time.Duration

	// StopTimeout is how long Run waits for workers to return after ctx is
	// done or the set has given up, and how long a restart waits for
	// siblings. A set that is stopped as a worker of another Supervisor ends
	// its wait 100 ms, or a quarter of the time if that is less, before the
	// other one does, which can then name the worker that hangs.
	// Zero means 10 s. A negative value is invalid.
	StopTimeout time.Duration

	// KeepExits is the number of last exits kept for each worker, with error
	// and stack. Zero means 8. A negative value is invalid.
	KeepExits int

	// OnEvent observes every worker of the set, as RestartPolicy.OnEvent does
	// one, in addition to the worker's own. It is called for one event at a
	// time, and 64 events and two for each worker wait for it.
	// Nil means no hook.
	OnEvent func(Event)
}

// Validate returns nil if NewSupervisor accepts o, and otherwise an error with
// the text of its panic. It is for options read from a file.
func (o SupervisorOptions) Validate() error {
	switch {
	case o.Strategy < OneForOne || o.Strategy > RestForOne:
		return errors.New("chanx: supervisor: unknown " + o.Strategy.String())
	case o.MaxRestarts < 0 || o.Within < 0 || o.StopTimeout < 0 || o.KeepExits < 0:
		return errors.New("chanx: supervisor: negative option")
	}
	return nil
}

// checked returns o with its defaults filled in. It panics if o is invalid.
func (o SupervisorOptions) checked() SupervisorOptions {
	if err := o.Validate(); err != nil {
		panic(err.Error())
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = 10 * time.Second
	}
	if o.KeepExits == 0 {
		o.KeepExits = 8
	}
	return o
}

// A Supervisor runs a named set of workers, each under its own
// [RestartPolicy], and keeps their last exits. It must be made by
// [NewSupervisor]; adding to or running the zero value panics. All methods may
// be called by any number of goroutines.
//
// Its Run has the form of a worker, so that supervisors form trees:
//
//	parent.Add("consumers", consumers.Run, chanx.RestartPolicy{})
//
// A Supervisor starts only the goroutines of its workers and hooks. They end
// with Run, except those of workers named in a [*StopTimeoutError], those leaked
// under ReplaceStalled or by a crash, and a hook that blocks for longer than a
// second.
//
// Each goroutine records its own events under one lock, and starts a OneForOne
// restart itself. Only Run's goroutine stops a group or the set, since it must
// wait for workers; it holds no lock while it waits. No code of a worker, an
// error, a hook or a context runs under the lock.
type Supervisor struct {
	opts SupervisorOptions
	hook *hook // of the set
	// wake makes Run look at the fields below. It is made by Run, so that it
	// belongs to the synctest bubble that Run is in, if any.
	wake chan struct{}
	// halt and crashed are made by Run too, and closed to end its waits: when
	// the set has given up, and when it is to crash.
	halt, crashed chan struct{}

	mu       sync.Mutex
	phase    supervisorPhase
	members  []*member // in the order of Add
	added    uint64
	names    map[string]*member
	alive    int // members that have not ended for good
	base     context.Context
	running  *errgroup.Group
	leaked   int // goroutines leaked under ReplaceStalled
	recent   window
	restarts int // no less than the sum over the members
	groups   []*plan
	busy     bool     // Run has not returned
	over     bool     // the set has given up, with err or crash
	late     []string // left behind by removed members, not reported by Remove
	hooks    []*hook  // of removed members, not idle
	err      error
	crash    *PanicError
}

type supervisorPhase int

const (
	phaseIdle supervisorPhase = iota // not run, or between two runs in a tree
	phaseRunning
	phaseStopping
	phaseStopped
)

// member is a worker of a Supervisor, all of it guarded by the Supervisor's mu.
type member struct {
	set       *Supervisor
	name      string
	number    uint64 // rises with every Add
	worker    func(context.Context) error
	restarter restarter
	hook      *hook

	state    WorkerState
	since    time.Time
	restarts int
	attempts int64 // in this Run
	leaked   int
	ended    ExitCounts
	exits    []Exit

	run  *workerRun // the last one, whether it has ended or not
	plan *plan      // the plan that starts it next, if any
	// late names the workers that a Supervisor left behind when it last ended
	// as this worker.
	late    *StopTimeoutError
	over    bool          // it has ended for good
	gone    chan struct{} // not nil: being removed; closed: removed
	removes int           // calls of Remove that wait for gone
	settled chan struct{} // not nil: a Restart waits; closed: by a start, or in vain
}

// workerRun is one run of a member. It is a context, in which a Supervisor that
// runs below the member finds it.
type workerRun struct {
	pulse  // born when the run starts
	m      *member
	ctx    context.Context
	cancel context.CancelCauseFunc
	stopBy atomic.Int64 // when the wait for its end is over, since born; 0: unknown

	// Guarded by the Supervisor's mu:
	ended    bool // or was leaked
	leaked   bool
	done     chan struct{} // closed when it has ended; nil: nothing waits for it
	children *childRun     // the last to have begun
}

type runKey struct{}

// Value returns r to [Supervisor.Run].
func (r *workerRun) Value(key any) any {
	if key == (runKey{}) {
		return r
	}
	return r.pulse.Value(key)
}

// WorkerOf returns the name of the worker running with ctx, as it was passed to
// [Supervisor.Add], and the number of the current attempt: 1 for the first run
// since Supervise or Supervisor.Run was called, 2 for the one after the first
// restart. It is for log lines of the worker. Under [Supervise] the name is
// empty. Without a supervisor above ctx WorkerOf returns "" and 0. A nil ctx
// panics.
func WorkerOf(ctx context.Context) (name string, attempt int) {
	p := pulseOf(ctx)
	if p == nil {
		return "", 0
	}
	if r, _ := ctx.Value(runKey{}).(*workerRun); r != nil && &r.pulse == p {
		name = r.m.name
	}
	return name, int(p.attempt.Load())
}

// The causes for which a Supervisor cancels the context of a worker: see
// [context.Cause].
var (
	// ErrStopping is the cause when the set stops. The cause also wraps the
	// reason: context.Cause of the ctx of Run, or the error that the set gives
	// up with, or the [*PanicError] that it crashes with.
	ErrStopping = errors.New("chanx: supervisor is stopping")
	// ErrRemoved is the cause when the worker is removed.
	ErrRemoved = errors.New("chanx: worker is being removed")
	// ErrRestarting is the cause when the worker is restarted, with a sibling
	// or by [Supervisor.Restart].
	ErrRestarting = errors.New("chanx: worker is being restarted")
)

// stopCause is the cause with which the contexts of a set that stops are
// cancelled. Its text is made on demand, with no lock held.
type stopCause struct{ why error }

func (c *stopCause) Error() string {
	return ErrStopping.Error() + ": " + c.why.Error()
}

func (c *stopCause) Unwrap() []error { return []error{ErrStopping, c.why} }

// stopping returns the cause for a set that stops because of why, or, if why is
// nil, because all its workers have ended.
func stopping(why error) error {
	if why == nil {
		return ErrStopping
	}
	return &stopCause{why}
}

// StopTimeoutError names the workers that did not return in time when their
// Supervisor stopped or restarted them with a sibling, or that it had left
// behind when Run was called again. Their goroutines keep running; when they
// end, Status shows the exits.
type StopTimeoutError struct {
	// Workers are in the order they were added, followed by those below a
	// worker that was removed. A worker below a Supervisor that is itself a
	// worker is named "parent/child".
	Workers []string
	Timeout time.Duration // how long Run waited for them
	// Err is why they were to stop: ctx.Err(), the error of giving up, or the
	// error of the worker for whose restart they were stopped. It is nil if all
	// workers of the set had ended and left behind some below them.
	Err error
}

func (e *StopTimeoutError) Error() string {
	if e == nil {
		return "<nil>"
	}
	text := fmt.Sprintf("chanx: not stopped after %v: %s",
		e.Timeout, strings.Join(e.Workers, ", "))
	if e.Err == nil {
		return text
	}
	return fmt.Sprintf("%s (stopping because: %v)", text, e.Err)
}

// MarshalJSON returns an object with Error as "error" and the stack of a panic
// in Err, if any, as "stack".
func (e *StopTimeoutError) MarshalJSON() ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	return errorJSON(e.Error(), shownPanic(e.Err, nil))
}

// Unwrap returns Err.
func (e *StopTimeoutError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

func (e *StopTimeoutError) leaves() bool { return e != nil }

var errRunAgain = errors.New("chanx: supervisor is to run again")

// NewSupervisor returns a Supervisor without workers. It panics if an option
// is negative or unknown.
func NewSupervisor(opts SupervisorOptions) *Supervisor {
	opts = opts.checked()
	return &Supervisor{
		opts:   opts,
		hook:   newHook(opts.OnEvent),
		names:  make(map[string]*member),
		recent: window{max: opts.MaxRestarts, within: opts.Within},
	}
}

// Add adds a worker, before or during Run; during Run it is started at once. The
// worker and the policy are as for [Supervise].
//
// An empty or a taken name is an error, also while a worker of that name is
// being removed, and so is a Supervisor that is stopping or has stopped. A
// Supervisor below another one has not stopped while it waits to be run again:
// it starts the worker then. If Add returns nil during Run, the worker has been
// started, and Run waits for it. A nil worker and an invalid policy panic.
func (s *Supervisor) Add(name string, worker func(context.Context) error, policy RestartPolicy) error {
	s.mustBeMade()
	if worker == nil {
		panic("chanx: nil worker")
	}
	policy = policy.checked()
	if name == "" {
		return errors.New("chanx: worker without a name")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs() && (s.phase == phaseStopping || s.over) || s.phase == phaseStopped {
		return fmt.Errorf("chanx: cannot add worker %q: supervisor has stopped", name)
	}
	if s.names[name] != nil {
		return fmt.Errorf("chanx: there is a worker %q already", name)
	}
	m := &member{
		set:       s,
		name:      name,
		number:    s.added,
		worker:    worker,
		restarter: newRestarter(policy),
		hook:      newHook(policy.OnEvent),
		since:     time.Now(),
	}
	s.added++
	s.members = append(s.members, m)
	s.names[name] = m
	s.alive++
	s.hook.resize(hookRoom)
	if s.phase == phaseRunning {
		s.spawn(s.first(m))
	}
	return nil
}

// Remove stops the worker of that name, waits for it, and forgets it. If ctx is
// done first, Remove returns ctx.Err(), and the worker is forgotten, and its name
// free, when it stops. A ctx done before the call changes nothing. A worker that
// is backing off, has ended, or was never started is forgotten at once. An
// unknown name is an error. If the worker is a Supervisor that has left workers
// behind, it is removed, and Remove returns a [*StopTimeoutError] with their
// names. Like Supervise, Remove waits up to a second for the worker's OnEvent to
// take the queued events.
//
// A worker that removes itself waits until its ctx is done, which the removal
// cancels. A nil ctx panics.
func (s *Supervisor) Remove(ctx context.Context, name string) error {
	if ctx == nil {
		panic("chanx: nil context")
	}
	if err := errIfDone(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	m := s.names[name]
	if m == nil {
		s.mu.Unlock()
		return fmt.Errorf("chanx: there is no worker %q", name)
	}
	m.removes++
	s.remove(m)
	s.mu.Unlock()
	select {
	case <-m.gone:
	case <-ctx.Done():
	}
	if !s.isGone(m) {
		return errIfDone(ctx)
	}
	m.hook.end(ctx.Done())
	if m.late != nil {
		return m.late
	}
	return nil
}

// isGone reports whether m was removed. If not, one call of Remove no longer
// waits for it.
func (s *Supervisor) isGone(m *member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-m.gone:
		return true
	default:
		m.removes--
		return false
	}
}

// closedBefore waits for done or for ctx, and reports whether done is closed.
func closedBefore(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
	case <-ctx.Done():
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Run starts the workers in the order they were added, without waiting between
// them, and supervises them until ctx is done, every worker has ended for good,
// or the set gives up. It returns
//
//   - ctx.Err() after a clean stop, or if ctx was done before the start.
//   - nil once every worker has ended for good. Without any worker it waits
//     for one.
//   - a [*RestartLimitError], whose Last names the worker, when the limit of
//     the set or of one of its workers was exceeded. The other workers are
//     stopped first. As in OTP, the next level decides what to do then; a
//     worker that the others can do without belongs under RestartNever, or has
//     no MaxRestarts.
//   - a [*StopTimeoutError] that wraps one of these and names the workers that
//     have not returned within StopTimeout; or one, without starting anything,
//     if a worker that the last Run named in this way has still not returned. A
//     goroutine that was leaked under ReplaceStalled does not prevent a Run.
//   - an error if it is already running.
//
// A panic of a worker with CrashOnPanic makes Run panic with the [*PanicError]
// after the hooks have seen it: the other workers are cancelled and not waited
// for, even if they were being stopped already.
//
// Workers are stopped in reverse order: the context of the last added worker is
// cancelled, and that of the one before it when the last has returned or has
// used its equal share of the remaining StopTimeout. A worker's context has the
// values of ctx, but not its deadline, and is cancelled only when it is that
// worker's turn, with [ErrStopping] as the cause. A worker that is to stop is
// not replaced as stalled. Run may be called again after it has returned, as a
// parent supervisor does: it starts all workers again and keeps their exits.
//
// As a worker with a Heartbeat, Run itself calls Beat, while it supervises and
// while it waits for workers to stop and for hooks.
func (s *Supervisor) Run(ctx context.Context) error {
	s.mustBeMade()
	if ctx == nil {
		panic("chanx: nil context")
	}
	if err := errIfDone(ctx); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.leave()
	a := attention{ctx: ctx}
	if p := pulseOf(ctx); p != nil && p.limit > 0 {
		t := time.NewTicker(max(p.limit/2, 1))
		defer t.Stop()
		a.beats = t.C
	}
	defer adopt(ctx, s)()
	for done := error(nil); ; {
		s.regroup(a)
		if e := s.beginStop(done); e != nil {
			return s.finish(a, e)
		}
		select {
		case <-ctx.Done():
			done = errIfDone(ctx)
		case <-s.wake:
		case <-a.beats:
			Beat(ctx)
		}
	}
}

// mustBeMade panics for a Supervisor that was not made by NewSupervisor: it has
// no options, so its workers would have no time to stop.
func (s *Supervisor) mustBeMade() {
	if s.names == nil {
		panic("chanx: Supervisor not made by NewSupervisor")
	}
}

// attention makes Run's goroutine call Beat while it waits.
type attention struct {
	ctx   context.Context
	beats <-chan time.Time // when to beat; nil: never
}

// wait waits until one of the channels is readable, and reports whether that was
// one of the last two. A nil channel is never readable.
func (a attention) wait(done <-chan struct{}, late <-chan time.Time, stop1, stop2 <-chan struct{}) bool {
	for {
		select {
		case <-stop1:
			return true
		case <-stop2:
			return true
		case <-done:
			return false
		case <-late:
			return false
		case <-a.beats:
			Beat(a.ctx)
		}
	}
}

// given returns how long the supervisor above ctx still waits for this worker,
// if it is stopping it.
func given(ctx context.Context) (left time.Duration, limited bool) {
	r, _ := ctx.Value(runKey{}).(*workerRun)
	if r == nil || r.stopBy.Load() == 0 {
		return 0, false
	}
	by := r.born.Add(time.Duration(r.stopBy.Load()))
	return max(time.Until(by), 0), true
}

// stopMargin is how long before the supervisor above it a set stops waiting. A
// quarter of the remaining time alone would leave no time to the tenth level.
const stopMargin = 100 * time.Millisecond

// patience returns how long to wait for workers now. It is shorter than that of
// the supervisor above, which could otherwise name only this set, and not the
// worker in it that hangs.
func (s *Supervisor) patience(ctx context.Context) time.Duration {
	if left, limited := given(ctx); limited {
		return min(s.opts.StopTimeout, left-min(left/4, stopMargin))
	}
	return s.opts.StopTimeout
}

func (s *Supervisor) begin(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy { // also while hooks are waited for
		return errors.New("chanx: supervisor is running already")
	}
	if late := s.liveNames(); len(late) > 0 {
		return &StopTimeoutError{late, s.opts.StopTimeout, errRunAgain}
	}
	s.phase, s.busy = phaseRunning, true
	s.wake = make(chan struct{}, 1)
	s.halt, s.crashed = make(chan struct{}), make(chan struct{})
	s.base = context.WithoutCancel(ctx)
	s.running = new(errgroup.Group)
	s.alive = len(s.members)
	s.over, s.err, s.crash, s.groups, s.late = false, nil, nil, nil, nil
	s.restarts, s.recent.times = 0, nil
	s.hook.reopen()
	for _, m := range s.members {
		m.over, m.attempts = false, 0
		m.restarter = newRestarter(m.restarter.policy)
		m.hook.reopen()
		s.spawn(s.first(m))
	}
	return nil
}

// leave records that Run has returned. If a method of its ctx has ended it, by a
// panic or runtime.Goexit, the workers are cancelled and not waited for.
func (s *Supervisor) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	if s.runs() {
		s.phase = phaseStopped
		for _, r := range s.lastRuns() {
			r.cancel(ErrStopping)
		}
	}
}

// ending is the result of a set that stops, and the runs to stop.
type ending struct {
	err   error
	cause error // for the contexts of its workers
	live  []*workerRun
}

// beginStop decides whether the set is to stop, and if so ends all starts, in one
// step with Add. ctxErr is the error of Run's ctx, taken without the lock.
func (s *Supervisor) beginStop(ctxErr error) *ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &ending{err: ctxErr}
	switch {
	case s.over:
		e.err, e.cause = s.err, stopping(s.err)
	case s.alive == 0 && len(s.members) > 0:
		e.err, e.cause = nil, ErrStopping
	case ctxErr == nil:
		return nil
	}
	s.phase = phaseStopping
	e.live = s.lastRuns()
	return e
}

// lastRuns ends all starts, and returns the live runs. The phase is past
// phaseRunning.
func (s *Supervisor) lastRuns() (live []*workerRun) {
	now := time.Now()
	for _, m := range s.members {
		m.unclaim()
		if m.live() {
			live = append(live, m.run.awaited())
			continue
		}
		m.settle()
		if !m.over {
			m.enter(StateStopped, now)
		}
	}
	return live
}

// finish stops all workers and hooks, and returns the result of Run.
func (s *Supervisor) finish(a attention, e *ending) error {
	if e.cause == nil {
		e.cause = stopping(context.Cause(a.ctx))
	}
	timeout := s.patience(a.ctx)
	s.stopInTurn(a, e.live, timeout, e.cause, s.crashed, nil)
	late, join := s.endStop(runsAgain(a.ctx))
	if s.hasCrashed() {
		for _, r := range e.live {
			r.cancel(e.cause)
		}
	} else if join {
		_ = s.running.Wait() // the goroutines return nil
	}
	s.endHooks(a)
	if s.hasCrashed() {
		s.crash.raise()
	}
	if len(late) == 0 {
		return e.err
	}
	if stop, ok := e.err.(*StopTimeoutError); ok { // from a restart of the group
		e.err = stop.Err
	}
	return &StopTimeoutError{Workers: late, Timeout: timeout, Err: e.err}
}

// runsAgain reports whether a Run with ctx is to be followed by another: the
// supervisor above it has not stopped it, or only restarts it.
func runsAgain(ctx context.Context) bool {
	if pulseOf(ctx) == nil {
		return false
	}
	why := context.Cause(ctx)
	for c, ok := why.(*stopCause); ok; c, ok = why.(*stopCause) {
		why = c.why
	}
	return why == nil || why == ErrRestarting
}

// endStop records the end of the wait for workers. A set that is to run again is
// idle until then. endStop returns the workers that are late, and whether every
// goroutine of a worker has ended.
func (s *Supervisor) endStop(again bool) (late []string, join bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = phaseStopped
	if again {
		s.phase = phaseIdle
	}
	late = s.liveNames()
	join = len(late) == 0 && s.leaked == 0
	for _, m := range s.members {
		if m.late != nil {
			late = append(late, m.late.Workers...)
		}
	}
	return append(late, s.late...), join
}

// hasCrashed reports whether Run is to panic. A panic after its last call has no
// effect.
func (s *Supervisor) hasCrashed() bool {
	select {
	case <-s.crashed:
		return true
	default:
		return false
	}
}

// endHooks waits until the hooks have taken every event, or until their time is
// over, and abandons the others.
func (s *Supervisor) endHooks(a attention) {
	s.mu.Lock()
	hooks := append(s.hooks, s.hook)
	s.hooks = nil
	for _, m := range s.members {
		hooks = append(hooks, m.hook)
	}
	s.mu.Unlock()
	grace := hookGrace
	if left, limited := given(a.ctx); limited {
		grace = min(grace, left/2)
	}
	end := time.Now().Add(grace)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for _, h := range hooks {
		if idle := h.busy(); idle != nil && time.Until(end) > 0 {
			a.wait(idle, timer.C, nil, nil)
		}
		h.abandon()
	}
}

// stopInTurn cancels runs, the last one first, and waits for them as documented
// at Run. It returns early when one of the last two channels is closed.
func (s *Supervisor) stopInTurn(a attention, runs []*workerRun, timeout time.Duration, cause error, stop1, stop2 <-chan struct{}) {
	deadline := time.Now().Add(timeout)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for left := len(runs); left > 0; left-- {
		r := runs[left-1]
		r.stopBy.Store(max(int64(deadline.Sub(r.born)), 1))
		r.cancel(cause)
		timer.Reset(time.Until(deadline) / time.Duration(left))
		if a.wait(r.done, timer.C, stop1, stop2) {
			return
		}
	}
	timer.Reset(time.Until(deadline))
	for _, r := range runs {
		if a.wait(r.done, timer.C, stop1, stop2) || time.Until(deadline) <= 0 {
			return
		}
	}
}

// The functions below are called with mu held, unless stated otherwise.

func (s *Supervisor) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end makes Run stop the set and return err.
func (s *Supervisor) end(err error) {
	if !s.over {
		s.over, s.err = true, err
		close(s.halt)
	}
	s.nudge()
}

// first begins the first run of m in a Run.
func (s *Supervisor) first(m *member) *workerRun {
	r := s.start(m)
	s.tell(m, EventStart, r.born, &Exit{Started: r.born})
	return r
}

// start begins a run of m. The caller provides its goroutine.
func (s *Supervisor) start(m *member) *workerRun {
	now := time.Now()
	r := &workerRun{m: m, pulse: pulse{Context: s.base, born: now}}
	r.attempt.Store(m.attempts)
	m.attempts++
	if limit := m.restarter.policy.Heartbeat; limit > 0 {
		r.watched(limit, func(stalled, _ bool) { s.stallChanged(r, stalled) })
	}
	r.ctx, r.cancel = context.WithCancelCause(r)
	m.unclaim()
	m.run, m.late = r, nil
	m.settle()
	m.enter(StateRunning, now)
	return r
}

func (s *Supervisor) spawn(r *workerRun) {
	s.running.Go(func() error {
		s.work(r)
		return nil
	})
}

// work is the goroutine of r, and of the runs that follow it without a wait: a
// new goroutine and the growth of its stack cost as much as the rest of a
// restart. It is called without mu.
func (s *Supervisor) work(r *workerRun) {
	var res result
	inWorker := false
	defer func() {
		if !inWorker {
			return
		}
		if next := s.ended(r, &res); next != nil { // runtime.Goexit
			s.spawn(next)
		}
	}()
	for r != nil {
		r.start()
		inWorker = true
		protect(r.ctx, r.m.worker, &res)
		inWorker = false
		r = s.ended(r, &res)
	}
}

// ended handles the end of r, and returns the run that its goroutine continues
// with, if any. It is called without mu.
func (s *Supervisor) ended(r *workerRun, res *result) (next *workerRun) {
	r.cancel(nil)
	r.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.leaked {
		s.endedLate(r, res)
		return nil
	}
	return s.exited(r, res)
}

// endedLate records the end of the goroutine of r, which was leaked.
func (s *Supervisor) endedLate(r *workerRun, res *result) {
	m, now := r.m, time.Now()
	s.leaked--
	m.leaked--
	late := res.late()
	exit := r.exit(&late, now)
	if m.restarter.crashes(res) && s.runs() {
		s.crashWith(res.crash())
	}
	m.keep(exit, s.opts.KeepExits)
	s.tell(m, EventExit, now, &exit)
}

// stallChanged is the pulse's report. It is called without mu.
func (s *Supervisor) stallChanged(r *workerRun, stalled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, now := r.m, time.Now()
	e := r.exit(&result{}, now)
	if !stalled {
		m.enter(StateRunning, now)
		s.tell(m, EventRecover, now, &e)
		return
	}
	e.Err = ErrStalled
	m.enter(StateStalled, now)
	s.tell(m, EventStall, now, &e)
	if !s.mayStart(m) || m.plan != nil || !m.restarter.policy.mayReplace(m.leaked) {
		return
	}
	r.leaked, r.running = true, false
	s.leaked++
	m.leaked++
	r.cancel(ErrStalled)
	if next := s.exited(r, &result{err: ErrStalled, kind: exitStall}); next != nil {
		s.spawn(next)
	}
}

// mayStart reports whether m is still to run. If not, it has its time to stop,
// however silent it is.
func (s *Supervisor) mayStart(m *member) bool {
	return s.phase == phaseRunning && !s.over && m.gone == nil
}

// exited records the end of a run and carries out the decision that follows. It
// returns the run that is to start at once, if any.
func (s *Supervisor) exited(r *workerRun, res *result) (next *workerRun) {
	m, now := r.m, time.Now()
	r.ended = true
	if r.done != nil {
		close(r.done)
	}
	exit := r.exit(res, now)
	var d decision
	spent := s.decide(&d, r, res, exit.Ran, now)
	m.restarter.note(&d, now)
	if d.counted {
		s.restarts = spent + 1
		s.recent.add(now)
	}
	exit.Restarts, exit.Backoff, exit.Final = d.restarts, d.wait, !d.restart
	if d.crash {
		s.crashWith(res.crash())
	}
	m.keep(exit, s.opts.KeepExits)
	m.ended.add(res.kind)
	m.late = m.leftBehind(res)
	s.tell(m, EventExit, now, &exit)
	next = s.follow(m, &d, res, &exit, now)
	if m.gone != nil {
		s.drop(m)
	}
	return next
}

// follow carries out the decision about m, and returns the run that is to start
// at once, if any.
func (s *Supervisor) follow(m *member, d *decision, res *result, exit *Exit, now time.Time) *workerRun {
	switch {
	case d.passed != nil:
		s.tell(m, EventGiveUp, now, exit)
		d.err = d.passed.err(named(m.name, res.err, res.shown), nil)
		s.end(d.err)
	case d.restart:
		m.enter(StateBackingOff, now)
		switch {
		case m.plan == nil:
			return s.restart(m, d.wait, exit)
		case m.plan.asked:
			return s.again(m, exit)
		}
		return nil // its group starts it
	}
	s.retire(m, d.err, now)
	return nil
}

// decide stores in d what follows r, which has ended with res, and returns the
// number of restarts that the set has used before. It changes nothing else.
func (s *Supervisor) decide(d *decision, r *workerRun, res *result, ran time.Duration, now time.Time) (spent int) {
	m := r.m
	d.restarts = m.restarter.counts(ran, res.kind == exitStall)
	switch {
	case m.restarter.crashes(res) && s.runs():
		d.crash, d.err = true, res.err
	case !s.mayStart(m):
	case m.plan != nil:
		m.regrouped(r, res, d)
	default:
		m.restarter.decide(d, res, ran, now)
		if !d.counted {
			break
		}
		if spent = s.spent(m, d.restarts, now); s.exhausted(spent, now) {
			*d = decision{restarts: d.restarts, passed: &s.recent}
		}
	}
	return spent
}

// runs reports whether a Run has not yet determined its result.
func (s *Supervisor) runs() bool {
	return s.phase == phaseRunning || s.phase == phaseStopping
}

func (s *Supervisor) exhausted(spent int, now time.Time) bool {
	if s.opts.Within > 0 {
		return s.recent.full(now)
	}
	return s.opts.MaxRestarts > 0 && spent >= s.opts.MaxRestarts
}

// spent returns the number of restarts of the set that count before one of m,
// which has had own. The members are counted only when the bound in s.restarts
// has reached the limit.
func (s *Supervisor) spent(m *member, own int, now time.Time) (n int) {
	if s.opts.MaxRestarts == 0 || s.opts.Within > 0 || s.restarts < s.opts.MaxRestarts {
		return s.restarts
	}
	for _, o := range s.members {
		switch {
		case o == m:
			n += own
		case o.over:
		case o.live():
			n += o.restarter.counts(now.Sub(o.run.born), o.state == StateStalled)
		default:
			n += o.restarter.restarts
		}
	}
	return n
}

// crashWith makes Run, which has not returned, panic with p.
func (s *Supervisor) crashWith(p *PanicError) {
	if s.crash == nil {
		s.crash = p
		close(s.crashed)
		s.end(p)
	}
}

// retire records that m has ended for good, with err if it has failed.
func (s *Supervisor) retire(m *member, err error, now time.Time) {
	m.unclaim()
	m.settle()
	m.enter(StateStopped, now)
	if err != nil {
		m.enter(StateFailed, now)
	}
	if s.phase != phaseRunning {
		return // the set ends, not the worker
	}
	if !m.over {
		m.over = true
		s.alive--
	}
	s.nudge()
}

func (s *Supervisor) remove(m *member) {
	if m.gone != nil {
		return
	}
	m.gone = make(chan struct{})
	m.unclaim()
	if m.live() {
		m.run.cancel(ErrRemoved)
		return
	}
	if !s.runs() {
		m.late = nil // Run has reported it
	}
	s.drop(m)
}

// drop forgets m.
func (s *Supervisor) drop(m *member) {
	if !m.over {
		s.alive--
	}
	if i := s.index(m); i > 0 {
		s.members = slices.Delete(s.members, i, i+1)
	} else { // moving the others would make removing all quadratic
		s.members[0], s.members = nil, s.members[1:]
	}
	delete(s.names, m.name)
	if m.late != nil && (s.phase == phaseStopping || m.removes == 0) {
		s.late = append(s.late, m.late.Workers...)
	}
	s.hook.resize(-hookRoom)
	s.keepHook(m.hook)
	m.settle()
	close(m.gone)
	s.nudge()
}

// keepHook keeps the hook of a removed member while it is busy, so that Run waits
// for it.
func (s *Supervisor) keepHook(h *hook) {
	h.close()
	if h.busy() == nil || !s.busy {
		return
	}
	if len(s.hooks) == cap(s.hooks) {
		s.hooks = slices.DeleteFunc(s.hooks, func(h *hook) bool {
			return h.busy() == nil
		})
	}
	s.hooks = append(s.hooks, h)
}

// index returns the index of m by binary search: removing one of 100,000 members
// must not visit all.
func (s *Supervisor) index(m *member) int {
	i, _ := slices.BinarySearchFunc(s.members, m, func(a, b *member) int {
		return cmp.Compare(a.number, b.number)
	})
	return i
}

func (s *Supervisor) liveNames() (names []string) {
	for _, m := range s.members {
		if m.live() {
			names = append(names, m.name)
		}
	}
	return names
}

func (s *Supervisor) tell(m *member, kind EventKind, at time.Time, exit *Exit) {
	m.hook.send(kind, m.name, at, exit)
	s.hook.send(kind, m.name, at, exit)
}

// live reports whether m has a run that has neither ended nor been leaked.
func (m *member) live() bool { return m.run != nil && !m.run.ended }

// awaited returns r with a channel that is closed when it has ended.
func (r *workerRun) awaited() *workerRun {
	if r.done == nil {
		r.done = make(chan struct{})
	}
	return r
}

func (r *workerRun) exit(res *result, now time.Time) Exit {
	return Exit{
		Err: res.err, Started: r.born, Ran: now.Sub(r.born), shown: res.shown,
	}
}

func (m *member) enter(s WorkerState, at time.Time) { m.state, m.since = s, at }

func (m *member) keep(e Exit, most int) {
	if len(m.exits) == most {
		m.exits = slices.Delete(m.exits, 0, 1)
	}
	m.exits = append(m.exits, e)
}

// leftBehind returns the part of the error with which m ended that names
// workers below m, or nil.
func (m *member) leftBehind(res *result) *StopTimeoutError {
	if res.shown == nil {
		return nil
	}
	e, ok := res.shown.left.(*StopTimeoutError)
	if !ok {
		return nil
	}
	late := &StopTimeoutError{Timeout: e.Timeout, Err: ErrRemoved}
	for _, name := range e.Workers {
		late.Workers = append(late.Workers, m.name+"/"+name)
	}
	return late
}

// named returns err with the name of its worker as a prefix.
func named(name string, err error, shown *rendering) error {
	if err == nil {
		return fmt.Errorf("worker %q returned nil", name)
	}
	text := fmt.Sprintf("worker %q: %s", name, shownText(err, shown))
	return &labeled{text, err, shownPanic(err, shown)}
}

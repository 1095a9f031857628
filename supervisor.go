package chanx

// To copy this file: take strategy.go status.go health.go supervise.go
// policy.go exit.go event.go beat.go along. It needs golang.org/x/sync.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// SupervisorOptions are the options of [NewSupervisor]. The zero value is the
// useful default.
type SupervisorOptions struct {
	// Strategy says who is restarted together. Zero: OneForOne.
	Strategy Strategy

	// MaxRestarts and Within limit the restarts of the whole set, as those
	// of [RestartPolicy] do for one worker: the exit that would need one
	// more gives up. Siblings restarted along do not count. Zero
	// MaxRestarts: never give up. Zero Within: the restarts of each worker
	// since its last healthy run, added up.
	// Negative: panics. As with one worker, a Within that is short of what
	// backoff lets through is a limit never reached; this one is not
	// checked, since every worker has a policy of its own.
	MaxRestarts int
	Within      time.Duration

	// StopTimeout is how long Run waits for workers to return after ctx is
	// done or the set has given up, and how long a restart waits for
	// siblings. Zero: 10 s. Negative: panics.
	StopTimeout time.Duration

	// KeepExits is how many last exits are kept for each worker, with error
	// and stack. Zero: 8. Negative: panics.
	KeepExits int
}

// Validate returns nil if NewSupervisor accepts o, and otherwise an error with
// the text that it panics with. It is for options that are read from a file.
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
// [NewSupervisor]; the zero value panics when it is added to or run. All
// methods may be called by any number of goroutines.
//
// Its Run has the form of a worker, so that supervisors form trees:
//
//	parent.Add("consumers", consumers.Run, chanx.RestartPolicy{})
//
// A Supervisor starts the goroutines of its workers and hooks, and nothing
// else; they end with Run, except those it names in a [*StopTimeoutError],
// those it has left behind under ReplaceStalled or by a crash, and a hook
// that blocks for longer than a second.
//
// All that happens is noted under one lock, by the goroutine that it happens
// to, and OneForOne restarts are started there and then. Only what must wait
// for workers, the stops of a group and of the set, is left to Run's own
// goroutine, which holds no lock while it waits.
type Supervisor struct {
	opts SupervisorOptions
	// wake tells Run to look at the fields below. It is made by Run, so that
	// it belongs to the synctest bubble that Run is in, if any.
	wake chan struct{}
	// halt and crashed are made with it, and closed when there is nothing
	// left to wait for: the set has given up, or is to crash.
	halt, crashed chan struct{}

	mu       sync.Mutex
	phase    phase
	members  []*member // in the order of Add
	added    uint64
	names    map[string]*member
	alive    int // members that have not ended for good
	base     context.Context
	running  *errgroup.Group
	heir     *member // whose next start is for the goroutine that holds mu
	strays   int     // goroutines left behind under ReplaceStalled
	recent   window
	restarts int // no less than the sum over the members
	regroups []*regroup
	busy     bool     // Run has not returned
	over     bool     // the set has given up, with err or crash
	late     []string // left behind by members removed while the set stops
	err      error
	crash    *PanicError
}

type phase int

const (
	idle phase = iota
	running
	stopping
	stopped
)

// member is a worker of a Supervisor, all of it guarded by the Supervisor's mu.
type member struct {
	name      string
	number    uint64 // rises with every Add
	worker    func(context.Context) error
	restarter restarter
	hook      *hook

	state    WorkerState
	since    time.Time
	restarts int
	exits    []Exit

	run *run // the last one, whether it lives or not
	// What starts it next: group, until that has stopped and makes a plan;
	// plan, until its time has come. Only the last to claim a member starts
	// it, and while either is set, nothing else does: so a group that fails
	// again, or within a larger one, cannot run a member twice.
	group *regroup
	plan  *plan
	// late is what a Supervisor has left behind when it was stopped as this
	// worker, with names as its own Supervisor tells them.
	late   *StopTimeoutError
	leaked int // its goroutines among the strays

	over bool          // it has ended for good
	gone chan struct{} // not nil: being removed; closed: removed
}

// run is one run of a member.
type run struct {
	m      *member
	pulse  pulse // born when the run starts
	ctx    context.Context
	cancel context.CancelCauseFunc

	// Guarded by the Supervisor's mu:
	ended     bool // or was abandoned
	abandoned bool
	done      chan struct{} // closed when it has ended; nil: nobody waits for it
}

var (
	errStopping = errors.New("chanx: supervisor is stopping")
	errRemoved  = errors.New("chanx: worker is being removed")
)

// StopTimeoutError names the workers that did not return in time when their
// Supervisor stopped, or restarted them with a sibling. Their goroutines run
// on; when they end, Status shows how.
type StopTimeoutError struct {
	// Workers are in the order they were added, those below one that was
	// removed meanwhile last. One that hangs below a Supervisor that is
	// itself a worker is named "parent/child".
	Workers []string
	Timeout time.Duration // how long they were waited for
	Err     error         // why they were to stop: ctx.Err(), or the giving-up error
}

func (e *StopTimeoutError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("chanx: not stopped after %v: %s (stopping because: %v)",
		e.Timeout, strings.Join(e.Workers, ", "), e.Err)
}

// Unwrap returns Err.
func (e *StopTimeoutError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// NewSupervisor returns a Supervisor without workers. It panics if an option
// is negative or unknown.
func NewSupervisor(opts SupervisorOptions) *Supervisor {
	opts = opts.checked()
	return &Supervisor{
		opts:   opts,
		names:  make(map[string]*member),
		recent: window{max: opts.MaxRestarts, within: opts.Within},
	}
}

// Add adds a worker, before or during Run; during Run it is started at once.
// The worker is one as for [Supervise].
//
// An empty or a taken name is an error, also while a worker of that name is
// still being removed, and so is a Supervisor that is stopping or has stopped.
// A nil worker, and a policy that contradicts itself, panic.
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
	if s.phase == stopping || s.phase == stopped {
		return fmt.Errorf("chanx: cannot add worker %q: supervisor has stopped", name)
	}
	if s.names[name] != nil {
		return fmt.Errorf("chanx: there is a worker %q already", name)
	}
	m := &member{
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
	if s.phase == running {
		s.start(m)
	}
	return nil
}

// Remove stops the worker of that name, waits for it, and forgets it. If ctx
// is done first it returns ctx.Err(), and the worker is forgotten, and its
// name free, when it does stop. A ctx done before the call changes nothing. A
// worker that is backing off, or has ended, or was never started, is forgotten
// at once. An unknown name is an error. If the worker is a Supervisor that has
// left workers of its own behind, it is removed, and a [*StopTimeoutError] names
// them. As Supervise does, Remove waits up to a second for OnEvent to take what
// is queued.
//
// A worker that removes itself waits for itself: until its ctx, which the
// removal cancels, is done. A nil ctx panics.
func (s *Supervisor) Remove(ctx context.Context, name string) error {
	if ctx == nil {
		panic("chanx: nil context")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	m := s.names[name]
	if m == nil {
		s.mu.Unlock()
		return fmt.Errorf("chanx: there is no worker %q", name)
	}
	s.remove(m)
	s.mu.Unlock()
	select {
	case <-m.gone:
	case <-ctx.Done():
		select {
		case <-m.gone:
		default:
			return ctx.Err()
		}
	}
	grace, cancel := context.WithTimeout(ctx, hookGrace)
	defer cancel()
	m.hook.end(grace.Done())
	if m.late != nil {
		return m.late
	}
	return nil
}

// Run starts the workers in the order they were added, without waiting for one
// before it starts the next, and supervises them until ctx is done, every
// worker has ended for good, or the set gives up. It returns
//
//   - ctx.Err() after a clean stop, or if ctx was done before the start.
//   - nil once every worker has ended for good. Without any worker it waits
//     for one.
//   - a [*RestartLimitError], whose Last names the worker, when the limit of
//     the set or of one of its workers was passed. The other workers are
//     stopped first. As in OTP, what one worker's policy gives up on is for
//     the next level to decide; a worker the others can do without belongs
//     under RestartNever, or has no MaxRestarts.
//   - a [*StopTimeoutError] that wraps one of these, naming the workers that
//     have not returned within StopTimeout.
//   - an error if it is running already, or if a worker of the last Run still
//     is.
//
// A panic of a worker with CrashOnPanic makes Run panic with the
// [*PanicError], as soon as the hooks were told: the other workers are
// cancelled and not waited for, even if they were being stopped already.
//
// Stopping goes in the reverse order: the last added worker's context is
// cancelled, and the one before it when that has returned, or has used up its
// even share of what is left of StopTimeout. A worker's context has the values
// of ctx, but not its deadline, and is cancelled only when it is that worker's
// turn; its cause tells why. While the set stops, nobody is replaced as
// stalled. Run may be called again after it has returned, as a parent
// supervisor does: it starts all workers anew, with their exits kept.
//
// If it is run as a worker with a Heartbeat, Run itself beats, from the loop
// that supervises and that waits for workers to stop.
func (s *Supervisor) Run(ctx context.Context) error {
	s.mustBeMade()
	if ctx == nil {
		panic("chanx: nil context")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.leave()
	a := attention{ctx: ctx}
	if p := pulseOf(ctx); p != nil {
		p.child.Store(s)
		if p.limit > 0 {
			t := time.NewTicker(max(p.limit/2, 1))
			defer t.Stop()
			a.beats = t.C
		}
	}
	for {
		s.regroup(a)
		if over, err := s.outcome(); over {
			return s.finish(a, err)
		}
		select {
		case <-ctx.Done():
			return s.finish(a, ctx.Err())
		case <-s.wake:
		case <-a.beats:
			Beat(ctx)
		}
	}
}

// mustBeMade stands before a Run without options, whose workers would have no
// time to stop.
func (s *Supervisor) mustBeMade() {
	if s.names == nil {
		panic("chanx: Supervisor not made by NewSupervisor")
	}
}

// attention is what Run's goroutine owes its own supervisor while it waits.
type attention struct {
	ctx   context.Context
	beats <-chan time.Time // when to beat; nil: never
}

// wait returns when one of the channels can be received from, and reports
// whether that was one of the interrupts. A nil channel never can.
func (a attention) wait(done <-chan struct{}, late <-chan time.Time, interrupts [2]<-chan struct{}) bool {
	for {
		select {
		case <-interrupts[0]:
			return true
		case <-interrupts[1]:
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

func (s *Supervisor) begin(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy { // also while hooks are waited for
		return errors.New("chanx: supervisor is running already")
	}
	for _, m := range s.members {
		if m.live() {
			return fmt.Errorf("chanx: worker %q has not returned since it was stopped", m.name)
		}
	}
	s.phase, s.busy = running, true
	s.wake = make(chan struct{}, 1)
	s.halt, s.crashed = make(chan struct{}), make(chan struct{})
	s.base = context.WithoutCancel(ctx)
	s.running = new(errgroup.Group)
	s.alive = len(s.members)
	s.over, s.err, s.crash, s.regroups, s.late = false, nil, nil, nil, nil
	s.restarts, s.recent.times = 0, nil
	for _, m := range s.members {
		m.over = false
		m.restarter = newRestarter(m.restarter.policy)
		m.hook.reopen()
		s.start(m)
	}
	return nil
}

func (s *Supervisor) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
}

// outcome reports whether the set is over, and with what.
func (s *Supervisor) outcome() (over bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return true, s.err
	}
	return s.alive == 0 && len(s.members) > 0, nil
}

// finish stops everything and returns what Run returns.
func (s *Supervisor) finish(a attention, err error) error {
	live := s.beginStop()
	s.stopInTurn(a, live, errStopping, s.crashed)
	hooks, late, join, crash := s.endStop()
	if crash != nil {
		for _, r := range live {
			r.cancel(errStopping)
		}
	}
	if join {
		_ = s.running.Wait() // the goroutines return nil
	}
	grace, cancel := context.WithTimeout(context.Background(), hookGrace)
	defer cancel()
	for _, h := range hooks {
		h.end(grace.Done())
	}
	if crash != nil {
		panic(crash)
	}
	if len(late) == 0 {
		return err
	}
	if e, ok := err.(*StopTimeoutError); ok { // from a restart of the group
		err = e.Err
	}
	return &StopTimeoutError{Workers: late, Timeout: s.opts.StopTimeout, Err: err}
}

// beginStop lets nothing start any more, and returns what is to be stopped.
func (s *Supervisor) beginStop() (live []*run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = stopping
	now := time.Now()
	for _, m := range s.members {
		m.unplan()
		if m.live() {
			live = append(live, m.run.awaited())
		} else if !m.over {
			m.enter(StateStopped, now)
		}
	}
	return live
}

func (s *Supervisor) endStop() (hooks []*hook, late []string, join bool, crash *PanicError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = stopped
	for _, m := range s.members {
		hooks = append(hooks, m.hook)
		if m.live() {
			late = append(late, m.name)
		}
		if m.late != nil {
			late = append(late, m.late.Workers...)
		}
	}
	return hooks, append(late, s.late...), s.idle(), s.crash
}

// idle reports whether no goroutine is left in a worker.
func (s *Supervisor) idle() bool {
	return s.strays == 0 && !slices.ContainsFunc(s.members, (*member).live)
}

// stopInTurn cancels runs, the last one first, and waits for them as Run's doc
// says. It ends early when an interrupt is closed.
func (s *Supervisor) stopInTurn(a attention, runs []*run, cause error, interrupts ...<-chan struct{}) {
	var stop [2]<-chan struct{}
	copy(stop[:], interrupts)
	deadline := time.Now().Add(s.opts.StopTimeout)
	timer := time.NewTimer(s.opts.StopTimeout)
	defer timer.Stop()
	for left := len(runs); left > 0; left-- {
		r := runs[left-1]
		r.cancel(cause)
		timer.Reset(time.Until(deadline) / time.Duration(left))
		if a.wait(r.done, timer.C, stop) {
			return
		}
	}
	timer.Reset(time.Until(deadline))
	for _, r := range runs {
		if a.wait(r.done, timer.C, stop) || time.Until(deadline) <= 0 {
			return
		}
	}
}

// The rest is called with mu held, unless it says otherwise.

func (s *Supervisor) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end makes Run stop the set and return err, when it next looks.
func (s *Supervisor) end(err error) {
	if !s.over {
		s.over, s.err = true, err
		close(s.halt)
	}
}

// start begins a run of m.
func (s *Supervisor) start(m *member) {
	now := time.Now()
	r := &run{m: m, pulse: pulse{Context: s.base, born: now}}
	if limit := m.restarter.policy.Heartbeat; limit > 0 {
		r.pulse.watched(limit, func(stalled bool) { s.stallChanged(r, stalled) })
	}
	r.ctx, r.cancel = context.WithCancelCause(&r.pulse)
	m.run, m.group, m.plan, m.late = r, nil, nil, nil
	m.enter(StateRunning, now)
	if s.heir == m {
		s.heir = nil
		return
	}
	s.spawn(r)
}

func (s *Supervisor) spawn(r *run) {
	s.running.Go(func() error {
		s.work(r)
		return nil
	})
}

// work is the goroutine of r, and of the runs that follow it without a wait: a
// new goroutine, and the growing of its stack, cost as much as all the rest of
// a restart. It is called without mu.
func (s *Supervisor) work(r *run) {
	var f fate
	inWorker := false
	defer func() {
		if !inWorker {
			return
		}
		if next := s.ended(r, f); next != nil { // Goexit got us here
			s.spawn(next)
		}
	}()
	for r != nil {
		r.pulse.start()
		inWorker = true
		f = protect(r.ctx, r.m.worker, &f)
		inWorker = false
		r = s.ended(r, f)
	}
}

// ended deals with the end of r, and returns its successor if its goroutine is
// to go on with that. It is called without mu.
func (s *Supervisor) ended(r *run, f fate) (next *run) {
	r.cancel(nil)
	r.pulse.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.abandoned {
		s.endedLate(r, f)
		return nil
	}
	s.heir = r.m
	s.exited(r, f)
	if s.heir == nil {
		next = r.m.run
	}
	s.heir = nil
	return next
}

// endedLate notes that the goroutine of r, which was abandoned, has left the
// worker after all.
func (s *Supervisor) endedLate(r *run, f fate) {
	s.strays--
	r.m.leaked--
	now := time.Now()
	exit := r.exit(lateFate(f), now)
	r.m.keep(exit, s.opts.KeepExits)
	r.m.tell(EventExit, now, &exit)
}

// stallChanged is the pulse's report. It is called without mu.
func (s *Supervisor) stallChanged(r *run, stalled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, now := r.m, time.Now()
	e := r.exit(fate{}, now)
	if !stalled {
		m.enter(StateRunning, now)
		m.tell(EventRecover, now, &e)
		return
	}
	e.Err = ErrStalled
	m.enter(StateStalled, now)
	m.tell(EventStall, now, &e)
	if m.restarter.policy.mayReplace(m.leaked) && s.mayStart(m) {
		r.abandoned, r.pulse.running = true, false
		m.leaked++
		s.strays++
		r.cancel(ErrStalled)
		s.exited(r, fate{err: ErrStalled})
	}
}

// mayStart reports whether m is still to run. If not, it is given the time to
// stop that everybody has, however silent it is.
func (s *Supervisor) mayStart(m *member) bool {
	return s.phase == running && !s.over && m.gone == nil
}

// exited notes the end of a run and does what follows from it.
func (s *Supervisor) exited(r *run, f fate) {
	m, now := r.m, time.Now()
	r.ended = true
	if r.done != nil {
		close(r.done)
	}
	exit := r.exit(f, now)
	exit.Restarts = m.restarter.before(credit(f.err, exit.Ran))
	v := s.judge(r, f, now)
	exit.Backoff, exit.Final = v.wait, !v.restart
	m.keep(exit, s.opts.KeepExits)
	m.tell(EventExit, now, &exit)
	switch {
	case v.gaveUp:
		m.tell(EventGiveUp, now, &exit)
		s.retire(m, v.err, now)
		s.end(v.err)
	case !v.restart:
		s.retire(m, v.err, now)
	default:
		m.enter(StateBackingOff, now)
		if m.group == nil { // or its group starts it
			s.restart(m, v.wait, &exit)
		}
	}
	if s.phase == stopping || m.gone != nil {
		m.late = m.leftBehind(f)
	}
	if m.gone != nil {
		s.drop(m)
	}
}

// judge says what follows the end of r.
func (s *Supervisor) judge(r *run, f fate, now time.Time) verdict {
	m, err := r.m, f.err
	crash := f.panicked && m.restarter.policy.CrashOnPanic
	switch {
	case crash && s.phase != stopped:
		if s.crash == nil {
			s.crash = err.(*PanicError).crashing()
			close(s.crashed)
		}
		s.end(err)
		return verdict{err: err}
	case !s.mayStart(m):
		return verdict{}
	case m.group != nil:
		return m.regrouped(f, context.Cause(r.ctx) == errRegrouped)
	}
	v := m.restarter.exited(f, now)
	if v.gaveUp {
		limit := v.err.(*RestartLimitError)
		limit.Last, limit.last = m.named(err, f.shown), nil
	}
	if v.restart && s.exhausted(now) {
		return verdict{gaveUp: true, err: &RestartLimitError{
			Restarts: s.opts.MaxRestarts,
			Within:   s.opts.Within,
			Last:     m.named(err, f.shown),
		}}
	}
	return v
}

// exhausted counts a restart of the set, and reports whether it is one too
// many.
func (s *Supervisor) exhausted(now time.Time) bool {
	if s.opts.Within > 0 {
		full := s.recent.full(now)
		s.recent.add(now)
		return full
	}
	s.restarts++
	if s.opts.MaxRestarts == 0 || s.restarts <= s.opts.MaxRestarts {
		return false
	}
	s.restarts = 0 // too many, unless some workers have been healthy since
	for _, m := range s.members {
		if m.live() && m.state != StateStalled {
			m.restarter.before(now.Sub(m.run.pulse.born))
		}
		s.restarts += m.restarter.restarts
	}
	return s.restarts > s.opts.MaxRestarts
}

// retire notes that m has ended for good, with err if it has failed.
func (s *Supervisor) retire(m *member, err error, now time.Time) {
	m.group = nil
	m.enter(StateStopped, now)
	if err != nil {
		m.enter(StateFailed, now)
	}
	if s.phase != running {
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
	m.unplan()
	if m.live() {
		m.run.cancel(errRemoved)
		return
	}
	if s.phase == stopped {
		m.late = nil // Run has told
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
	} else { // moving all the others would make removing all quadratic
		s.members[0], s.members = nil, s.members[1:]
	}
	delete(s.names, m.name)
	if m.late != nil && s.phase == stopping {
		s.late = append(s.late, m.late.Workers...)
	}
	close(m.gone)
	s.nudge()
}

// index searches, so that removing a member costs no walk over 100,000.
func (s *Supervisor) index(m *member) int {
	i, _ := slices.BinarySearchFunc(s.members, m, func(a, b *member) int {
		return cmp.Compare(a.number, b.number)
	})
	return i
}

// live reports whether m has a run that has neither ended nor been abandoned.
func (m *member) live() bool { return m.run != nil && !m.run.ended }

// awaited returns r with a channel that tells when it has ended.
func (r *run) awaited() *run {
	if r.done == nil {
		r.done = make(chan struct{})
	}
	return r
}

func (r *run) exit(f fate, now time.Time) Exit {
	born := r.pulse.born
	return Exit{Err: f.err, Started: born, Ran: now.Sub(born), shown: f.shown}
}

func (m *member) enter(s WorkerState, at time.Time) { m.state, m.since = s, at }

func (m *member) keep(e Exit, most int) {
	if len(m.exits) == most {
		m.exits = slices.Delete(m.exits, 0, 1)
	}
	m.exits = append(m.exits, e)
}

func (m *member) tell(kind EventKind, at time.Time, exit *Exit) {
	m.hook.send(kind, m.name, at, exit)
}

// leftBehind returns what of the error with which m was stopped names workers
// below m, or nil. The value of a panic names nobody, and may be an error that
// panics again. What most workers return is told apart first: errors.As would
// double the stack of every one that ends.
func (m *member) leftBehind(f fate) (late *StopTimeoutError) {
	if f.panicked || f.err == nil || f.err == context.Canceled {
		return nil
	}
	defer func() { _ = recover() }() // from the As of some error
	var e *StopTimeoutError
	if !errors.As(f.err, &e) || e == nil {
		return nil
	}
	late = &StopTimeoutError{Timeout: e.Timeout, Err: errRemoved}
	for _, name := range e.Workers {
		late.Workers = append(late.Workers, m.name+"/"+name)
	}
	return late
}

// named returns err with the name of its worker in front.
func (m *member) named(err error, shown *rendering) error {
	if err == nil {
		return fmt.Errorf("worker %q returned nil", m.name)
	}
	text := fmt.Sprintf("worker %q: %s", m.name, shownText(err, shown))
	return &labeled{text, err}
}

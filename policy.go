package chanx

// To copy this file: take supervise.go exit.go event.go beat.go along.

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// RestartMode says after which exits a worker is started again.
type RestartMode int

const (
	// RestartAlways restarts after every exit, a nil return included: a
	// consumer that returns while it is still needed is the failure this
	// package exists for. Only [ErrStop] ends the worker for good.
	RestartAlways RestartMode = iota
	// RestartOnFailure restarts after an error, a panic and a
	// runtime.Goexit; a nil return completes the worker.
	RestartOnFailure
	// RestartNever runs the worker once.
	RestartNever
)

func (m RestartMode) String() string {
	names := [...]string{"always", "on failure", "never"}
	if m < 0 || int(m) >= len(names) {
		return fmt.Sprintf("RestartMode(%d)", int(m))
	}
	return names[m]
}

// What the zero fields of a RestartPolicy stand for.
const (
	defaultMinBackoff = 100 * time.Millisecond
	defaultMaxBackoff = 30 * time.Second
	defaultResetAfter = time.Minute
)

// RestartPolicy says how [Supervise] and a [Supervisor] restart a worker. The
// zero value is the useful default: always restart, wait a little longer each
// time, never give up. A policy that contradicts itself panics when it is
// handed over, before anything starts.
//
// # Backoff and giving up cancel each other
//
// A limit of restarts in a window is reached only if they come close enough
// together, and backoff is there to keep them apart: at 60 s spacing, 60
// restarts in 10 minutes cannot happen, and the worker fails for ever without
// anybody being told. The answer here is the zero Within. It counts the
// restarts since the last healthy run, however far apart, so no backoff can
// outlast it. Where a Within is set, MaxRestarts waits of MinBackoff must fit
// into it, or the policy panics; as the waits grow towards MaxBackoff, a limit
// well below Within / MaxBackoff is one that is sure to be reached.
type RestartPolicy struct {
	// Restart says after which exits to restart. Zero: RestartAlways.
	Restart RestartMode

	// MinBackoff and MaxBackoff bound the wait before a restart. The first
	// one after a healthy run waits MinBackoff; the n-th waits a random time
	// between MinBackoff and MinBackoff*2^(n-1), at most MaxBackoff: the
	// exponential backoff with full jitter of the AWS Architecture Blog
	// (2015), with a floor.
	// Zero: 100 ms and 30 s, or what the other one allows.
	// MinBackoff < 0: no waiting; a worker that fails at once is then
	// restarted some million times a second.
	// MinBackoff > MaxBackoff, both set: panics. MaxBackoff < 0: panics.
	MinBackoff, MaxBackoff time.Duration

	// ResetAfter is how long a run must last to count as healthy. The exit
	// of a healthy run begins with a restart count of zero, and so with
	// MinBackoff. A run that is replaced as stalled never was healthy.
	// Zero: 1 minute. Negative: panics.
	ResetAfter time.Duration

	// MaxRestarts is how many restarts there may be in Within; the exit that
	// would need one more gives up. So a worker that always fails runs
	// 1 + MaxRestarts times. Zero: never give up. Negative: panics.
	MaxRestarts int

	// Within is the window of MaxRestarts. A restart is dated at the exit it
	// follows, and has left the window when exactly Within has passed.
	// Zero: all restarts since the last healthy run count.
	// Negative, or too short for MaxRestarts waits of MinBackoff: panics.
	Within time.Duration

	// Heartbeat is how long a running worker may be silent, from its start
	// or its last [Beat]; if it is silent for longer it is reported as
	// stalled. Zero: not watched. Negative: panics.
	Heartbeat time.Duration

	// ReplaceStalled starts a successor beside a stalled worker. Go cannot
	// kill a goroutine: the old one has its context cancelled, with
	// [ErrStalled] as the cause, and is leaked until it ends by itself,
	// which is then still reported. A replacement is a restart: it waits,
	// and counts towards MaxRestarts, which bounds the leak.
	// Without Heartbeat, or with RestartNever: panics.
	ReplaceStalled bool

	// CrashOnPanic lets a panic of the worker crash instead of restarting:
	// Supervise, or the Run of the Supervisor, panics with the [*PanicError]
	// on its caller's goroutine. One that the worker returns, because a
	// supervisor of its own has given it up, is a failure like any other.
	CrashOnPanic bool

	// OnEvent observes exits, restarts, stalls, recoveries and giving up. It
	// is called on a goroutine of its own, one event at a time, in order,
	// with no lock held. If it blocks, up to 64 events wait for it and what
	// comes then is dropped and counted in Event.Missed and
	// WorkerStatus.Missed, as is an event in which it panics. Nil: nobody.
	OnEvent func(Event)
}

// checked returns p with its defaults filled in. It panics if p contradicts
// itself.
func (p RestartPolicy) checked() RestartPolicy {
	if p.Restart < RestartAlways || p.Restart > RestartNever {
		refuse("unknown " + p.Restart.String())
	}
	mustNot(p.MaxBackoff < 0, "MaxBackoff < 0")
	mustNot(p.ResetAfter < 0, "ResetAfter < 0")
	mustNot(p.MaxRestarts < 0, "MaxRestarts < 0")
	mustNot(p.Within < 0, "Within < 0")
	mustNot(p.Heartbeat < 0, "Heartbeat < 0")
	mustNot(p.ReplaceStalled && p.Heartbeat == 0,
		"ReplaceStalled without Heartbeat: nothing would ever stall")
	mustNot(p.ReplaceStalled && p.Restart == RestartNever,
		"ReplaceStalled with RestartNever: a replacement is a restart")
	p.fillBackoff()
	if p.ResetAfter == 0 {
		p.ResetAfter = defaultResetAfter
	}
	// Sprintf would double the stack of a young caller if it were always made.
	if p.unreachable() {
		refuse(fmt.Sprintf("%d restarts, %v or more apart, "+
			"never come within %v: it would never give up",
			p.MaxRestarts, p.MinBackoff, p.Within))
	}
	return p
}

// fillBackoff leaves 0 < MinBackoff <= MaxBackoff, or both 0 for no waiting.
func (p *RestartPolicy) fillBackoff() {
	minSet, maxSet := p.MinBackoff != 0, p.MaxBackoff != 0
	switch {
	case p.MinBackoff < 0:
		p.MinBackoff, p.MaxBackoff = 0, 0
		return
	case !minSet && maxSet:
		p.MinBackoff = min(defaultMinBackoff, p.MaxBackoff)
	case !minSet:
		p.MinBackoff = defaultMinBackoff
	}
	if !maxSet {
		p.MaxBackoff = max(defaultMaxBackoff, p.MinBackoff)
	}
	mustNot(p.MinBackoff > p.MaxBackoff, "MinBackoff > MaxBackoff")
}

// unreachable reports whether the exit that would give up comes too late for
// the first of the MaxRestarts restarts to still be in the window.
func (p *RestartPolicy) unreachable() bool {
	if p.Within == 0 || p.MaxRestarts == 0 || p.MinBackoff == 0 {
		return false
	}
	n := time.Duration(p.MaxRestarts) // n * MinBackoff may overflow
	return p.MinBackoff > (p.Within-1)/n
}

func mustNot(wrong bool, what string) {
	if wrong {
		refuse(what)
	}
}

func refuse(what string) { panic("chanx: restart policy: " + what) }

// backoff returns the wait before the restart that follows n others.
func (p *RestartPolicy) backoff(n int) time.Duration {
	if p.MinBackoff == 0 {
		return 0
	}
	top := p.MaxBackoff
	if p.MinBackoff <= p.MaxBackoff>>n {
		top = p.MinBackoff << n
	}
	return p.MinBackoff + rand.N(top-p.MinBackoff+1)
}

// RestartLimitError is how giving up is reported. Unwrap returns Last, so
// that errors.As finds the [*PanicError] with the stack, also through a tree
// of supervisors.
type RestartLimitError struct {
	Restarts int           // restarts made in the window
	Within   time.Duration // the window; zero: since the last healthy run
	Last     error         // of the exit that was one too many; nil for a nil return

	last *rendering // of Last, as in Exit
}

func (e *RestartLimitError) Error() string {
	if e == nil {
		return "<nil>"
	}
	span := "since the last healthy run"
	if e.Within > 0 {
		span = "within " + e.Within.String()
	}
	last := "the worker returned nil"
	if e.Last != nil {
		last = shownText(e.Last, e.last)
	}
	return fmt.Sprintf("chanx: gave up after %d restarts %s: %s", e.Restarts, span, last)
}

// Unwrap returns Last.
func (e *RestartLimitError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Last
}

// restarter is the policy at work on one worker: a state machine without a
// clock or a goroutine, so that it can be tested, and fuzzed, as one.
type restarter struct {
	policy   RestartPolicy // checked
	restarts int           // since the last healthy run
	recent   window
}

// verdict is what follows an exit: a restart after wait, or the end with err.
type verdict struct {
	restart bool
	gaveUp  bool
	wait    time.Duration
	err     error
}

func newRestarter(checked RestartPolicy) restarter {
	return restarter{policy: checked, recent: window{
		max: checked.MaxRestarts, within: checked.Within,
	}}
}

// before returns the restarts that count at the end of a run that lasted ran.
// It must be called once for each run, before exited.
func (r *restarter) before(ran time.Duration) int {
	if ran >= r.policy.ResetAfter {
		r.restarts = 0
		r.recent.times = r.recent.times[:0]
	}
	return r.restarts
}

// credit is how much of a run counts towards ResetAfter: nothing of one that
// was replaced, or a Heartbeat above ResetAfter would leak without a bound.
func credit(err error, ran time.Duration) time.Duration {
	if err == ErrStalled {
		return 0
	}
	return ran
}

// exited decides about an exit at now.
func (r *restarter) exited(f fate, now time.Time) verdict {
	switch mode := r.policy.Restart; {
	case f.stop, mode == RestartOnFailure && f.err == nil:
		return verdict{}
	case mode == RestartNever:
		return verdict{err: f.err}
	case r.exhausted(now):
		return verdict{gaveUp: true, err: &RestartLimitError{
			Restarts: r.policy.MaxRestarts,
			Within:   r.policy.Within,
			Last:     f.err,
			last:     f.shown,
		}}
	}
	wait := r.policy.backoff(r.restarts)
	r.restarts++
	r.recent.add(now)
	return verdict{restart: true, wait: wait}
}

func (r *restarter) exhausted(now time.Time) bool {
	if r.policy.Within > 0 {
		return r.recent.full(now)
	}
	return r.policy.MaxRestarts > 0 && r.restarts >= r.policy.MaxRestarts
}

// window is a sliding count of at most max moments in within.
// If either is zero it is never full and keeps nothing.
type window struct {
	max    int
	within time.Duration
	times  []time.Time
}

func (w *window) full(now time.Time) bool {
	old := 0
	for old < len(w.times) && now.Sub(w.times[old]) >= w.within {
		old++
	}
	w.times = append(w.times[:0], w.times[old:]...)
	return w.max > 0 && len(w.times) >= w.max
}

func (w *window) add(now time.Time) {
	if w.max > 0 && w.within > 0 {
		w.times = append(w.times, now)
	}
}

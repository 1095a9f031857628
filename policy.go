package chanx

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"
)

// RestartMode selects the exits after which a worker is started again.
type RestartMode int

const (
	// RestartAlways restarts after every exit, a nil return included: a
	// consumer that returns while it is still needed is the failure that
	// this package exists for. Only [ErrStop] and [Permanent] end the worker
	// for good.
	RestartAlways RestartMode = iota
	// RestartOnFailure restarts after an error, a panic and a
	// runtime.Goexit; a nil return completes the worker.
	RestartOnFailure
	// RestartNever runs the worker once.
	RestartNever
)

var restartModes = [...]string{"always", "on failure", "never"}

// String returns "always", "on failure" or "never".
func (m RestartMode) String() string {
	if m < 0 || int(m) >= len(restartModes) {
		return fmt.Sprintf("RestartMode(%d)", int(m))
	}
	return restartModes[m]
}

// MarshalText returns the text of String. An unknown mode is an error.
func (m RestartMode) MarshalText() ([]byte, error) {
	if m < 0 || int(m) >= len(restartModes) {
		return nil, fmt.Errorf("chanx: unknown %v", m)
	}
	return []byte(m.String()), nil
}

// UnmarshalText sets m to the mode with that text. Any text other than the three
// of String is an error, and leaves m unchanged.
func (m *RestartMode) UnmarshalText(text []byte) error {
	i := slices.Index(restartModes[:], string(text))
	if i < 0 {
		return fmt.Errorf("chanx: unknown RestartMode %q, want one of %q",
			text, restartModes)
	}
	*m = RestartMode(i)
	return nil
}

// The values that the zero fields of a RestartPolicy stand for.
const (
	defaultMinBackoff = 100 * time.Millisecond
	defaultMaxBackoff = 30 * time.Second
	defaultResetAfter = time.Minute
)

// RestartPolicy configures how [Supervise] and a [Supervisor] restart a worker.
// The zero value always restarts, with increasing waits, and never gives up. An
// invalid policy panics when it is passed to them, before anything starts;
// Validate returns the same text as an error.
//
// # Backoff can prevent giving up
//
// A limit of restarts in a window is reached only if they come close enough
// together, and backoff keeps them apart: at 60 s spacing, 60 restarts in 10
// minutes cannot happen, and the worker fails forever without a report. With a
// zero Within all restarts since the last healthy run count, however far apart.
// With a Within, the policy is invalid unless MaxRestarts waits of average
// length fit into it. Near that bound the outcome is random; a worker that fails
// at once is certain to be given up if MaxRestarts waits of maximum length fit.
// With the default waits 11 restarts are valid, and 9 are certain, within one
// minute.
type RestartPolicy struct {
	// Restart selects the exits to restart after. Zero means RestartAlways.
	Restart RestartMode

	// MinBackoff and MaxBackoff bound the wait before a restart. The first
	// one after a healthy run waits MinBackoff; the n-th waits a random time
	// between MinBackoff and MinBackoff*2^(n-1), at most MaxBackoff: the
	// exponential backoff with full jitter of the AWS Architecture Blog
	// (2015), with a floor. A worker that is restarted with a sibling waits
	// for the backoff of the sibling, which may be shorter.
	// Zero means 100 ms and 30 s, or as close to that as the other one allows.
	// MinBackoff < 0 means no wait: a worker that fails at once is then
	// restarted some million times a second. MaxBackoff < 0 is invalid, and so
	// is MinBackoff > MaxBackoff if both are set.
	MinBackoff, MaxBackoff time.Duration

	// ResetAfter is how long a run must last to count as healthy. The exit
	// of a healthy run begins with a restart count of zero, and so with
	// MinBackoff. A run that is replaced as stalled is never healthy.
	// Zero means 1 minute. A negative value is invalid.
	ResetAfter time.Duration

	// MaxRestarts is the number of restarts allowed in Within; the exit that
	// would need one more gives up. A worker that always fails therefore runs
	// 1 + MaxRestarts times.
	// Zero means no limit. A negative value is invalid.
	MaxRestarts int

	// Within is the window of MaxRestarts. A restart is dated at the exit it
	// follows, and leaves the window when exactly Within has passed.
	// Zero means that all restarts since the last healthy run count. A value
	// that is negative, or too short for MaxRestarts average waits, is invalid.
	Within time.Duration

	// Heartbeat is how long a running worker may be silent, from its start
	// or its last [Beat]; a worker that is silent for longer is reported as
	// stalled. If the check itself is late by more than a quarter of
	// Heartbeat, as after SIGSTOP or on a starved machine, the worker gets
	// one more Heartbeat, once between two beats.
	// Zero means that the worker is not watched. A negative value is invalid.
	Heartbeat time.Duration

	// ReplaceStalled starts a successor of a stalled worker. Go cannot kill
	// a goroutine: the context of the old run is cancelled, with [ErrStalled]
	// as the cause, and its goroutine is leaked until it ends by itself, which
	// is reported. A replacement is a restart: it waits, and counts towards
	// MaxRestarts. A worker with 16 leaked goroutines, if these are more than
	// MaxRestarts, is reported as stalled and not replaced.
	// Without Heartbeat, or with RestartNever, true is invalid.
	ReplaceStalled bool

	// CrashOnPanic makes a panic of the worker crash instead of restarting:
	// Supervise, or the Run of the Supervisor, panics with the [*PanicError]
	// on the goroutine of its caller. If that panic is not recovered, the
	// process crashes and prints the stack of the worker. A *PanicError that
	// the worker returns, from a Supervise that it calls, is an ordinary
	// failure.
	CrashOnPanic bool

	// OnEvent observes starts, exits, restarts, stalls, recoveries and giving
	// up. It is called on a separate goroutine, with no lock held; for one
	// worker one event at a time, in order. A function that is shared by
	// several policies is called concurrently. If it blocks, up to 64 events
	// wait for it, and later ones are dropped and counted in Event.Missed and
	// WorkerStatus.Missed, as is an event in which it panics or calls
	// runtime.Goexit. The final exit and giving up have room of their own. Once the worker is removed there are no more events.
	// Nil means no hook.
	OnEvent func(Event) `json:"-"`
}

// Validate returns nil if Supervise and Add accept p, and otherwise an error
// with the text of their panic. It is for policies read from a file.
func (p RestartPolicy) Validate() error {
	if wrong := p.fill(); wrong != "" {
		return errors.New(wrong)
	}
	return nil
}

// checked returns p with its defaults filled in. It panics if p is invalid.
func (p RestartPolicy) checked() RestartPolicy {
	if wrong := p.fill(); wrong != "" {
		panic(wrong)
	}
	return p
}

// fill fills in the defaults, and returns the reason why p is invalid, or "".
// Formatting for a valid policy would double the stack of a new goroutine.
func (p *RestartPolicy) fill() (wrong string) {
	if wrong = p.wrong(); wrong == "" {
		p.fillBackoff()
		if p.ResetAfter == 0 {
			p.ResetAfter = defaultResetAfter
		}
		wrong = p.unreachable()
	}
	if wrong != "" {
		wrong = "chanx: restart policy: " + wrong
	}
	return wrong
}

// wrong returns the first contradiction among the fields as they were set.
func (p *RestartPolicy) wrong() string {
	switch {
	case p.Restart < RestartAlways || p.Restart > RestartNever:
		return "unknown " + p.Restart.String()
	case p.MaxBackoff < 0:
		return "MaxBackoff < 0"
	case p.ResetAfter < 0:
		return "ResetAfter < 0"
	case p.MaxRestarts < 0:
		return "MaxRestarts < 0"
	case p.Within < 0:
		return "Within < 0"
	case p.Heartbeat < 0:
		return "Heartbeat < 0"
	case p.ReplaceStalled && p.Heartbeat == 0:
		return "ReplaceStalled without Heartbeat: nothing would ever stall"
	case p.ReplaceStalled && p.Restart == RestartNever:
		return "ReplaceStalled with RestartNever: a replacement is a restart"
	case p.MaxBackoff > 0 && p.MinBackoff > p.MaxBackoff:
		return "MinBackoff > MaxBackoff"
	}
	return ""
}

// fillBackoff sets 0 < MinBackoff <= MaxBackoff, or both to 0 for no wait.
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
}

// unreachable returns the reason why the window has no room for MaxRestarts
// restarts of a worker that fails at once, or "".
func (p *RestartPolicy) unreachable() string {
	if p.Within == 0 || p.MaxRestarts == 0 || p.MinBackoff == 0 {
		return ""
	}
	n := time.Duration(p.MaxRestarts) // n * MinBackoff may overflow
	fit := p.restartsWithin()
	switch {
	case p.MinBackoff > (p.Within-1)/n:
		return fmt.Sprintf("%d restarts, %v or more apart, "+
			"never come within %v: it would never give up",
			p.MaxRestarts, p.MinBackoff, p.Within)
	case n > fit:
		return fmt.Sprintf("with waits of %v to %v, %d restarts come within "+
			"%v on average, not %d: it would hardly ever give up",
			p.MinBackoff, p.MaxBackoff, fit, p.Within, p.MaxRestarts)
	}
	return ""
}

// restartsWithin returns the number of restarts of a worker that fails at once
// that are in the window at the exit after the last of them, with waits of
// average length. The waits grow, so no later window has more.
func (p *RestartPolicy) restartsWithin() (n time.Duration) {
	left := p.Within - 1
	for {
		top := p.longest(int(n))
		mean := p.MinBackoff + (top-p.MinBackoff)/2
		if top == p.MaxBackoff || mean > left {
			return n + left/mean
		}
		left -= mean
		n++
	}
}

// backoff returns the wait before the restart that follows n others.
func (p *RestartPolicy) backoff(n int) time.Duration {
	if p.MinBackoff == 0 {
		return 0
	}
	return p.MinBackoff + rand.N(p.longest(n)-p.MinBackoff+1)
}

// longest returns the longest wait that backoff may return.
func (p *RestartPolicy) longest(n int) time.Duration {
	if p.MinBackoff <= p.MaxBackoff>>n {
		return p.MinBackoff << n
	}
	return p.MaxBackoff
}

// maxLeaked bounds the leaked goroutines of one worker. MaxRestarts alone is no
// bound: it is zero by default, and a healthy run between two stalls resets the
// count.
const maxLeaked = 16

// mayReplace reports whether a stalled worker with that many leaked goroutines
// is replaced.
func (p *RestartPolicy) mayReplace(leaked int) bool {
	// One more than MaxRestarts, or the stall that gives up would not count.
	return p.ReplaceStalled && (leaked < maxLeaked || leaked <= p.MaxRestarts)
}

// RestartLimitError reports that a policy has given up. Unwrap returns Last, so
// that errors.As finds a [*PanicError] with its stack, also through a tree of
// supervisors. Its methods accept a nil *RestartLimitError.
type RestartLimitError struct {
	Restarts int           // restarts made in the window
	Within   time.Duration // the window; zero: since the last healthy run
	// Last is the error of the exit that exceeded the limit. Under Supervise it
	// is nil for a nil return; a Supervisor wraps it with the worker's name,
	// after a nil return as well.
	Last error

	last *rendering // of Last, as in Exit
}

// Error returns the limit and the text of Last. It is one line if that text is:
// the stack of a [*PanicError] in Last is printed by %+v, and part of the JSON
// and of the log value.
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

// Format prints Error, and for %+v the stack of a panic in Last below it.
func (e *RestartLimitError) Format(s fmt.State, verb rune) {
	formatError(s, verb, e.Error(), e.panic())
}

// MarshalJSON returns an object with Error as "error" and the stack of a panic
// in Last, if there is one, as "stack".
func (e *RestartLimitError) MarshalJSON() ([]byte, error) {
	return errorJSON(e.Error(), e.panic())
}

// LogValue returns Error or, if there is a panic in Last, a group with the
// fields of MarshalJSON.
func (e *RestartLimitError) LogValue() slog.Value {
	return errorLogValue(e.Error(), e.panic())
}

// panic returns the panic in Last, or nil.
func (e *RestartLimitError) panic() *PanicError {
	if e == nil {
		return nil
	}
	return shownPanic(e.Last, e.last)
}

// Unwrap returns Last.
func (e *RestartLimitError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Last
}

// restarter applies a policy to one worker. It is a state machine without a
// clock or a goroutine, so that it can be fuzzed.
type restarter struct {
	policy   RestartPolicy // checked
	restarts int           // since the last healthy run
	recent   window
}

// decision is what follows an exit: a restart after wait, or the end with err.
type decision struct {
	restarts int // since the last healthy run, before the one that follows
	restart  bool
	counted  bool    // the restart counts towards the limits
	passed   *window // the limit that was exceeded: give up
	crash    bool    // by CrashOnPanic
	wait     time.Duration
	err      error
}

func newRestarter(checked RestartPolicy) restarter {
	return restarter{policy: checked, recent: window{
		max: checked.MaxRestarts, within: checked.Within,
	}}
}

// counts returns the restarts that count at the end of a run that has lasted
// ran. A run that was replaced as stalled is never healthy, or with a Heartbeat
// above ResetAfter the count of leaked goroutines would be unbounded.
func (r *restarter) counts(ran time.Duration, stalled bool) int {
	if ran >= r.policy.ResetAfter && !stalled {
		return 0
	}
	return r.restarts
}

// decide stores in d, which is zero, what follows a run that ended at now with
// res. It changes nothing else. Returning d made a restart 5% slower.
func (r *restarter) decide(d *decision, res *result, ran time.Duration, now time.Time) {
	d.restarts = r.counts(ran, res.kind == exitStall)
	switch mode := r.policy.Restart; {
	case res.ends():
		d.err = res.failure()
	case mode == RestartOnFailure && res.err == nil:
	case mode == RestartNever:
		d.err = res.err
	case r.exhausted(d.restarts, now):
		d.passed = &r.recent
	default:
		d.restart, d.counted = true, true
		d.wait = r.policy.backoff(d.restarts)
	}
}

// crashes reports whether res is a panic that CrashOnPanic applies to.
func (r *restarter) crashes(res *result) bool {
	return res.kind == exitPanic && r.policy.CrashOnPanic
}

func (r *restarter) exhausted(restarts int, now time.Time) bool {
	if r.policy.Within > 0 {
		return r.recent.full(now)
	}
	return r.policy.MaxRestarts > 0 && restarts >= r.policy.MaxRestarts
}

// note records a decision made at now.
func (r *restarter) note(d *decision, now time.Time) {
	r.restarts = d.restarts
	if d.counted {
		r.restarts++
		r.recent.add(now)
	}
}

// window counts the restarts in the last within, of which max are allowed.
// If either is zero it is never full and keeps nothing.
type window struct {
	max    int
	within time.Duration
	times  []time.Time
}

// err returns the error of giving up after a run that has ended with last.
func (w *window) err(last error, shown *rendering) *RestartLimitError {
	return &RestartLimitError{
		Restarts: w.max, Within: w.within, Last: last, last: shown,
	}
}

func (w *window) full(now time.Time) bool {
	return w.max > 0 && len(w.times)-w.expired(now) >= w.max
}

func (w *window) expired(now time.Time) (n int) {
	for n < len(w.times) && now.Sub(w.times[n]) >= w.within {
		n++
	}
	return n
}

func (w *window) add(now time.Time) {
	if w.max > 0 && w.within > 0 {
		w.times = append(w.times[:0], w.times[w.expired(now):]...)
		w.times = append(w.times, now)
	}
}

package chanx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strings"
	"time"
)

// ErrStop, returned by a worker as it is or wrapped, ends the worker for good
// under any policy: [Supervise] returns nil. Joined with another error, as by
// errors.Join(err, ErrStop), it ends the worker with the joined error, as
// [Permanent] does. There are three exceptions. An ErrStop inside a
// [*PanicError] does not count. A worker that returns ErrStop after its ctx was
// cancelled to restart it ([ErrRestarting]) is restarted, since its loop may
// have ended because of that. The error of a run that was replaced as stalled
// has no effect.
var ErrStop = errors.New("chanx: worker stopped for good")

// Permanent returns an error that, returned by a worker as it is or wrapped,
// ends the worker for good as failed, under any policy: [Supervise] returns err,
// or the error that wraps it, and a [Supervisor] shows the worker as failed and
// keeps running. Error, errors.Is and errors.As behave as those of err. A panic
// with it is an ordinary panic. Permanent(nil) is nil. The name and the meaning
// are those of cenkalti/backoff.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }

func (e *permanentError) Unwrap() error { return e.err }

// ErrGoexit is the Err of an [Exit] by runtime.Goexit, which
// (*testing.T).FailNow calls as well. Goexit ends the goroutine without an
// error. If a function deferred by the worker then panics, the exit is that
// panic; a panic that is ended by a deferred Goexit leaves no trace in Go, and
// is reported as ErrGoexit.
var ErrGoexit = errors.New("chanx: worker called runtime.Goexit")

// ErrStalled is the Err of the [Exit] of a run that was replaced: the worker was
// silent for longer than its Heartbeat, and its goroutine leaked. If the
// goroutine ends later, its error is reported as another Exit, joined with
// ErrStalled.
var ErrStalled = errors.New("chanx: worker stalled")

// Exit describes the end of a run of a worker. It is kept in memory, so the
// cause stays readable if the log fails with the worker.
type Exit struct {
	// Err is the error that the worker returned, nil included, or a
	// [*PanicError], [ErrGoexit] or [ErrStalled].
	Err error
	// Started is when the run began, and Ran how long it lasted.
	Started time.Time
	Ran     time.Duration
	// Restarts is the number of restarts since the last healthy run, before
	// this exit: 0 for the first run, and for a run that was healthy itself.
	Restarts int
	// Backoff is the wait before the restart, as decided at the exit. Under
	// OneForAll and RestForOne the time to stop siblings is added, and a
	// sibling's restart may include the worker earlier.
	Backoff time.Duration
	// Final reports that no restart follows, as decided at the exit. A shutdown
	// during the Backoff of the last exit prevents a restart as well, and
	// [Supervisor.Restart] or another Run may still start the worker.
	Final bool

	shown *rendering // of Err, unless that is plain
}

// MarshalJSON returns an object: "error" has the text of Err, which is empty for
// a nil return; "stack" has the stack of a [*PanicError] in Err, if any; "ran"
// and "backoff" are durations as time.Duration prints them. The other fields are
// "started", "restarts" and "final".
//
// The text was taken at the exit: no method of Err is called, unless the Exit
// was constructed by the caller. A text above 64 KiB is cut, with a note of its
// length.
func (e Exit) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Error    string    `json:"error"`
		Stack    string    `json:"stack,omitempty"`
		Started  time.Time `json:"started"`
		Ran      string    `json:"ran"`
		Restarts int       `json:"restarts"`
		Backoff  string    `json:"backoff"`
		Final    bool      `json:"final"`
	}{
		shownText(e.Err, e.shown), e.stack(),
		e.Started, e.Ran.String(), e.Restarts, e.Backoff.String(), e.Final,
	})
}

// LogValue returns the fields as a group, with the error and the stack in the
// form of MarshalJSON.
func (e Exit) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("error", shownText(e.Err, e.shown))}
	if stack := e.stack(); stack != "" {
		attrs = append(attrs, slog.String("stack", stack))
	}
	return slog.GroupValue(append(attrs,
		slog.Time("started", e.Started),
		slog.Duration("ran", e.Ran),
		slog.Int("restarts", e.Restarts),
		slog.Duration("backoff", e.Backoff),
		slog.Bool("final", e.Final),
	)...)
}

// stack returns the stack of the panic in Err, or "".
func (e *Exit) stack() string {
	if p := shownPanic(e.Err, e.shown); p != nil {
		return string(p.origin().Stack)
	}
	return ""
}

// PanicError is a recovered panic of a worker, or of the Is or Unwrap method of
// the error that it returned. Its methods accept a nil *PanicError, since
// errors.As may find one.
type PanicError struct {
	Value any    // the argument of panic
	Stack []byte // of the goroutine, as runtime/debug.Stack prints it

	text string // the result of Error; empty: not yet rendered
}

// Error returns one line: the value and the place of the panic, and the place of
// an earlier panic that was still unwinding the stack. For a panic with a
// *PanicError it is the line of that. The stack is printed by %+v.
//
// The Error, String or Format method of Value is called once, when the panic is
// recovered, on the goroutine of the worker. If it panics, the line has the type
// of Value instead.
func (e *PanicError) Error() string {
	switch {
	case e == nil:
		return "panic: <nil>"
	case e.text != "":
		return e.text
	}
	return e.lineOf(textOf(e.Value))
}

// lineOf returns the line of Error for a Value with that text.
func (e *PanicError) lineOf(value string) string {
	if e.origin() != e {
		return value
	}
	line := "panic: " + value
	at, earlier := panicPlaces(string(e.Stack))
	if at != "" {
		line += ", at " + at
	}
	if earlier != "" {
		line += ", during a panic at " + earlier
	}
	return lineBreaks.Replace(line)
}

var lineBreaks = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// Format prints Error, and the stack below it for %+v.
func (e *PanicError) Format(s fmt.State, verb rune) {
	formatError(s, verb, e.Error(), e)
}

// below returns the stack as it is printed below the line of Error.
func (e *PanicError) below() string {
	return "\n\n" + string(e.origin().Stack)
}

// origin returns the first of a chain of panics: a worker with CrashOnPanic,
// below a Supervisor that is itself a worker, makes Run panic with its
// *PanicError.
func (e *PanicError) origin() *PanicError {
	for {
		inner, _ := e.Value.(*PanicError)
		if inner == nil {
			return e
		}
		e = inner
	}
}

// MarshalJSON returns an object with Error as "error", without the stack, and
// the stack as "stack".
func (e *PanicError) MarshalJSON() ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	return errorJSON(e.Error(), e)
}

// LogValue returns a group with the fields of MarshalJSON.
func (e *PanicError) LogValue() slog.Value { return errorLogValue(e.Error(), e) }

// Unwrap returns Value if that is an error, and nil otherwise.
func (e *PanicError) Unwrap() error {
	if e == nil {
		return nil
	}
	err, _ := e.Value.(error)
	return err
}

// raise panics with e. The runtime prints only the Error of a panic that ends the
// process: an earlier panic, which recover never returns, makes it print the
// stack of the worker.
func (e *PanicError) raise() {
	defer panic(e)
	panic(e.Error() + e.below())
}

// panicPlaces returns, as "dir/file.go:12", where the panic of a stack was
// called: below the topmost call of panic, past the functions of the runtime, in
// which nil pointers and indexes panic. If that was in a function deferred below
// an earlier panic, it also returns the place of the earliest.
func panicPlaces(stack string) (at, earlier string) {
	lines := strings.Split(stack, "\n")
	below := false
	for i := 0; i+1 < len(lines); i++ {
		switch {
		case strings.HasPrefix(lines[i], "panic("):
			below = true
			i++ // its own place
		case strings.HasPrefix(lines[i], "\t"):
		case below && !strings.HasPrefix(lines[i], "runtime."):
			at, earlier = placed(at, shortPlace(lines[i+1]))
			below = false
		}
	}
	return at, earlier
}

func placed(at, next string) (string, string) {
	if at == "" {
		return next, ""
	}
	return at, next
}

// shortPlace returns the directory, the file and the line of a line of a stack.
func shortPlace(line string) string {
	path, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
	cut := strings.LastIndexByte(path, '/')
	return path[strings.LastIndexByte(path[:max(cut, 0)], '/')+1:]
}

// rendering is the text of an error, and the panic in it, as they were at the
// exit. It is made once, on the goroutine of the worker, before any lock is
// taken, and kept in the Exit: an Error method that blocks delays that exit, and
// nothing else. Status, a health check, a log and a [RestartLimitError] read it
// without calling foreign code.
type rendering struct {
	text  string
	panic *PanicError // the first in the tree of the error, or nil

	// Decisions of an error that is not plain:
	permanent bool  // the worker has ended itself for good by Permanent
	failure   error // the error it has then failed with
	left      error // the first in the tree that implements leaver
}

// exitKind is the kind of end of a run.
type exitKind uint8

const (
	exitNil exitKind = iota
	exitError
	exitPanic
	exitGoexit
	exitStall // the run was replaced, and its goroutine leaked
)

// result describes how a run ended. It holds every decision that depends on the
// worker's error: inspecting an error runs foreign code, which may panic, block
// or call the supervisor, so it is done once, at the worker's risk and with no
// lock held. A *PanicError that the worker has returned, from a Supervise that
// it calls, is an error; kind tells it from a panic.
type result struct {
	err   error
	kind  exitKind
	stop  bool       // the worker has ended itself for good by ErrStop
	shown *rendering // nil: err is plain, or a panic
}

// leaver is implemented by errors that name goroutines left behind by a worker.
type leaver interface{ leaves() bool }

// protect calls worker and stores in res how it ended. It does not return if
// the worker calls runtime.Goexit, which cannot be stopped, not even by
// recovering a panic in a deferred function of the worker; a deferred function
// of the caller then finds the result in res. Conversely, a panic that is ended
// by a deferred Goexit is not visible.
func protect(
	ctx context.Context, worker func(context.Context) error, res *result,
) {
	*res = result{err: ErrGoexit, kind: exitGoexit}
	if p := res.of(ctx, worker); p != nil {
		*res = result{err: p, kind: exitPanic}
	}
}

// of calls worker and returns its panic, if any. A nil Value is either Goexit, in
// which case of does not return, or panic(nil) under GODEBUG=panicnil=1.
func (res *result) of(
	ctx context.Context, worker func(context.Context) error,
) (p *PanicError) {
	returned := false
	defer func() {
		if returned {
			return
		}
		p = &PanicError{Value: recover(), Stack: debug.Stack(), text: goexitText}
		if p.Value != nil {
			*res = result{err: p, kind: exitPanic}
		}
		p.text = p.lineOf(textOf(p.Value))
	}()
	err := worker(ctx)
	switch {
	case err == nil:
		*res = result{}
	case isPlain(err):
		*res = result{err: err, kind: exitError, stop: err == ErrStop}
	default:
		res.inspect(err)
	}
	returned = true
	return nil
}

// inspect takes from an error, once, everything that is shown of it or decided
// by it. It does so at the worker's risk: a panic, as of the Unwrap of a nil
// pointer in the error, is a panic of the worker, and a Goexit keeps the part of
// res that is set.
func (res *result) inspect(err error) {
	*res = result{
		err: err, kind: exitError, shown: &rendering{text: goexitText},
	}
	*res.shown = rendering{text: textOf(err), panic: panicIn(err)}
	stop, other := res.shown.walk(err)
	res.stop = stop
	if res.permanent() || stop && other {
		res.shown.failure = err
	}
	if p, ok := err.(*permanentError); ok {
		res.shown.failure = p.err
	}
}

// crash returns the panic of res, which has one.
func (res *result) crash() *PanicError { return res.err.(*PanicError) }

// ends reports whether the worker has ended itself for good.
func (res *result) ends() bool { return res.stop || res.permanent() }

func (res *result) permanent() bool { return res.shown != nil && res.shown.permanent }

// failure returns the error of a worker that has ended itself for good.
func (res *result) failure() error {
	if res.shown == nil {
		return nil
	}
	return res.shown.failure
}

// walk searches the tree of err. It reports whether ErrStop is in it, and whether
// another error is joined to it. It does not enter a *PanicError: a worker that
// panics has not decided to end, even if the value was ErrStop and came through
// other supervisors.
func (r *rendering) walk(err error) (stop, other bool) {
	for err != nil {
		switch e := err.(type) {
		case *PanicError:
			return false, e != nil
		case *permanentError:
			r.permanent = true
		case leaver:
			if r.left == nil && e.leaves() {
				r.left = err
			}
		}
		if isStop(err) {
			return true, false
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			return r.walkAll(e.Unwrap())
		default:
			return false, true
		}
	}
	return false, true
}

func (r *rendering) walkAll(errs []error) (stop, other bool) {
	for _, err := range errs {
		if err != nil {
			s, o := r.walk(err)
			stop, other = stop || s, other || o
		}
	}
	return stop, other
}

// isStop reports whether err itself is ErrStop, or matches it by an Is method.
func isStop(err error) bool {
	if err == ErrStop {
		return true
	}
	is, ok := err.(interface{ Is(error) bool })
	return ok && is.Is(ErrStop)
}

// goexitText replaces a text whose method did not return.
const goexitText = "(the method for its text called runtime.Goexit)"

// plainType is the type of the errors of errors.New. They have no code that
// could block or panic, so they need no rendering, which would grow the stack of
// each worker that ends with one.
var plainType = reflect.TypeOf(ErrStop)

func isPlain(err error) bool {
	return err == nil || reflect.TypeOf(err) == plainType
}

// panicIn returns the first *PanicError in the tree of err that is not nil, or
// nil. errors.As would return a nil *PanicError, call As methods, and take twice
// the stack.
func panicIn(err error) *PanicError {
	for {
		switch e := err.(type) {
		case *PanicError:
			return e
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				if p := panicIn(err); p != nil {
					return p
				}
			}
			return nil
		default:
			return nil
		}
	}
}

// maxText bounds the text of an error that is kept.
const maxText = 64 << 10

// textOf returns the text of an error, or of the value of a panic. Only it calls
// their Error, String and Format methods.
func textOf(v any) (text string) {
	returned := false
	defer func() {
		if !returned {
			text = unreadable(v, recover())
		}
	}()
	switch v := v.(type) {
	case error:
		text = v.Error()
	case string:
		text = v
	default:
		text = fmt.Sprint(v)
	}
	text = cutText(text)
	returned = true
	return text
}

// unreadable describes a value whose text is unavailable, by its type alone: the
// value that its method has panicked with may panic as well.
func unreadable(v, cause any) string {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
		return fmt.Sprintf("(%T)(nil)", v)
	}
	return fmt.Sprintf("(%T, whose text panics with a %T)", v, cause)
}

// cutText shortens a text to maxText, with a note of its length. The clone keeps
// the whole text from staying in memory.
func cutText(text string) string {
	if len(text) <= maxText {
		return text
	}
	note := fmt.Sprintf("... (cut from %d bytes)", len(text))
	head := strings.ToValidUTF8(text[:maxText-len(note)], "")
	return strings.Clone(head) + note
}

// formatError prints text and, for %+v, the stack of p, unless p is nil.
func formatError(s fmt.State, verb rune, text string, p *PanicError) {
	if p != nil && verb == 'v' && s.Flag('+') {
		text += p.below()
	}
	_, _ = fmt.Fprintf(s, fmt.FormatString(s, verb), text)
}

// errorJSON returns an object with text as "error" and the stack of p, unless p
// is nil, as "stack".
func errorJSON(text string, p *PanicError) ([]byte, error) {
	fields := struct {
		Error string `json:"error"`
		Stack string `json:"stack,omitempty"`
	}{Error: text}
	if p != nil {
		fields.Stack = string(p.origin().Stack)
	}
	return json.Marshal(fields)
}

// errorLogValue returns text or, unless p is nil, a group with text and stack.
func errorLogValue(text string, p *PanicError) slog.Value {
	if p == nil {
		return slog.StringValue(text)
	}
	return slog.GroupValue(
		slog.String("error", text),
		slog.String("stack", string(p.origin().Stack)),
	)
}

// labeled is an error with a text that was made from it before. fmt.Errorf would
// call the Error method of err, under a lock.
type labeled struct {
	text  string
	err   error
	panic *PanicError // in err, or nil
}

func (e *labeled) Error() string { return e.text }
func (e *labeled) Unwrap() error { return e.err }

// shownText returns the text of err, which is in shown unless err is plain or was
// never inspected.
func shownText(err error, shown *rendering) string {
	switch {
	case shown != nil:
		return shown.text
	case err == nil:
		return ""
	}
	if e, ok := err.(*labeled); ok {
		return e.text // which is cut already
	}
	return textOf(err)
}

// shownPanic returns the panic in err, which is in shown unless err is the
// panic, has none, or was never inspected.
func shownPanic(err error, shown *rendering) *PanicError {
	if shown != nil {
		return shown.panic
	}
	switch e := err.(type) {
	case *PanicError:
		return e
	case *labeled:
		return e.panic
	case *RestartLimitError:
		return e.panic()
	}
	return nil
}

// late returns the result to report for a run that was replaced and has ended
// after all.
func (res *result) late() result {
	const replaced = ", replaced, and "
	if res.err == nil {
		text := ErrStalled.Error() + replaced + "returned after all"
		return result{err: &labeled{text: text, err: ErrStalled}}
	}
	text := ErrStalled.Error() + replaced + "ended after all: " +
		shownText(res.err, res.shown)
	p := shownPanic(res.err, res.shown)
	return result{
		err:   &labeled{text, errors.Join(ErrStalled, res.err), p},
		shown: &rendering{text: text, panic: p},
	}
}

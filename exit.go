package chanx

// To copy this file: take supervise.go policy.go event.go beat.go along.

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// ErrStop, returned by a worker as it is or wrapped, ends it for good whatever
// its policy says: [Supervise] returns nil. An error that wraps a [*PanicError]
// too is that panic.
var ErrStop = errors.New("chanx: worker stopped for good")

// ErrGoexit is the Err of an [Exit] by runtime.Goexit, which is also what
// (*testing.T).FailNow does. It ends the goroutine and lets no error out, so
// other supervisors show such a worker as running for ever. If a function that
// the worker has deferred then panics, the exit is that panic; a panic that is
// ended by a deferred Goexit leaves no trace in Go, and is this error.
var ErrGoexit = errors.New("chanx: worker called runtime.Goexit")

// ErrStalled is the Err of an [Exit] that is no exit: the worker was silent
// for longer than its Heartbeat and was replaced, and its goroutine leaked.
// Should that end later, its own error is reported wrapped together with
// ErrStalled.
var ErrStalled = errors.New("chanx: worker stalled")

// Exit is one way out of a worker, kept so that the cause outlives the worker
// and whatever log it served.
type Exit struct {
	// Err is what the worker returned, nil included, or a [*PanicError],
	// [ErrGoexit] or [ErrStalled].
	Err error
	// Started is when the run began, and Ran how long it lasted.
	Started time.Time
	Ran     time.Duration
	// Restarts is how many restarts since the last healthy run had led to
	// this exit: 0 for the first run, and for a run that was healthy itself.
	Restarts int
	// Backoff is how long the restart after this exit waits.
	Backoff time.Duration
	// Final says that no restart follows, as decided at the exit. A shutdown
	// during the Backoff of the last exit prevents a restart as well.
	Final bool
}

// PanicError is a recovered panic of a worker, or of the error it returned when
// that was asked whether it is [ErrStop].
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine, as runtime/debug.Stack prints it
}

// Error includes the stack, so that any log of the error has it.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns Value if that is an error, and nil otherwise.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// fate is how a run ended. A *PanicError that the worker has returned, as the
// result of a Supervise of its own, is an error; panicked says which it is.
// stop says that the worker has ended itself for good.
type fate struct {
	err            error
	panicked, stop bool
}

// protect calls worker and tells how it ended. It does not return if the
// worker calls runtime.Goexit, which nothing can stop, not even the recovery
// of a panic in a function the worker has deferred: *last has then what the
// caller can tell in a deferred function of its own. The other way round, a
// panic that a deferred Goexit has ended, the runtime lets nobody know of.
func protect(
	ctx context.Context, worker func(context.Context) error, last *fate,
) (f fate) {
	*last = fate{err: ErrGoexit}
	returned := false
	defer func() {
		if returned {
			return
		}
		// Nil is either Goexit, and then nobody will see f, or panic(nil)
		// under GODEBUG=panicnil=1.
		v := recover()
		f = fate{err: &PanicError{Value: v, Stack: debug.Stack()}, panicked: true}
		if v != nil {
			*last = f
		}
	}()
	// Looking into err is the worker's risk as well: the Unwrap of a nil
	// pointer in an error panics, and would crash us outside.
	err := worker(ctx)
	f = fate{err: err, stop: isStop(err)}
	returned = true
	return f
}

// lateErr is what an abandoned run that has ended after all is reported with.
func lateErr(err error) error {
	if err == nil {
		return fmt.Errorf("%w, replaced, and returned after all", ErrStalled)
	}
	return fmt.Errorf("%w, replaced, and ended after all: %w", ErrStalled, err)
}

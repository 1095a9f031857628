// Package call waits for a function no longer than a context allows, also if
// the function does not heed it.
//
// When to use it: a call that can hang, such as a driver without a context, a
// name lookup or a full disk, and an answer that is worthless after a deadline.
//
// When not: the function heeds its ctx; call it directly. A late result must be
// released, as a connection must: Call drops it. A hung call holds its
// goroutine until it ends, so put the recipe limiter around calls that hang
// often.
//
// Without it: the answer has no receiver after the timeout, and the goroutine
// blocks forever, as in codeskyblue/go-sh#26 and google/cadvisor#2549:
//
//	ch := make(chan error)
//	go func() { ch <- f() }()
//	select {
//	case err := <-ch:
//		return err
//	case <-time.After(timeout):
//		return ErrTimeout
//	}
//
// Edge cases:
//   - result: of f, if it comes before ctx is done; both together, either.
//   - deadline: Call returns ctx.Err() at once, and f, which gets ctx, goes on.
//   - late result: dropped; the goroutine ends with f.
//   - context done before: f is not called.
//   - panic: in f is raised in the caller, as a [PanicError].
//   - late panic: ends the process, since no caller is there to raise it in.
//   - goexit: if f calls runtime.Goexit, the error is ErrGoexit.
//   - many calls: that hang hold one goroutine each, and no more after it.
//
// Search: call with timeout, call with deadline, timeout, run with timeout,
// cancel a function, context deadline.
package call

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrGoexit reports that f ended by runtime.Goexit.
var ErrGoexit = errors.New("call: function called runtime.Goexit")

// A PanicError is the panic of f, with the stack of its goroutine.
type PanicError struct {
	Value any
	Stack []byte
}

// Error returns the value and the stack.
func (p *PanicError) Error() string {
	return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack)
}

type answer[T any] struct {
	v   T
	err error
}

// Call returns the result of f, or ctx.Err() if ctx is done first.
func Call[T any](
	ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	if ctx.Err() != nil {
		return *new(T), ctx.Err()
	}
	answers := make(chan answer[T], 1) // room for a late one
	panics := make(chan *PanicError)   // no room: a late one must not be lost
	gone := make(chan struct{})
	defer close(gone)
	go func() {
		a := answer[T]{err: ErrGoexit}
		defer func() {
			if v := recover(); v != nil {
				p := &PanicError{v, debug.Stack()}
				select {
				case panics <- p:
				case <-gone:
					panic(p)
				}
			}
			answers <- a
		}()
		a.v, a.err = f(ctx)
	}()
	select {
	case a := <-answers:
		return a.v, a.err
	case p := <-panics:
		panic(p)
	case <-ctx.Done():
		return *new(T), ctx.Err()
	}
}

// Package parallelmap calls a function for each item of a slice, n calls at a
// time, and returns the results in the order of the items.
//
// When to use it: the items are all known, each needs one slow call, and
// results[i] must belong to items[i].
//
// When not: no results; use errgroup with SetLimit. A stream of values, or more
// results than fit into memory; use the recipe ordered. Jobs that come one by
// one from many goroutines; use a worker pool.
//
// Without it: appending under a lock gives the order in which the calls ended,
// as in samber/lo#510:
//
//	wg.Go(func() {
//		r := f(item)
//		mu.Lock()
//		results = append(results, r)
//		mu.Unlock()
//	})
//
// Edge cases:
//   - no items: an empty result; f is not called.
//   - at most n calls: run at a time, in no more than n goroutines.
//   - first error: ends the ctx of the calls that run, and no other call is
//     started; Map waits for those that run and returns that error and nil.
//   - context done: the same, with the cause of ctx.
//   - context done after the last call: the results, and no error.
//   - panic: in f makes Map panic with a [PanicError], after the other calls,
//     also if one of those has failed.
//   - goexit: if f calls runtime.Goexit, the error is ErrGoexit.
//   - no workers: n < 1 panics.
//
// Search: parallel map, concurrent map, parallel for each, results of
// goroutines, map with limit.
package parallelmap

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// ErrGoexit reports that a call ended by runtime.Goexit.
var ErrGoexit = errors.New("parallelmap: function called runtime.Goexit")

// A PanicError is the panic of a call, with the stack of its goroutine.
type PanicError struct {
	Value any
	Stack []byte
}

// Error returns the value and the stack.
func (p *PanicError) Error() string {
	return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack)
}

// Map returns f of each item.
func Map[T, R any](ctx context.Context, n int, items []T,
	f func(context.Context, T) (R, error)) ([]R, error) {
	if n < 1 {
		panic("parallelmap: n < 1")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([]R, len(items))
	var next, done atomic.Int64
	var panicked atomic.Pointer[PanicError]
	work := func() {
		err := ErrGoexit
		defer func() {
			if v := recover(); v != nil {
				panicked.Store(&PanicError{v, debug.Stack()})
			}
			if err != nil {
				cancel(err)
			}
		}()
		for i := next.Add(1) - 1; i < int64(len(items)); i = next.Add(1) - 1 {
			if err = ctx.Err(); err != nil {
				return
			}
			err = ErrGoexit
			if results[i], err = f(ctx, items[i]); err != nil {
				return
			}
			done.Add(1)
		}
		err = nil
	}
	var workers sync.WaitGroup
	for range min(n, len(items)) {
		workers.Go(work)
	}
	workers.Wait()
	if p := panicked.Load(); p != nil {
		panic(p)
	}
	if done.Load() < int64(len(items)) {
		return nil, context.Cause(ctx)
	}
	return results, nil
}

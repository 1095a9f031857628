// Package ordered calls a function for each value of a channel, n calls at a
// time, and yields the results in the order of the values.
//
// When to use it: a stream of values, one slow call for each, and the results
// must be handled in order without being collected first.
//
// When not: the values are a slice and the results fit into memory; use the
// recipe parallelmap. Results in any order; use the recipe pipeline. Order only
// among values of one key; use the recipe keyedpool.
//
// Without it: the results come in the order in which the calls end, as in
// wandb/parallel#11:
//
//	for range n {
//		wg.Go(func() {
//			for v := range in {
//				out <- f(v)
//			}
//		})
//	}
//
// Edge cases:
//   - empty input: the loop ends.
//   - order: kept, however long each call takes.
//   - at most n: values are taken and not yet yielded; a slow call or a slow
//     loop holds up the rest.
//   - as soon as: a result and those before it are there, it is yielded, also
//     if in delivers nothing more.
//   - error: yielded in its place, after the results before it; then the loop
//     ends.
//   - break: as return and a panic in the loop, ends the ctx of the calls that
//     run and waits for them.
//   - context done: yields the cause of ctx and ends, also with in open.
//   - panic: in f makes the loop panic with a [PanicError], in its place;
//     after a break too.
//   - goexit: if f calls runtime.Goexit, the error is ErrGoexit.
//   - no workers: n < 1 panics.
//
// Search: ordered results, preserve order, ordered fan-out, ordered stream,
// streaming map.
package ordered

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
)

// ErrGoexit reports that a call ended by runtime.Goexit.
var ErrGoexit = errors.New("ordered: function called runtime.Goexit")

// A PanicError is the panic of a call, with the stack of its goroutine.
type PanicError struct {
	Value any
	Stack []byte
}

// Error returns the value and the stack.
func (p *PanicError) Error() string {
	return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack)
}

// A result is sent once, when its call has ended.
type result[R any] struct {
	v   R
	err error
}

// Map yields f of each value of in, until in is closed or something fails.
func Map[T, R any](ctx context.Context, n int, in <-chan T,
	f func(context.Context, T) (R, error)) iter.Seq2[R, error] {
	if n < 1 {
		panic("ordered: n < 1")
	}
	return func(yield func(R, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var queue []chan result[R] // of the calls, the oldest first
		defer func() {
			cancel()
			for _, call := range queue {
				check(<-call)
			}
		}()
		for in := in; in != nil || len(queue) > 0; {
			values, oldest := in, (chan result[R])(nil)
			if len(queue) == n || ctx.Err() != nil {
				values = nil
			}
			if len(queue) > 0 {
				oldest = queue[0]
			}
			select {
			case v, ok := <-values:
				if !ok {
					in = nil
					continue
				}
				call := make(chan result[R], 1)
				queue = append(queue, call)
				go run(ctx, v, f, call)
			case r := <-oldest:
				queue = queue[1:]
				if !yield(check(r)) || r.err != nil {
					return
				}
			case <-ctx.Done():
				yield(*new(R), context.Cause(ctx))
				return
			}
		}
	}
}

func run[T, R any](ctx context.Context, v T,
	f func(context.Context, T) (R, error), call chan<- result[R]) {
	r := result[R]{err: ErrGoexit}
	defer func() {
		if p := recover(); p != nil {
			r.err = &PanicError{p, debug.Stack()}
		}
		call <- r
	}()
	r.v, r.err = f(ctx, v)
}

func check[R any](r result[R]) (R, error) {
	if p, ok := r.err.(*PanicError); ok {
		panic(p)
	}
	return r.v, r.err
}

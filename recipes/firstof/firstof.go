// Package firstof asks several replicas for the same thing, takes the first
// good answer, or those that arrive before a deadline, and cancels the rest.
//
// When to use it: any answer will do and the fastest is wanted (hedging), or a
// page is built from the backends that answer in time (scatter-gather).
//
// When not: every answer is needed; use errgroup. Values arrive on channels;
// use recipe merge. The calls change something and must not run twice.
//
// Without it: the channel has room for no answer, and each loser blocks on its
// send forever, as in authzed/spicedb#242:
//
//	answers := make(chan string)
//	for _, ask := range replicas {
//		go func() { answers <- ask(ctx) }()
//	}
//	return <-answers
//
// Edge cases:
//   - first good answer: First returns it, and the ctx of the others is done.
//   - all fail: First returns all their errors, joined.
//   - deadline: Each ends when ctx is done, after the answers that were ready.
//     First returns ctx.Err(), joined with the errors until then.
//   - late answers: they are dropped and nothing leaks; the goroutine of a
//     replica that ignores its ctx lasts as long as its call.
//   - stagger: replica i is asked i times stagger after the start, unless the
//     loop has ended by then. Zero: all at once. A replica that fails does not
//     hasten the next.
//   - break: ends the ctx of the replicas. Break after k answers for a quorum.
//   - slow body: answers wait for it, also past the deadline.
//   - goexit: a replica that calls runtime.Goexit has answered with ErrGoexit.
//   - ctx done before: no replica is asked.
//   - no replicas: Each yields nothing, and First returns ErrNone.
//
// A replica that panics ends the process, as any goroutine does.
//
// Search: first of several replicas, first response wins, fastest, race, hedged
// request, hedging, scatter-gather, fan-in with deadline, quorum, ask several
// backends.
package firstof

import (
	"context"
	"errors"
	"iter"
	"time"
)

var (
	// ErrGoexit is the answer of a replica that called runtime.Goexit.
	ErrGoexit = errors.New("replica called runtime.Goexit")
	// ErrNone is the error of First without replicas.
	ErrNone = errors.New("no replicas")
)

// An Answer is what replica From returned.
type Answer[T any] struct {
	From  int
	Value T
	Err   error
}

// Each asks the replicas, and yields their answers as they come, until all have
// answered or ctx is done.
func Each[T any](
	ctx context.Context, stagger time.Duration,
	replicas ...func(context.Context) (T, error),
) iter.Seq[Answer[T]] {
	return func(yield func(Answer[T]) bool) {
		asking, cancel := context.WithCancel(ctx)
		defer cancel()
		answers := make(chan Answer[T], len(replicas)) // room for each of them
		for i, ask := range replicas {
			go func() {
				select { // both may be ready
				case <-time.After(time.Duration(i) * stagger):
				case <-asking.Done():
				}
				a := Answer[T]{From: i, Err: asking.Err()}
				if a.Err == nil {
					a.Err = ErrGoexit
					defer func() { answers <- a }()
					a.Value, a.Err = ask(asking)
				}
			}()
		}
		for range replicas {
			var a Answer[T]
			select {
			case a = <-answers:
			case <-ctx.Done():
				select {
				case a = <-answers: // it came in time
				default:
					return
				}
			}
			if !yield(a) {
				return
			}
		}
	}
}

// First returns the first answer without an error.
func First[T any](
	ctx context.Context, stagger time.Duration,
	replicas ...func(context.Context) (T, error),
) (value T, err error) {
	if len(replicas) == 0 {
		return value, ErrNone
	}
	var errs []error
	for a := range Each(ctx, stagger, replicas...) {
		if a.Err == nil {
			return a.Value, nil
		}
		errs = append(errs, a.Err)
	}
	return value, errors.Join(append(errs, ctx.Err())...)
}

package chanx_test

// Fan-in with a deadline: take what has arrived and go on.
//
// Use when: several backends are asked at the same time and a late answer is
// worth less than an early page: search, prices of several shops, replicas.
//
// Edge cases:
//   - all answer in time: ends with the last one, not at the deadline.
//   - deadline: ends; what was ready at that moment is still yielded, then
//     ctx.Err() of the caller tells that something is missing.
//   - a late backend neither blocks nor leaks: there is room for its answer,
//     and nobody needs to receive it. It ends when it heeds ctx; one that
//     does not lives as long as its call.
//   - a backend that fails is an answer, with an error in it.
//   - break out of the loop, first answer wins: the others are cancelled.
//   - ctx done before the start: the backends are asked with a ctx that is
//     done. No backends: ends at once.
//   - a backend that panics ends the process.
//
// To change: the type of an answer; yield only those without an error and stop
// after k of them for a quorum. To start fewer at a time, use the pool of
// recipes/workerpool.

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"example.com/chanx"
)

type answer[T any] struct {
	From  int // index of the backend
	Value T
	Err   error
}

// askAll asks every backend at once and yields answers as they come, until all
// have answered or ctx is done.
func askAll[T any](
	ctx context.Context, backends []func(context.Context) (T, error),
) iter.Seq[answer[T]] {
	return func(yield func(answer[T]) bool) {
		asking, cancel := context.WithCancel(ctx)
		defer cancel()
		answers := make(chan answer[T], len(backends)) // room for every one
		for i, ask := range backends {
			go func() {
				v, err := ask(asking)
				chanx.TrySend(answers, answer[T]{i, v, err})
			}()
		}
		for range backends {
			a, err := chanx.RecvContext(ctx, answers)
			if err != nil {
				break
			}
			if !yield(a) {
				return
			}
		}
		for a := range chanx.Drain(answers) { // in time, but not yet taken
			if !yield(a) {
				return
			}
		}
	}
}

func Example_fanIn() {
	// In production: context.WithTimeout(r.Context(), 200*time.Millisecond).
	// Here the deadline strikes by hand, after the second answer.
	ctx, deadline := context.WithCancel(context.Background())
	defer deadline()

	release := make(chan struct{})
	defer close(release)
	backends := []func(context.Context) (string, error){
		func(context.Context) (string, error) { return "42 EUR", nil },
		func(context.Context) (string, error) {
			return "", errors.New("sold out")
		},
		func(context.Context) (string, error) {
			<-release // does not heed its ctx, as many a driver does not
			return "41 EUR", nil
		},
	}
	page := []string{"no answer", "no answer", "no answer"}
	seen := 0
	for a := range askAll(ctx, backends) {
		page[a.From] = a.Value
		if a.Err != nil {
			page[a.From] = a.Err.Error()
		}
		if seen++; seen == 2 {
			deadline()
		}
	}
	for i, line := range page {
		fmt.Println(i, line)
	}
	fmt.Println(ctx.Err())
	// Output:
	// 0 42 EUR
	// 1 sold out
	// 2 no answer
	// context canceled
}

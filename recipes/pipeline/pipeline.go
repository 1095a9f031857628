// Package pipeline runs a chain of stages, each with its own workers, that
// all end when one of them fails.
//
// When to use it: each value goes through several steps of different cost,
// such as read, decode, look up, store, and the steps should overlap.
//
// When not: one step only; use the recipe ordered, or errgroup with SetLimit.
// A chain of cheap functions is faster as one loop over an [iter.Seq].
//
// Without it: a stage that fails returns, and the one before it blocks on its
// send forever, as in grafana/loki#13735:
//
//	for v := range in {
//		r, err := f(v)
//		if err != nil {
//			return err // the goroutines that send on in are leaked
//		}
//		out <- r
//	}
//
// Edge cases:
//   - no input: no output, and Wait returns nil.
//   - every value: goes through each stage once.
//   - first error: ends all stages and the source, also with no reader; Wait
//     returns it, and later ones are dropped.
//   - output closes: after the last worker of the stage, never before.
//   - slow stage: holds up those before it; n values are in hand in each.
//   - reader stops: it must cancel ctx; then everything ends, and Wait returns
//     the cause.
//   - foreign input: a channel that is never closed; the stage ends with ctx.
//   - source that blocks: must heed Context.
//   - order: kept only with n == 1.
//   - panic: in f ends the process, as in any goroutine.
//   - goexit: if f calls runtime.Goexit, Wait returns ErrGoexit.
//   - no workers: n < 1 panics.
//
// Search: pipeline, stage, chain of goroutines, ETL, stream processing.
package pipeline

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// ErrGoexit reports that a stage's function called runtime.Goexit.
var ErrGoexit = errors.New("pipeline: stage called runtime.Goexit")

// A Pipeline is the set of stages that end together. A context in its place
// could stop the stages after a failure, but not those before it.
type Pipeline struct {
	Context context.Context // done as soon as the pipeline ends
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
}

// New returns a pipeline without stages, which ends when ctx is done.
func New(ctx context.Context) *Pipeline {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Pipeline{Context: ctx, cancel: cancel}
}

// Wait waits until every stage has ended and returns the first error. It must
// be called in the end.
func (p *Pipeline) Wait() error {
	p.running.Wait()
	defer p.cancel(nil)
	return context.Cause(p.Context)
}

// Source returns a channel that receives the values of seq.
func Source[T any](p *Pipeline, seq iter.Seq[T]) <-chan T {
	out := make(chan T)
	p.running.Go(func() {
		defer close(out)
		for v := range seq {
			if !send(p, out, v) {
				return
			}
		}
	})
	return out
}

// Stage returns a channel that receives f of each value of in. As many as n
// calls of f run at a time, with the context of p.
func Stage[T, R any](p *Pipeline, in <-chan T, n int, f Func[T, R]) <-chan R {
	if n < 1 {
		panic("pipeline: n < 1")
	}
	out := make(chan R)
	var workers sync.WaitGroup
	for range n {
		workers.Go(func() {
			err := ErrGoexit
			defer func() {
				if err != nil {
					p.cancel(err)
				}
			}()
			err = work(p, in, out, f)
		})
	}
	p.running.Go(func() { workers.Wait(); close(out) })
	return out
}

// Func is the function of a stage.
type Func[T, R any] func(context.Context, T) (R, error)

func work[T, R any](
	p *Pipeline, in <-chan T, out chan<- R, f Func[T, R]) error {
	for {
		select {
		case <-p.Context.Done():
			return nil
		case v, ok := <-in:
			if !ok || p.Context.Err() != nil {
				return nil
			}
			r, err := f(p.Context, v)
			if err != nil || !send(p, out, r) {
				return err
			}
		}
	}
}

func send[T any](p *Pipeline, out chan<- T, v T) bool {
	select {
	case out <- v:
		return true
	case <-p.Context.Done():
		return false
	}
}

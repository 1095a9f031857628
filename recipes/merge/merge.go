// Package merge receives from any number of channels into one (fan-in).
//
// When to use it: several producers each have a channel, which you cannot
// change, and one loop should receive from all of them.
//
// When not: the producers are yours. Then all of them send on one channel; the
// recipe senders closes it safely. Two or three channels known in advance need
// only a select in which a closed one is set to nil, and no goroutine.
//
// Without it: the send has no way out, so once the reader stops every goroutine
// blocks forever, as in dbos-inc/dbos-transact-golang#318:
//
//	wg.Go(func() {
//		for v := range in {
//			out <- v // the reader has returned
//		}
//	})
//
// Edge cases:
//   - no inputs: the output is closed at once.
//   - closed input: ends only its own part.
//   - all closed: every value is delivered, then the output is closed.
//   - order: kept for each input, not between them.
//   - slow reader: holds up the inputs, with one value of each in hand.
//   - reader stops: it must cancel ctx. Each goroutine then ends, also with
//     its input open and no reader; at most one value of each input is lost.
//   - context done before: nothing is received from any input.
//   - nil input: never ends, so the output is closed when ctx is done.
//
// Search: merge, merge channels, fan-in, funnel, multiplex, combine channels,
// join channels.
package merge

import (
	"context"
	"sync"
)

// Merge returns a channel that receives the values of all ins. It is closed
// once all ins are closed and their values delivered, or ctx is done.
func Merge[T any](ctx context.Context, ins ...<-chan T) <-chan T {
	out := make(chan T)
	var open sync.WaitGroup
	for _, in := range ins {
		open.Go(func() { forward(ctx, in, out) })
	}
	go func() {
		open.Wait()
		close(out)
	}()
	return out
}

func forward[T any](ctx context.Context, in <-chan T, out chan<- T) {
	for ctx.Err() == nil { // a select alone would pick at random
		select {
		case v, ok := <-in:
			if !ok {
				return
			}
			select {
			case out <- v:
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// Package tee sends each value of a channel to two channels.
//
// When to use it: two stages of a pipeline need every value, such as one that
// stores and one that counts, and the slower one should hold up the source.
//
// When not: no reader may hold up another; use chanx.Broadcast. One reader can
// do both; call two functions. More than two; use a tee of a tee, or
// chanx.Broadcast.
//
// Without it: the sends are in a fixed order, so one goroutine that reads the
// second channel first waits forever, and a reader that has stopped leaks the
// goroutine (compare dbos-inc/dbos-transact-golang#318):
//
//	for v := range in {
//		a <- v
//		b <- v // its reader waits here while that of a waits there
//	}
//
// Edge cases:
//   - every value: reaches both outputs, in order; then both are closed.
//   - slow reader: holds up the other one, which is at most one value ahead,
//     and the input.
//   - any order: one goroutine may read both outputs, either of them first.
//   - reader stops: it must cancel ctx, which ends both outputs; one value may
//     have reached one output only.
//   - context done before: nothing is received from the input.
//   - nil input: the outputs are closed when ctx is done.
//
// Search: tee, tee channel, duplicate a channel, split a channel, copy stream.
package tee

import "context"

// Tee returns two channels that each receive the values of in. They are closed
// when in is closed or ctx is done.
func Tee[T any](ctx context.Context, in <-chan T) (<-chan T, <-chan T) {
	one, two := make(chan T), make(chan T)
	go func() {
		defer close(one)
		defer close(two)
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case v, ok := <-in:
				if !ok || !sendBoth(ctx, one, two, v) {
					return
				}
			}
		}
	}()
	return one, two
}

// sendBoth sends v to whichever channel is ready first, and then to the other.
func sendBoth[T any](ctx context.Context, one, two chan<- T, v T) bool {
	for one != nil || two != nil {
		select {
		case one <- v:
			one = nil
		case two <- v:
			two = nil
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// Package priority receives from two channels, one of which comes first, and
// bounds how long the other one can be held up.
//
// When to use it: one loop takes urgent and ordinary work, such as cancels and
// orders, or control messages and data.
//
// When not: the urgent channel only says stop; check ctx.Err() before each
// select. There are more than two levels, or jobs are ordered by a number; use
// a mutex and container/heap.
//
// Without it: a select picks at random among the channels that are ready,
// whatever the order of its cases (ardanlabs/service#462), and a loop that
// always looks at one channel first starves the other (freenet/freenet-core#3094):
//
//	select {
//	case v := <-urgent: // half of the time
//	case v := <-ordinary:
//	}
//
// Edge cases:
//   - high first: while both have values, those of high come first.
//   - starvation: after burst values of high in a row one of low comes next, if
//     there is one.
//   - low only: comes at once. A value that comes to high at that moment may
//     come one later.
//   - order: kept within each channel.
//   - one closed: the other one goes on alone; it may be nil from the start.
//   - both closed: the loop ends when both are drained.
//   - context done: ends the loop; done before, it receives nothing.
//   - break: leaves the remaining values in the channels.
//   - bad arguments: burst < 1 panics.
//
// Search: priority receive, priority select, priority queue of channels,
// prefer a channel, urgent, starvation.
package priority

import (
	"context"
	"iter"
)

// All yields the values of both channels until both are closed or ctx is done.
func All[T any](ctx context.Context, high, low <-chan T, burst int) iter.Seq[T] {
	if burst < 1 {
		panic("priority: burst < 1")
	}
	return func(yield func(T) bool) {
		high, low := high, low // nil once they are closed
		inRow := 0             // values of high
		for (high != nil || low != nil) && ctx.Err() == nil {
			first := high
			if inRow >= burst {
				first = low
			}
			var v T
			var ok, isHigh bool
			select {
			case v, ok = <-first:
				isHigh = inRow < burst
			default:
				select {
				case v, ok = <-high:
					isHigh = true
				case v, ok = <-low:
				case <-ctx.Done():
					return
				}
			}
			switch {
			case !ok && isHigh:
				high = nil
			case !ok:
				low = nil
			case isHigh:
				inRow++
			default:
				inRow = 0
			}
			if ok && !yield(v) {
				return
			}
		}
	}
}

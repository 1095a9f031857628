package chanx

import (
	"errors"
	"iter"
)

// ErrEmpty reports that nothing could be received without waiting: the
// channel or ring is open and holds no value, or the channel is nil.
var ErrEmpty = errors.New("chanx: empty")

// ErrClosed reports that a channel or ring is closed and, on receiving, that
// every value sent before the close has been received.
var ErrClosed = errors.New("chanx: closed")

// TrySend sends v on ch if that is possible without waiting, and reports
// whether it did. After false v is still the caller's and ch is unchanged.
//
//   - nil ch: false.
//   - closed ch: panics, as the language's send does, even if ch is full.
//   - unbuffered ch: true only if a receiver is already waiting.
//   - a receiver and another sender both ready: the channel's own order.
//
// Any number of goroutines may call it on one channel. It is a select with a
// default case, which the compiler turns into one runtime call; it is inlined
// and costs what the select costs: no allocation, and on a full channel no
// lock either.
func TrySend[T any](ch chan<- T, v T) bool {
	select {
	case ch <- v:
		return true
	default:
		return false
	}
}

// TryRecv receives a value from ch if that is possible without waiting. The
// value is the zero value unless the error is nil.
//
//   - open ch with nothing to receive, nil ch: [ErrEmpty].
//   - closed ch: the values still buffered, then [ErrClosed].
//   - unbuffered ch: a value only if a sender is already waiting.
//
// The two errors tell "nothing yet" from "never again", which the bare select
// with its three outcomes makes easy to confuse: a loop that takes a closed
// channel for an empty one spins forever. Any number of goroutines may call
// it on one channel. No allocation; on an empty channel no lock.
func TryRecv[T any](ch <-chan T) (T, error) {
	select {
	case v, ok := <-ch:
		if !ok {
			return v, ErrClosed
		}
		return v, nil
	default:
		var zero T
		return zero, ErrEmpty
	}
}

// SendDropOldest sends v on the buffered channel ch, receiving and discarding
// the oldest values for as long as ch is full. It returns how many values this
// call has lost.
//
//   - room in ch, or a receiver waiting: 0.
//   - full ch: usually 1.
//   - unbuffered or nil ch with nobody receiving: v itself is lost, 1.
//   - closed ch: panics, as the language's send does. Values evicted before a
//     close that came in between are lost uncounted, as is v.
//
// Summed over all callers the count is exact: values sent == values received
// by others + dropped + len(ch). One call may discard more values than the one
// that had to go, since a channel has no operation that evicts and sends at
// once: one more if a receiver makes room between the failed attempt and the
// eviction, and one for each other sender that takes the room it made first,
// such as those blocked in a plain send (with ten of them on a channel of
// capacity 1, eleven were discarded). Where a value may be lost only if there
// was no room for it, use a [Ring], which is also more than twice as fast when
// full.
//
// Any number of goroutines may send and receive meanwhile. It never waits: a
// round that fails has seen another goroutine make progress. No allocation.
func SendDropOldest[T any](ch chan T, v T) (dropped int) {
	for !TrySend(ch, v) {
		if cap(ch) == 0 {
			// Receiving here would take a value from a sender that still
			// waits to hand it over: that one was promised delivery.
			return 1
		}
		select {
		case _, ok := <-ch:
			if ok {
				dropped++
			}
		default:
		}
	}
	return dropped
}

// Drain returns an iterator over the values that can be received from ch
// without waiting. It ends at the first moment ch is empty or closed; [TryRecv]
// tells which of the two it was. A nil ch yields nothing.
//
// A value is received when it is yielded, so breaking out of the loop leaves
// the rest in ch. With senders faster than the loop body it need not end by
// itself: break, or bound it by the len(ch) seen at the start. Several
// goroutines may drain one channel; each value goes to one of them. The
// iterator may be used again. No allocation for each value.
func Drain[T any](ch <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := TryRecv(ch)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

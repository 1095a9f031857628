package chanx

import (
	"errors"
	"iter"
)

// ErrEmpty reports that there was no value to receive without waiting: the
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
// Any number of goroutines may call it on one channel. It is an inlined select
// with a default case, which the compiler turns into one runtime call: it does
// not allocate, and on a full channel takes no lock either.
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
// The two errors tell "nothing yet" from "never again". The bare select makes
// them easy to confuse, and a loop that takes a closed channel for an empty one
// spins forever. Any number of goroutines may call TryRecv on one channel. It
// does not allocate, and on an empty channel takes no lock.
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
// the oldest values for as long as ch is full. It returns the number of values
// lost by this call.
//
//   - room in ch, or a receiver waiting: 0.
//   - full ch: usually 1.
//   - unbuffered or nil ch without a receiver waiting: v itself is lost, 1.
//   - closed ch: panics, as the language's send does. If ch is closed during
//     the call, v and the values evicted before are lost and not counted.
//
// Summed over all callers the count is exact: values sent == values received
// by others + dropped + len(ch). One call may discard more values than
// necessary, since a channel has no operation that evicts and sends at once:
// one more if a receiver makes room between the failed attempt and the
// eviction, and one for each other sender that takes the freed room first,
// such as those blocked in a plain send (with ten of them on a channel of
// capacity 1, eleven were discarded). A [Ring] evicts only when it is full, and
// is more than twice as fast then.
//
// Any number of goroutines may send and receive concurrently. SendDropOldest
// never waits: a round fails only if another goroutine has made progress. It
// does not allocate.
func SendDropOldest[T any](ch chan T, v T) (dropped int) {
	for !TrySend(ch, v) {
		if cap(ch) == 0 {
			// Receiving here would take a value from a blocked sender, whose
			// send would then report a delivery that did not happen.
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
// the rest in ch. With senders faster than the loop body the loop does not end
// by itself: break, or bound it by the len(ch) at the start. Several goroutines
// may drain one channel; each value goes to one of them. The iterator may be
// used again. It does not allocate for each value.
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

package chanx

// To copy this file: take trysend.go along.

import (
	"context"
	"runtime"
	"time"
)

// ErrTimeout reports that the time given to an operation passed before it
// could be done. It has a method Timeout() bool that returns true, as the
// errors of package net have, so that os.IsTimeout knows it.
var ErrTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string { return "chanx: timed out" }
func (timeoutError) Timeout() bool { return true }

// SendTimeout sends v on ch, waiting at most d. It returns nil when v was
// delivered, and [ErrTimeout] when it was not and is still the caller's: never
// both, never neither.
//
//   - ch ready: sends at once, whatever d is, and allocates nothing.
//   - d <= 0: tries once, as [TrySend] does.
//   - nil ch: waits d, then ErrTimeout.
//   - closed ch, or ch closed while waiting: panics, as the language does.
//   - unbuffered ch: nil means that a receiver has taken v.
//   - ch ready and time over at the same moment: v is sent.
//
// Any number of goroutines may call it on one channel.
//
// The first attempt is a [TrySend]; then the goroutine yields the processor
// once and tries again, since the other side often needs only its turn; only
// then a timer is made, the only thing allocated (three objects in Go 1.26),
// and stopped before SendTimeout returns. d is counted from then: where many
// goroutines want the processor, the turn of the others comes on top, as it
// does again before a goroutine runs whose timer is over. Against a plain
// receiver, an unbuffered hand-off then takes half of what select with
// time.After takes (0.45x to 0.5x; 0.8x without the yield). Where the receiver
// has a timeout as well, both yield in vain, and it takes as long as that
// (1.05x to 1.1x; 0.75x without). Timers are not pooled: a pooled timer that
// was made inside a testing/synctest bubble hangs whoever gets it outside.
func SendTimeout[T any](ch chan<- T, v T, d time.Duration) error {
	select { // as TrySend: a call of that is more than the inliner takes
	case ch <- v:
		return nil
	default:
		return sendWait(ch, v, d)
	}
}

// sendWait is apart, with all that is not the ready path, so that SendTimeout
// is small enough for the inliner.
//
// Of two sides with timeouts one must park, with a timer: half of those that
// time.After makes, and without any yield 0.75x of its time, which is the
// limit. To yield on one of the sides only takes 0.95x there, and 0.8x for
// the other against a plain side. Trying thirty times instead of yielding is
// no better than time.After against a plain side. To take the time of the yield
// off d costs two readings of the clock, a quarter of a hand-off (0.6x).
func sendWait[T any](ch chan<- T, v T, d time.Duration) error {
	if d <= 0 {
		return ErrTimeout
	}
	runtime.Gosched()
	if TrySend(ch, v) {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case ch <- v:
		return nil
	case <-t.C:
		if TrySend(ch, v) { // select picks at random: readiness beats the timer
			return nil
		}
		return ErrTimeout
	}
}

// RecvTimeout receives a value from ch, waiting at most d. The value is the
// zero value unless the error is nil.
//
//   - ch ready: receives at once, whatever d is, and allocates nothing.
//   - d <= 0: tries once, as [TryRecv] does, and returns [ErrTimeout] where
//     that returns ErrEmpty.
//   - nil ch: waits d, then ErrTimeout.
//   - closed ch: the values still buffered, then [ErrClosed], also when ch is
//     closed while waiting.
//   - value ready and time over at the same moment: the value.
//
// Any number of goroutines may call it on one channel. It waits as
// [SendTimeout] does, at the same cost.
func RecvTimeout[T any](ch <-chan T, d time.Duration) (T, error) {
	return tryOr(ch, func() (T, error) { return recvWait(ch, d) })
}

// tryOr receives a value that is ready, and otherwise calls wait. To the
// inliner a call of a parameter is a third of any other: with it RecvTimeout
// is just small enough to be inlined, and a ready receive takes as long as a
// bare one (1.0x to 1.1x). Calling recvWait from the select itself is not, and
// costs a call more (1.1x to 1.3x). The closure is inlined along and not made.
func tryOr[T any](ch <-chan T, wait func() (T, error)) (v T, err error) {
	var ok bool
	select {
	case v, ok = <-ch:
	default:
	}
	if !ok {
		v, err = wait()
	}
	return
}

// recvWait is for a ch that is empty, or closed: to tell these apart before
// would be more than the inliner takes.
func recvWait[T any](ch <-chan T, d time.Duration) (T, error) {
	v, err := TryRecv(ch)
	if err != ErrEmpty {
		return v, err
	}
	if d <= 0 {
		return v, ErrTimeout
	}
	runtime.Gosched()
	if v, err := TryRecv(ch); err != ErrEmpty {
		return v, err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case v, ok := <-ch:
		return received(v, ok)
	case <-t.C:
		v, err := TryRecv(ch)
		if err == ErrEmpty {
			err = ErrTimeout
		}
		return v, err
	}
}

// SendContext sends v on ch, waiting until ctx is done. It returns nil when v
// was delivered, and ctx.Err() when it was not and is still the caller's:
// never both, never neither.
//
//   - ctx already done: does nothing, even if ch is ready.
//   - ch becoming ready and ctx done at the same moment: either.
//   - nil ch: waits for ctx. With a ctx that is never done that is for ever.
//   - closed ch, or ch closed while waiting: panics, as the language does.
//   - nil ctx: panics.
//
// Any number of goroutines may call it on one channel. It allocates nothing
// itself; a ctx made by the context package allocates its Done channel the
// first time anybody has to wait for it.
func SendContext[T any](ctx context.Context, ch chan<- T, v T) error {
	if err := contextErr(ctx); err != nil {
		return err
	}
	if TrySend(ch, v) {
		return nil
	}
	select {
	case ch <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// RecvContext receives a value from ch, waiting until ctx is done. The value
// is the zero value unless the error is nil.
//
//   - ctx already done: ctx.Err(); receives nothing, even if ch is ready.
//   - ch becoming ready and ctx done at the same moment: either.
//   - nil ch: waits for ctx. With a ctx that is never done that is for ever.
//   - closed ch: the values still buffered, then [ErrClosed], also when ch is
//     closed while waiting.
//   - nil ctx: panics.
//
// Any number of goroutines may call it on one channel. It allocates nothing
// itself, as [SendContext].
func RecvContext[T any](ctx context.Context, ch <-chan T) (T, error) {
	var zero T
	if err := contextErr(ctx); err != nil {
		return zero, err
	}
	if v, err := TryRecv(ch); err != ErrEmpty {
		return v, err
	}
	select {
	case v, ok := <-ch:
		return received(v, ok)
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}

func received[T any](v T, ok bool) (T, error) {
	if !ok {
		return v, ErrClosed
	}
	return v, nil
}

// contextErr is ctx.Err with a panic that says whose mistake a nil ctx is.
func contextErr(ctx context.Context) error {
	if ctx == nil {
		panic("chanx: nil context")
	}
	return ctx.Err()
}

package chanx

import (
	"context"
	"iter"
	"os"
	"runtime"
	"time"
)

// ErrTimeout reports that an operation was not possible within its time. Its
// Timeout method returns true, like that of the errors of package net, so
// os.IsTimeout recognizes it, and errors.Is matches it with
// os.ErrDeadlineExceeded and context.DeadlineExceeded.
var ErrTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string { return "chanx: timed out" }
func (timeoutError) Timeout() bool { return true }

func (timeoutError) Is(target error) bool {
	return target == os.ErrDeadlineExceeded ||
		target == context.DeadlineExceeded
}

// SendTimeout sends v on ch, waiting at most d. It returns nil if v was
// delivered, and [ErrTimeout] if it was not and is still the caller's: never
// both, never neither.
//
//   - ch ready: sends at once, whatever d is.
//   - d <= 0: tries once, as [TrySend] does.
//   - nil ch: waits d, then returns ErrTimeout.
//   - closed ch, or ch closed while waiting: panics, as the language does.
//   - unbuffered ch: nil means that a receiver has taken v.
//   - ch ready and the time over at the same moment: v is sent.
//
// Any number of goroutines may call it on one channel.
//
// SendTimeout bounds one wait. It does not protect a pool of workers from a
// receiver that hangs: every send then waits all of d, and requests that send
// several times queue up behind it. Where the sender must stay fast, use a
// [Ring] or TrySend.
//
// A ready send costs what a plain one does and does not allocate. A send that
// waits yields the processor once and tries again before it makes a timer, its
// only allocation (three objects). It counts d from after the yield, which takes
// longer with many busy goroutines. Where both sides wait with timeouts, or a
// loop waits repeatedly, [Timeouts] takes half the time and does not allocate.
func SendTimeout[T any](ch chan<- T, v T, d time.Duration) error {
	select { // TrySend written out: the inliner does not take a call of it
	case ch <- v:
		return nil
	default:
		return sendWait(ch, v, d)
	}
}

// sendWait is the part of SendTimeout that is not the ready path, which is then
// small enough for the inliner.
//
// The yield is for a plain operation on the other side, which often needs only
// its turn: a hand-off takes 0.45x to 0.5x of select with time.After, and 0.8x
// without the yield. Where both sides have timeouts the yields are in vain
// (1.05x; 0.75x without, 0.45x with a timer that is kept: see Timeouts). Trying
// thirty times instead of yielding is no better than time.After against a plain
// operation. Subtracting the yield from d takes two readings of the clock, a
// quarter of a hand-off. The timer is not pooled: one made inside a
// testing/synctest bubble hangs a caller outside that gets it.
//
// A timeout does not protect a pool: eight workers that send three times a
// request to a receiver that hangs, at 10 ms each, had a p99 of 172 ms at 15,000
// requests a second, as with a plain send.
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
	return sendUntil(ch, v, t)
}

// sendUntil sends v, or returns ErrTimeout when t has fired.
func sendUntil[T any](ch chan<- T, v T, t *time.Timer) error {
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
//   - nil ch: waits d, then returns ErrTimeout.
//   - closed ch: the values still buffered, then [ErrClosed], also when ch is
//     closed while waiting.
//   - value ready and the time over at the same moment: the value.
//
// Any number of goroutines may call it on one channel. It waits like
// [SendTimeout], at the same cost.
func RecvTimeout[T any](ch <-chan T, d time.Duration) (T, error) {
	return recvReadyOr(ch, func() (T, error) { return recvWait(ch, d) })
}

// recvReadyOr receives a value that is ready, and otherwise calls wait. To the
// inliner a call of a parameter costs a third of any other: with it RecvTimeout
// is just small enough to be inlined, and a ready receive takes as long as a
// plain one (1.0x to 1.1x). Calling recvWait in the select itself prevents
// inlining and costs a call more (1.1x to 1.3x). The closure is inlined too, and
// never allocated.
func recvReadyOr[T any](ch <-chan T, wait func() (T, error)) (v T, err error) {
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

// recvWait receives from a ch that is empty or closed: telling the two apart
// before the call would exceed the inliner's budget.
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
	return recvUntil(ch, t)
}

// recvUntil receives a value, or returns ErrTimeout when t has fired.
func recvUntil[T any](ch <-chan T, t *time.Timer) (T, error) {
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

// Timeouts sends and receives with timeouts on one timer, which it keeps
// between calls. It is for loops in which most calls wait. The zero value is
// ready to use. It belongs to one goroutine: its methods must not be called
// concurrently, and it must not be copied after the first call.
//
//	var w chanx.Timeouts[Job]
//	for {
//		job, err := w.Recv(jobs, time.Second)
//		...
//	}
//
// A Timeouts that has waited inside a testing/synctest bubble must stay in it.
// Between calls the timer is stopped, so a Timeouts that is dropped leaves
// nothing running. It relies on the timers of Go 1.23: with
// GODEBUG=asynctimerchan=1 a wait may end early.
//
// Only the first call that waits allocates. Where both sides wait with timeouts,
// a hand-off takes less than half the time of [SendTimeout] and [RecvTimeout];
// where one side waits, the same time.
type Timeouts[T any] struct{ timer *time.Timer }

// Send sends v on ch, waiting at most d, as [SendTimeout] does. It waits on the
// timer of w and does not yield first.
func (w *Timeouts[T]) Send(ch chan<- T, v T, d time.Duration) error {
	if TrySend(ch, v) {
		return nil
	}
	if d <= 0 {
		return ErrTimeout
	}
	w.start(d)
	defer w.timer.Stop()
	return sendUntil(ch, v, w.timer)
}

// Recv receives a value from ch, waiting at most d, as [RecvTimeout] does. It
// waits on the timer of w and does not yield first.
func (w *Timeouts[T]) Recv(ch <-chan T, d time.Duration) (T, error) {
	v, err := TryRecv(ch)
	if err != ErrEmpty {
		return v, err
	}
	if d <= 0 {
		return v, ErrTimeout
	}
	w.start(d)
	defer w.timer.Stop()
	return recvUntil(ch, w.timer)
}

// start sets the timer to d. Its channel needs no draining: since Go 1.23 that
// of a timer that was stopped or reset is empty. Keeping the timer makes the
// hand-off between two sides with timeouts 0.45x of one with SendTimeout.
func (w *Timeouts[T]) start(d time.Duration) {
	if w.timer == nil {
		w.timer = time.NewTimer(d)
		return
	}
	w.timer.Reset(d)
}

// SendContext sends v on ch, waiting until ctx is done. It returns nil if v was
// delivered, and ctx.Err() if it was not and is still the caller's: never both,
// never neither.
//
//   - ctx already done: does nothing, even if ch is ready.
//   - ch becoming ready and ctx done at the same moment: either.
//   - nil ch: waits for ctx, and forever if ctx is never done.
//   - closed ch, or ch closed while waiting: panics, as the language does.
//   - nil ctx: panics.
//   - ctx that is done and has no error, against its contract: context.Canceled.
//
// Any number of goroutines may call it on one channel. On a ready ch it costs
// half of a select over ch and ctx.Done(), since it tries ch alone first. It
// does not allocate; a ctx of the context package allocates its Done channel
// the first time a goroutine waits for it.
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
		return doneErr(ctx)
	}
}

// RecvContext receives a value from ch, waiting until ctx is done. The value
// is the zero value unless the error is nil.
//
//   - ctx already done: ctx.Err(); receives nothing, even if ch is ready.
//   - ch becoming ready and ctx done at the same moment: either.
//   - nil ch: waits for ctx, and forever if ctx is never done.
//   - closed ch: the values still buffered, then [ErrClosed], also when ch is
//     closed while waiting.
//   - nil ctx: panics.
//   - ctx that is done and has no error, against its contract: context.Canceled.
//
// Any number of goroutines may call it on one channel. Its cost is that of
// [SendContext].
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
		return zero, doneErr(ctx)
	}
}

// All returns an iterator that receives values from ch until ch is closed and
// drained, or ctx is done; ctx.Err() tells which. It starts no goroutine.
//
//   - ctx done before the first value: yields nothing, even if ch is ready.
//   - ch ready and ctx done at the same moment: either.
//   - break: leaves the remaining values in ch.
//   - nil ch: waits for ctx, and forever if ctx is never done.
//   - nil ctx: panics when the iteration begins.
//
// Several goroutines may iterate over one channel; each value goes to one of
// them. It is the or-done loop of "Concurrency in Go" (Cox-Buday, 2017) without
// its second channel.
func All[T any](ctx context.Context, ch <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := RecvContext(ctx, ch)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

func received[T any](v T, ok bool) (T, error) {
	if !ok {
		return v, ErrClosed
	}
	return v, nil
}

// contextErr returns ctx.Err(). It panics for a nil ctx.
func contextErr(ctx context.Context) error {
	if ctx == nil {
		panic("chanx: nil context")
	}
	return ctx.Err()
}

// doneErr returns the error of a ctx whose Done channel is closed. A context
// that breaks its contract, and has none, counts as canceled: nil would claim
// a delivery that did not happen.
func doneErr(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Canceled
}

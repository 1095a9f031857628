// Package debounce calls a function once for many events: after a quiet time
// (debounce), or at most once in a given time (throttle).
//
// When to use it: events come in bursts and one reaction to the latest is
// enough, such as reloading after changes to files, searching while the user
// types, saving, refreshing a page.
//
// When not: every event counts; use a queue. Only the latest value matters and
// the reader may be slow; a chanx.Ring of capacity 1 is enough. Calls per
// second are to be limited, and none may be skipped; use x/time/rate.
//
// Without it: a call begins while the last one runs, since [time.AfterFunc]
// uses a new goroutine each time, and both work on the same state (compare the
// race in samber/lo#650):
//
//	func event() {
//		if timer != nil {
//			timer.Stop() // too late: save may run already
//		}
//		timer = time.AfterFunc(quiet, save)
//	}
//
// Edge cases:
//   - debounce: the call comes when no event has come for the quiet time.
//   - longest: in a stream of events without a pause, the call comes so long
//     after the first one, and so on.
//   - throttle: the first event is passed on at once, later ones when the time
//     since the start of the last call is over, the latest value only.
//   - last event: never lost. One that comes during a call causes one more.
//   - one at a time: calls come one after the other, in Run.
//   - event never waits: also with no Run, or during a call.
//   - no events: no timer and no goroutine.
//   - context done: Run returns at once, and keeps a pending event. Take
//     returns it, to save or to drop it.
//   - run again: continues with the pending event.
//   - panic: in the function passes through Run; its event is gone.
//   - bad arguments: quiet < 1, longest < quiet or every < 1 panics.
//
// Search: debounce, throttle, coalesce, rate limit events, burst of events,
// trailing edge.
package debounce

import (
	"context"
	"sync"
	"time"
)

// A Trigger turns many events into few calls.
type Trigger[T any] struct {
	due  func(first, last, fired time.Time) time.Time
	wake chan struct{}

	mu                 sync.Mutex // guards the rest
	pending            bool
	value              T         // of the last event
	first, last, fired time.Time // pending events, and the last call
}

// Debounce returns a trigger for calls quiet after the last event, and at the
// latest longest after the first.
func Debounce[T any](quiet, longest time.Duration) *Trigger[T] {
	if quiet < 1 || longest < quiet {
		panic("debounce: quiet < 1 or longest < quiet")
	}
	return newTrigger[T](func(first, last, _ time.Time) time.Time {
		if at := first.Add(longest); at.Before(last.Add(quiet)) {
			return at
		}
		return last.Add(quiet)
	})
}

// Throttle returns a trigger for calls that begin at least every apart.
func Throttle[T any](every time.Duration) *Trigger[T] {
	if every < 1 {
		panic("debounce: every < 1")
	}
	return newTrigger[T](func(_, _, fired time.Time) time.Time {
		return fired.Add(every)
	})
}

func newTrigger[T any](due func(first, last, fired time.Time) time.Time) *Trigger[T] {
	return &Trigger[T]{due: due, wake: make(chan struct{}, 1)}
}

// Event tells that something has happened. It never waits.
func (t *Trigger[T]) Event(v T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.last = v, time.Now()
	if !t.pending {
		t.pending, t.first = true, t.last
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// Run calls f until ctx is done and returns ctx.Err(). One goroutine runs it.
func (t *Trigger[T]) Run(ctx context.Context, f func(context.Context, T)) error {
	for ctx.Err() == nil {
		var timer <-chan time.Time
		if wait, pending := t.wait(); pending && wait <= 0 {
			v, _ := t.Take()
			f(ctx, v)
			continue
		} else if pending {
			timer = time.After(wait)
		}
		select {
		case <-timer: // later events may have moved the moment
		case <-t.wake:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func (t *Trigger[T]) wait() (d time.Duration, pending bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.due(t.first, t.last, t.fired)), t.pending
}

// Take returns the value of a pending event, which is then no longer pending.
func (t *Trigger[T]) Take() (v T, pending bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, pending = t.value, t.pending
	t.value, t.pending, t.fired = *new(T), false, time.Now()
	return v, pending
}

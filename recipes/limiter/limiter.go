// Package limiter lets only n functions run at a time, in no more than n
// goroutines.
//
// When to use it: a loop or a handler starts a goroutine for each item, and
// memory, file descriptors or a database allow only so many.
//
// When not: the caller need not heed a context; errgroup with SetLimit is
// enough, and returns the first error. Functions of different cost; use
// x/sync/semaphore. Calls per second; use x/time/rate.
//
// Without it: the slot is acquired inside the goroutine, so all the goroutines
// exist at once and only their work is limited (tw93/Mole#296):
//
//	for _, item := range items {
//		go func() {
//			slots <- struct{}{} // heeds no ctx
//			work(item)
//			<-slots // not after a panic
//		}()
//	}
//
// Edge cases:
//   - at most n: functions run, of Go and Do together, in as many goroutines.
//   - no slot: Go and Do wait for one until ctx is done, and return ctx.Err();
//     the function is then not called. TryGo returns false at once.
//   - context done before: no function is called, even if there is a slot.
//   - wait: returns when every function has ended. Call it after the last Go.
//   - panic: of Do passes to its caller, such as an HTTP handler, and frees the
//     slot. A panic in Go ends the process, as in any goroutine.
//   - goexit: frees the slot.
//   - nested: a function that waits for another slot can wait for itself; use
//     TryGo there.
//   - bad arguments: n < 1 panics.
//
// Search: limiter, semaphore, limit goroutines, counting semaphore, throttle
// goroutines, max concurrency, bulkhead.
package limiter

import (
	"context"
	"sync"
)

// A Limiter has n slots. New makes one.
type Limiter struct {
	slots   chan struct{}
	running sync.WaitGroup
}

// New returns a limiter for n functions at a time.
func New(n int) *Limiter {
	if n < 1 {
		panic("limiter: n < 1")
	}
	return &Limiter{slots: make(chan struct{}, n)}
}

// Go waits for a slot and calls f in a goroutine.
func (l *Limiter) Go(ctx context.Context, f func()) error {
	err := l.acquire(ctx)
	if err == nil {
		l.start(f)
	}
	return err
}

// TryGo calls f in a goroutine if there is a slot.
func (l *Limiter) TryGo(f func()) bool {
	select {
	case l.slots <- struct{}{}:
		l.start(f)
		return true
	default:
		return false
	}
}

// Do waits for a slot and calls f.
func (l *Limiter) Do(ctx context.Context, f func()) error {
	if err := l.acquire(ctx); err != nil {
		return err
	}
	defer l.release()
	f()
	return nil
}

// Wait waits for the functions of Go and TryGo.
func (l *Limiter) Wait() { l.running.Wait() }

func (l *Limiter) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Limiter) start(f func()) {
	l.running.Go(func() {
		defer l.release()
		f()
	})
}

func (l *Limiter) release() { <-l.slots }

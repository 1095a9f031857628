// Package reload runs one load for any number of requests that arrive while
// another load is running.
//
// When to use it: something expensive must follow a change, and once is enough
// for all changes made in the meantime: reload, refresh, rebuild, flush.
//
// When not: each request needs its own answer; use singleflight. A load
// must wait until a burst of changes is over; use recipe debounce.
//
// Without it: a file watcher that reports one change several times reloads
// several times, side by side, as in fatedier/frp#1176:
//
//	for range watcher.Events {
//		go load(ctx) // an older load may finish last
//	}
//
// Edge cases:
//   - requests while one waits: one load for all of them.
//   - request during a load: one more load after it, so that no change made
//     before a request is ever missed.
//   - load fails: failed gets the error, and the next request loads again. Run
//     goes on.
//   - every: a load also follows when nothing was requested for that long after
//     the last one. Zero: only on request.
//   - never at once: loads do not overlap.
//   - ctx done: Run returns ctx.Err() at once, also during the wait for every; a
//     load that runs has this ctx, and its error is not reported then.
//   - before run: requests are kept as one. Nothing is loaded without one.
//
// For a signal of the operating system, range over the channel of signal.Notify
// and call Request.
//
// Search: reload signal, coalesce, config reload, SIGHUP, refresh cache, dirty
// flag, notify once, wake up a goroutine, conflate.
package reload

import (
	"context"
	"time"
)

// A Reloader is made by New. Run must be running for requests to have effect.
type Reloader struct {
	asked  chan struct{} // capacity 1: one token stands for any number
	every  time.Duration
	load   func(context.Context) error
	failed func(error)
}

// New returns a Reloader that calls load, and failed with its errors.
func New(
	every time.Duration, load func(context.Context) error, failed func(error),
) *Reloader {
	return &Reloader{make(chan struct{}, 1), every, load, failed}
}

// Request asks for a load. It never waits, and reports whether it was the first
// request since the last load began.
func (r *Reloader) Request() bool {
	select {
	case r.asked <- struct{}{}:
		return true
	default:
		return false
	}
}

// Run loads after requests, on the goroutine of the caller, until ctx is done.
func (r *Reloader) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		var due <-chan time.Time
		if r.every > 0 {
			due = time.After(r.every)
		}
		select {
		case <-r.asked: // before the load: a request from now on asks anew
		case <-due:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := r.load(ctx); err != nil && ctx.Err() == nil {
			r.failed(err)
		}
	}
	return ctx.Err()
}

// Package consumer empties a queue on one goroutine that outlives the errors
// and panics of its handler, and drains on shutdown.
//
// When to use it: events must be handled one after another, in the background,
// for as long as the service runs: event handlers, forwarders, writers. The
// oldest events may be dropped when the handler cannot keep up.
//
// When not: no event may be dropped; use recipe workerpool, whose Submit waits.
// Lines of a log; use asynclog.
//
// Without it: a loop that returns on an error stops the queue for good, and its
// senders block, as in jeanphorn/log4go#22:
//
//	for event := range events {
//		if err := handle(event); err != nil {
//			return // and nothing receives from events anymore
//		}
//	}
//
// Edge cases:
//   - handler fails: the event is tried again in the loop, Attempts times in
//     all. The growing pause in between holds up the events behind it.
//   - given up: Outcome gets the event with its last error, and the next event
//     is handled: one bad event in a hundred costs only itself.
//   - handler panics: or calls runtime.Goexit. That counts as an attempt; the
//     consumer is restarted as Policy says, and the event is tried again.
//   - queue full: Send drops the oldest event, also while the consumer pauses.
//   - shutdown: Send returns false, and the queued events are handled.
//   - shutdown deadline: the ctx of the handler is canceled, and the error has
//     the number of events left, including the one in hand.
//   - policy gives up: Send returns false from then on, and Shutdown returns
//     the error with the number of events left.
//
// Leave Heartbeat and ReplaceStalled of the policy unset: the consumer does not
// beat while it is idle, as recipe heartbeat does, and two of them at once would
// share one event.
//
// Search: supervised consumer, event loop, background worker, drain on
// shutdown, dead letter, retry an event, poison message.
package consumer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// ErrPanicked is the error of an attempt that did not return.
var ErrPanicked = errors.New("handler panicked or called Goexit")

// A Consumer handles the values sent to its ring. Set the exported fields, then
// call Start. Send is that of Events; it never waits.
type Consumer[T any] struct {
	Events   *chanx.Ring[T]
	Handle   func(ctx context.Context, event T) error
	Attempts int                       // for each event, at least 1
	Pause    time.Duration             // before the second attempt, twice before the third ...
	Outcome  func(event T, last error) // nil if handled, else it is given up
	Policy   chanx.RestartPolicy       // for panics

	cancel   context.CancelFunc
	done     chan struct{} // closed after err was written
	err      error
	finished atomic.Uint64 // events handled or given up
	inHand   T             // this and the following: of one run after the other
	tried    int           // how often inHand was; 0: nothing is in hand
	last     error         // of inHand
}

// Start starts the goroutine. Shutdown ends it.
func (c *Consumer[T]) Start() {
	if c.Events == nil || c.Handle == nil || c.Outcome == nil || c.Attempts < 1 {
		panic("consumer: Events, Handle, Outcome or Attempts is not set")
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan struct{})
	go func() {
		c.err = chanx.Supervise(ctx, c.run, c.Policy)
		c.Events.Close() // or senders would believe that it goes on
		close(c.done)
	}()
}

// Left returns the number of events that are queued or in hand.
func (c *Consumer[T]) Left() uint64 {
	finished := c.finished.Load() // first, so that it is not ahead
	s := c.Events.Stats()
	return s.Sent - s.Dropped - finished
}

// Shutdown waits until every queued event was handled or ctx is done.
func (c *Consumer[T]) Shutdown(ctx context.Context) (err error) {
	defer c.cancel()
	c.Events.Close()
	select {
	case <-c.done:
		err = c.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if n := c.Left(); n > 0 {
		return fmt.Errorf("%d events left: %w", n, err)
	}
	return err
}

func (c *Consumer[T]) run(ctx context.Context) error {
	if c.tried > 0 { // by a run that panicked
		c.try(ctx)
	}
	for c.inHand = range c.Events.All(ctx) {
		c.try(ctx)
	}
	return cmp.Or(ctx.Err(), chanx.ErrStop)
}

// try finishes the event in hand, unless ctx ends it.
func (c *Consumer[T]) try(ctx context.Context) {
	for c.tried < c.Attempts {
		chanx.RecvTimeout(ctx.Done(), time.Duration(c.tried)*c.Pause)
		c.tried, c.last = c.tried+1, ErrPanicked
		if c.last = c.Handle(ctx, c.inHand); c.last == nil {
			break
		} else if ctx.Err() != nil {
			return
		}
	}
	c.tried = 0
	c.finished.Add(1)
	c.Outcome(c.inHand, c.last)
}

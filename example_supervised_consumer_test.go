package chanx_test

// A supervised consumer that drains on shutdown.
//
// Use when: one goroutine empties a queue, and the service must outlive its
// errors and panics: event handlers, writers, forwarders.
//
// Edge cases:
//   - handle returns an error or panics: the consumer is restarted after its
//     backoff, and the event it had in hand is tried again: at least once, not
//     at most once.
//   - an event that fails maxAttempts times is given up and counted; without
//     that a single bad event would stop the queue for ever.
//   - queue full, also during backoff: the oldest events are dropped, counted
//     in Stats().Dropped.
//   - Shutdown: Send returns false from then on; what is queued is handled,
//     restarts included. If ctx is done first, handle's ctx is cancelled and
//     the error says how many events are left in the queue.
//   - the policy gives up: Shutdown returns its error. The zero policy never
//     does.
//   - ReplaceStalled would run two consumers beside each other, and inHand
//     belongs to one: do not set it here.
//
// To change: the type of an event; maxAttempts; the policy, whose OnEvent is
// the place for metrics. With several consumers give each its own struct and
// the ring of the first.

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"example.com/chanx"
)

const maxAttempts = 3

// A consumer must be made by startConsumer and shut down.
type consumer struct {
	events *chanx.Ring[string]
	handle func(ctx context.Context, event string) error
	cancel context.CancelFunc
	done   chan struct{} // closed after err was written
	err    error
	gaveUp atomic.Uint64 // events

	// Used by one run after the other, so that an event outlives the run
	// that failed on it.
	inHand   string
	attempts int // 0: nothing in hand
}

func startConsumer(
	capacity int, handle func(context.Context, string) error,
	policy chanx.RestartPolicy,
) *consumer {
	ctx, cancel := context.WithCancel(context.Background())
	c := &consumer{
		events: chanx.NewRing[string](capacity),
		handle: handle,
		cancel: cancel,
		done:   make(chan struct{}),
	}
	go func() {
		defer cancel()
		c.err = chanx.Supervise(ctx, c.run, policy)
		close(c.done)
	}()
	return c
}

// Send never waits and reports whether the event was queued: false after
// Shutdown only.
func (c *consumer) Send(event string) bool { return c.events.Send(event) }

// Shutdown waits until all that is queued has been handled or ctx is done.
func (c *consumer) Shutdown(ctx context.Context) error {
	c.events.Close()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		c.cancel()
		return fmt.Errorf("%d events left: %w", c.events.Len(), ctx.Err())
	}
}

func (c *consumer) run(ctx context.Context) error {
	for {
		if err := c.take(ctx); err == chanx.ErrClosed {
			return chanx.ErrStop // drained: the orderly end
		} else if err != nil {
			return err // ctx is done
		}
		c.attempts++ // before handle, so that a panic counts as well
		if err := c.handle(ctx, c.inHand); err != nil {
			return err
		}
		c.release()
	}
}

// take sees to it that there is an event in hand.
func (c *consumer) take(ctx context.Context) error {
	if c.attempts == maxAttempts {
		c.gaveUp.Add(1)
		c.release()
	}
	if c.attempts > 0 {
		return ctx.Err()
	}
	event, err := c.events.Recv(ctx)
	c.inHand = event
	return err
}

func (c *consumer) release() { c.inHand, c.attempts = "", 0 }

func Example_supervisedConsumer() {
	tried := map[string]int{}
	handle := func(_ context.Context, event string) error {
		tried[event]++
		fmt.Println(event, tried[event])
		switch {
		case event == "b" && tried[event] == 1:
			return errors.New("connection reset")
		case event == "c" && tried[event] == 1:
			panic("index out of range")
		case event == "d":
			return errors.New("no such customer")
		}
		return nil
	}
	// No waiting between restarts, for the example's sake.
	c := startConsumer(64, handle, chanx.RestartPolicy{MinBackoff: -1})
	for _, event := range []string{"a", "b", "c", "d", "e"} {
		c.Send(event)
	}
	fmt.Println("shutdown:", c.Shutdown(context.Background()))
	fmt.Println("given up:", c.gaveUp.Load(), "late:", c.Send("f"))
	// Output:
	// a 1
	// b 1
	// b 2
	// c 1
	// c 2
	// d 1
	// d 2
	// d 3
	// e 1
	// shutdown: <nil>
	// given up: 1 late: false
}

// Package senders closes a channel that many goroutines send on, without a
// panic and without losing a value.
//
// When to use it: several goroutines send, one or more range over the channel,
// and any of them, or a shutdown, may end it while the others still send.
//
// When not: one goroutine knows when all senders have ended, as after
// [sync.WaitGroup.Wait]; it closes the channel. Senders must not wait; use
// chanx.Ring, which may be closed at any time. Receivers only have to stop;
// cancel a context and close nothing.
//
// Without it: the check and the send are two steps, and a close comes in
// between (dedis/cothority#1871, blinklabs-io/gouroboros#784):
//
//	if !closed.Load() {
//		ch <- v // panic: send on closed channel
//	}
//
// Edge cases:
//   - close: a Send that waits returns ErrClosed, and so does every later one;
//     its value is still the caller's. Values sent before stay receivable, then
//     the channel ends.
//   - sent: a value for which Send returned nil is received, if receivers go on
//     until the end.
//   - close twice: from any goroutine, also at the same time, is fine.
//   - close without a receiver: does not wait for one.
//   - context done: Send returns ctx.Err(), and tries nothing if it is done
//     before.
//   - no buffer: Send returns nil when a receiver has the value.
//
// Search: close channel with many senders, send on closed channel, close
// channel safely, multiple producers, who closes the channel.
package senders

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed reports that the channel is closed.
var ErrClosed = errors.New("senders: closed")

// A Chan is a channel for many senders. New makes one.
type Chan[T any] struct {
	values chan T
	quit   chan struct{} // closed first, to wake the senders
	once   sync.Once
	mu     sync.RWMutex // read-locked to send, locked to close values
}

// New returns a channel with room for capacity values.
func New[T any](capacity int) *Chan[T] {
	return &Chan[T]{values: make(chan T, capacity), quit: make(chan struct{})}
}

// C returns the channel to receive from.
func (c *Chan[T]) C() <-chan T { return c.values }

// Send sends v, and waits for room until ctx is done or c is closed.
func (c *Chan[T]) Send(ctx context.Context, v T) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	select {
	case <-c.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	select {
	case c.values <- v:
		return nil
	case <-c.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes the channel.
func (c *Chan[T]) Close() {
	c.once.Do(func() {
		close(c.quit)
		c.mu.Lock() // every Send has returned, or will return ErrClosed
		defer c.mu.Unlock()
		close(c.values)
	})
}

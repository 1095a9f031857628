// Package outlive runs work that goes on after the request that caused it, with
// a bound on its number and time, and waits for it at shutdown.
//
// When to use it: a handler has answered, and something small must still be
// done: an audit record, a webhook, a cache to warm.
//
// When not: the answer must wait for the work; call it. There is much work; use
// the recipe shedload, which queues it. It must survive a crash; keep it on
// disk.
//
// Without it: the context of a request is canceled when its handler returns, so
// the work fails; with context.Background the trace is lost, and nothing waits
// for it (ferro-labs/ai-gateway#181):
//
//	go func() {
//		record(r.Context(), event) // context canceled
//	}()
//
// Edge cases:
//   - request ends: the ctx of the work is not canceled by that.
//   - values: of the request's context, such as a trace, are those of the work.
//   - timeout: ends the ctx of the work.
//   - full: with n at work Go returns ErrFull at once. The caller does the work
//     itself, or not at all.
//   - shutdown: waits for the work; later Go returns ErrClosed.
//   - shutdown deadline: Shutdown returns ctx.Err() when its ctx is done first,
//     and ends the ctx of the work.
//   - panic: of the work ends the process, as in any goroutine, although one in
//     the handler would not. Recover in the work if need be.
//   - goexit: frees its place.
//   - bad arguments: n < 1 panics.
//
// Search: context.WithoutCancel, detached context, outlive the request,
// goroutine after response, background work of a handler, context canceled in
// goroutine.
package outlive

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The errors of Go.
var (
	ErrFull   = errors.New("outlive: full")
	ErrClosed = errors.New("outlive: shut down")
)

// A Group runs work. New makes one.
type Group struct {
	ctx     context.Context // done: the work should end
	cancel  context.CancelFunc
	slots   chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex // guards adding to running, and closed
	closed  bool
}

// New returns a group for n at work at a time.
func New(n int) *Group {
	if n < 1 {
		panic("outlive: n < 1")
	}
	g := &Group{slots: make(chan struct{}, n)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// Go calls work in a goroutine, with the values of ctx and a timeout.
func (g *Group) Go(
	ctx context.Context, timeout time.Duration, work func(context.Context)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	select {
	case g.slots <- struct{}{}:
	default:
		return ErrFull
	}
	g.running.Go(func() {
		defer func() { <-g.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		defer context.AfterFunc(g.ctx, cancel)()
		work(ctx)
	})
	return nil
}

// Shutdown accepts no more work and waits for the rest until ctx is done.
func (g *Group) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	done := make(chan struct{})
	go func() { g.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		g.cancel()
		return ctx.Err()
	}
}

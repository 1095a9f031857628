package asynclog

import (
	"context"
	"time"
)

// nap is how the worker waits: with one timer for all its life, since a
// timer for each pause would be garbage at every idle moment.
type nap struct {
	timer *time.Timer
	every time.Duration // to be awake while idle; 0: not needed
}

// newNap returns a nap that, when idle, ends in time for a beat.
func newNap(stallAfter time.Duration) *nap {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &nap{timer: t, every: max(stallAfter, 0) / 2}
}

// idle waits until woken, or until it is time for a beat.
func (n *nap) idle(ctx context.Context, wake <-chan struct{}) {
	if n.every > 0 {
		n.timer.Reset(n.every)
		defer n.timer.Stop()
	}
	n.wait(ctx, wake)
}

// pause waits for d, or until woken.
func (n *nap) pause(ctx context.Context, wake <-chan struct{}, d time.Duration) {
	n.timer.Reset(d)
	defer n.timer.Stop()
	n.wait(ctx, wake)
}

func (n *nap) wait(ctx context.Context, wake <-chan struct{}) {
	select {
	case <-wake:
	case <-n.timer.C:
	case <-ctx.Done():
	}
}

func (n *nap) stop() { n.timer.Stop() }

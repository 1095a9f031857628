package asynclog

import (
	"context"
	"time"
)

// workTimer is the one timer of the worker, used for its whole run: a timer
// for each pause would be garbage at every idle moment.
type workTimer struct {
	timer *time.Timer
	every time.Duration // between two beats while idle; 0: no beats
}

// newWorkTimer returns a timer that ends an idle wait in time for a beat.
func newWorkTimer(stallAfter time.Duration) *workTimer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &workTimer{timer: t, every: max(stallAfter, 0) / 2}
}

// idle waits for wake, for the next beat, or for d if that is positive.
func (t *workTimer) idle(ctx context.Context, wake <-chan struct{}, d time.Duration) {
	if d <= 0 || t.every > 0 && t.every < d {
		d = t.every
	}
	if d > 0 {
		t.timer.Reset(d)
		defer t.timer.Stop()
	}
	t.wait(ctx, wake)
}

// pause waits for d. Only the end of the Writer cuts it short, which it
// reports: a Write or a Flush that did would defeat the backoff.
func (t *workTimer) pause(ctx context.Context, closing <-chan struct{},
	d time.Duration) (closed bool) {
	t.timer.Reset(d)
	defer t.timer.Stop()
	return t.wait(ctx, closing)
}

// wait reports whether it was the signal that ended it.
func (t *workTimer) wait(ctx context.Context, signal <-chan struct{}) bool {
	select {
	case <-signal:
		return true
	case <-t.timer.C:
	case <-ctx.Done():
	}
	return false
}

func (t *workTimer) stop() { t.timer.Stop() }

// Package retry calls a function until it succeeds, with a growing random wait
// between the attempts, and heeds a context while it waits.
//
// When to use it: a call over the network that fails now and then, may be
// repeated safely, and is worth the delay.
//
// When not: the client retries by itself, as many SDKs and proxies do: the
// attempts multiply. The call is not idempotent. It should go on forever; use
// chanx.Supervise.
//
// Without it: the sleep does not heed the context, so a canceled request holds
// its goroutine for the whole backoff, as in gojek/heimdall#145:
//
//	for range attempts {
//		if err = f(ctx); err == nil {
//			return nil
//		}
//		time.Sleep(backoff) // also after the last attempt
//		backoff *= 2        // and overflows
//	}
//
// Edge cases:
//   - success: returns nil at once.
//   - attempts used up: returns the last error, without a wait after it.
//   - context done before: f is not called; returns ctx.Err().
//   - context done while waiting: returns at once, with the last error and
//     ctx.Err(), both found by errors.Is.
//   - deadline: a wait that would end after it does not begin; the error is
//     that of a ctx that is done.
//   - permanent: an error that Permanent has marked ends it at once.
//   - full jitter: the wait is random between 0 and a limit, which begins at
//     low and doubles up to high, so that clients do not retry in step.
//   - deaf function: Retry waits for f, also when ctx is done. Put the recipe
//     call around an f that does not heed it.
//   - no overflow: also with a thousand attempts and the highest duration.
//   - panic: in f, and runtime.Goexit, pass through.
//   - bad arguments: attempts < 1, low < 1 or high < low panic.
//
// Search: retry, backoff, exponential backoff, jitter, retries, try again.
package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

type permanent struct{ error }

// Unwrap returns the error that was marked.
func (p permanent) Unwrap() error { return p.error }

// Permanent marks err as one that another attempt would not cure. A nil err
// stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// Retry calls f as many as attempts times, until it returns nil.
func Retry(ctx context.Context, attempts int, low, high time.Duration,
	f func(context.Context) error) error {
	if attempts < 1 || low < 1 || high < low {
		panic("retry: attempts < 1, low < 1 or high < low")
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for limit := low; ; limit = max(low, min(limit, high/2)*2) {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if attempts--; attempts == 0 || errors.As(err, new(permanent)) {
			return err
		}
		if stopped := sleep(ctx, rand.N(limit)); stopped != nil {
			return fmt.Errorf("%w (no more attempts: %w)", err, stopped)
		}
	}
}

// sleep returns nil after d, and the error of ctx once it is clear that ctx is
// done before.
func sleep(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return context.DeadlineExceeded
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

package supervise

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// retry is made for operations that succeed in the end rather than for workers
// that never do, but is used for them: nil ends it.
var retry = peer{
	name: "cenkalti/backoff v5", hooks: true,
	keep: func(ctx context.Context, w work, hook func(cause)) error {
		opts := []backoff.RetryOption{
			backoff.WithBackOff(&backoff.ZeroBackOff{}),
			backoff.WithMaxElapsedTime(0),
		}
		if hook != nil {
			opts = append(opts, backoff.WithNotify(
				func(err error, _ time.Duration) {
					hook(cause{err: err, text: err.Error()})
				}))
		}
		_, err := backoff.Retry(ctx, permanent(ctx, w), opts...)
		return err
	},
	herd: func(n int, w work) func() {
		return together(n, func(ctx context.Context) {
			_, _ = backoff.Retry(ctx, permanent(ctx, w))
		})
	},
}

func permanent(ctx context.Context, w work) backoff.Operation[struct{}] {
	return func() (struct{}, error) {
		err := w(ctx)
		if err == errDone {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
}

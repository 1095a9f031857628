package chanx_test

// A reload signal that coalesces: many requests, one reload.
//
// Use when: something expensive must happen after a change, and any number of
// changes in the meantime need it once: reload, refresh, rebuild, flush.
//
// Edge cases:
//   - request while one is waiting: nothing to add, that one covers it.
//   - request while a load runs: exactly one more load after it. The token is
//     taken before the load starts, so no change made before a request is
//     ever missed.
//   - load fails: the old state stays, failed is told, and the next request
//     tries again. Run does not end, or nobody would serve the next one.
//   - ctx done: Run returns ctx.Err(), also before the first request. Requests
//     after that are harmless and without effect.
//
// To change: load and failed. To bring a burst together that lasts longer than
// a load, wait after receiving the token; to reload at least every d, receive
// with chanx.RecvTimeout and take ErrTimeout for a request. For a signal of
// the operating system, signal.Notify on a channel of capacity 1 is this.

import (
	"context"
	"errors"
	"fmt"

	"example.com/chanx"
)

// A reloader must be made by newReloader.
type reloader struct {
	asked  chan struct{} // capacity 1: one token stands for any number
	load   func(context.Context) error
	failed func(error)
}

func newReloader(
	load func(context.Context) error, failed func(error),
) *reloader {
	return &reloader{make(chan struct{}, 1), load, failed}
}

// Request never waits. It reports whether it was the first since the last load
// began.
func (r *reloader) Request() bool {
	return chanx.TrySend(r.asked, struct{}{})
}

// Run loads after every request, or burst of them, until ctx is done.
func (r *reloader) Run(ctx context.Context) error {
	for {
		if _, err := chanx.RecvContext(ctx, r.asked); err != nil {
			return err
		}
		if err := r.load(ctx); err != nil {
			r.failed(err)
		}
	}
}

func Example_reloadSignal() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	loads := 0
	var r *reloader
	load := func(context.Context) error {
		loads++
		fmt.Println("load", loads)
		if loads == 2 {
			cancel()
			return errors.New("syntax error in line 7")
		}
		r.Request() // the file changes twice while it is being read
		r.Request()
		return nil
	}
	r = newReloader(load, func(err error) { fmt.Println("kept old:", err) })

	for range 5 {
		r.Request()
	}
	fmt.Println(r.Run(ctx))
	// Output:
	// load 1
	// load 2
	// kept old: syntax error in line 7
	// context canceled
}

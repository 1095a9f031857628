package supervise

import (
	"context"
	"sync"
)

// loop is what most programs have.
var loop = peer{
	name: "for { f() }",
	keep: func(ctx context.Context, w work, _ func(cause)) error {
		for ctx.Err() == nil {
			if err := w(ctx); err == errDone {
				return nil
			}
		}
		return ctx.Err()
	},
	herd: func(n int, w work) func() {
		return together(n, func(ctx context.Context) {
			for ctx.Err() == nil {
				_ = w(ctx)
			}
		})
	},
}

// goroutine starts one anew for every run and joins it: the least that a
// restart can be if the worker is to have a stack of its own.
var goroutine = peer{
	name: "for { go f(); wait }", unguarded: true,
	keep: func(ctx context.Context, w work, _ func(cause)) error {
		var err error
		for ctx.Err() == nil && err != errDone {
			var run sync.WaitGroup
			run.Go(func() { err = w(ctx) })
			run.Wait()
		}
		return ctx.Err()
	},
}

// Package heartbeat makes a worker that reports progress from its work loop, so
// that a supervisor notices when it hangs without ending.
//
// When to use it: a worker can get stuck in a call that neither returns nor
// fails: a disk, a lock, a peer that does not answer.
//
// When not: the call takes a context or a deadline; use that, since nothing can
// end a goroutine that is stuck. A worker that ends needs only Supervise.
//
// Without it: the process looks healthy for as long as anything in it works,
// and a goroutine with a ticker only proves that the ticker works, as in
// bsv-blockchain/teranode#1447:
//
//	go func() {
//		for range time.Tick(time.Second) {
//			lastBeat.Store(time.Now().Unix()) // the worker is stuck elsewhere
//		}
//	}()
//
// Edge cases:
//   - idle: the worker beats while it waits for jobs, so that a quiet night is
//     no stall.
//   - stalled: a job that takes longer than the Heartbeat of the policy is
//     reported, and as recovered at the next beat. A long job calls chanx.Beat
//     with its ctx between its steps.
//   - replaced: with ReplaceStalled another worker takes the next jobs, and the
//     ctx of the stuck job is canceled. Two of them run at once then.
//   - job panics: or calls runtime.Goexit. lost gets the job, which may queue it
//     again, and the worker is restarted.
//   - closed: the queued jobs are done, then the worker ends for good.
//   - ctx done: the worker ends after the job in hand, and at once when idle.
//     The other jobs stay in the ring.
//
// Search: heartbeat, watchdog, stuck goroutine, hung worker, detect hang, liveness
// of a worker.
package heartbeat

import (
	"context"
	"time"

	"example.com/chanx"
)

// Worker returns a worker for chanx.Supervise, or for the Add of a Supervisor.
// It beats before each job, and every idle while there is none; idle is half
// the Heartbeat of the policy or less. The ctx of a job is that of the worker.
// Lost is called on the worker's goroutine.
func Worker[T any](
	jobs *chanx.Ring[T], idle time.Duration,
	do func(ctx context.Context, job T), lost func(job T),
) func(context.Context) error {
	return func(ctx context.Context) error {
		for ctx.Err() == nil {
			chanx.Beat(ctx)
			wait, cancel := context.WithTimeout(ctx, idle)
			job, err := jobs.Recv(wait)
			cancel()
			switch err {
			case nil:
				try(ctx, job, do, lost)
			case chanx.ErrClosed:
				return chanx.ErrStop
			}
		}
		return ctx.Err()
	}
}

func try[T any](
	ctx context.Context, job T, do func(context.Context, T), lost func(T),
) {
	returned := false
	defer func() {
		if !returned { // the panic goes on to the supervisor
			lost(job)
		}
	}()
	do(ctx, job)
	returned = true
}

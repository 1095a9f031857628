// Package periodic runs a job at once and then at regular times, never twice at
// the same time.
//
// When to use it: something is done again and again while the service runs,
// such as refreshing a cache, removing old files, sending metrics.
//
// When not: at a time of day; use a cron library. After events instead of at
// times; use the recipe debounce. On one of several machines only; that needs a
// lock outside the process.
//
// Without it: a job that takes longer than the interval runs several times at
// once, with one goroutine more for each tick (robfig/cron#329):
//
//	for range time.Tick(interval) { // the first run is late, and no ctx
//		go job()
//	}
//
// Edge cases:
//   - first run: at once, not after the first interval.
//   - regular: runs begin at whole intervals after the first, however long each
//     takes.
//   - no overlap: a run begins when the last one has ended.
//   - missed: times that pass during a run are skipped, not made up for.
//   - jitter: delays each run but the first by a random time below it, so that
//     many processes do not act together; the intervals stay regular.
//   - beat: is called after each run, with ctx. Under chanx.Supervise give
//     chanx.Beat, and a Heartbeat longer than the interval and a run.
//   - context done: Run returns ctx.Err(), between runs at once; a run has ctx.
//   - context done before: the job does not run.
//   - error: of the job ends Run, which returns it. Handle in the job what
//     should not end it.
//   - panic: in the job passes through Run.
//   - bad arguments: Every < 1, or Jitter < 0 or >= Every panics.
//
// Search: periodic job, ticker, interval, cron, scheduler, recurring task,
// polling loop, time.NewTicker.
package periodic

import (
	"context"
	"math/rand/v2"
	"time"
)

// A Schedule is the times at which a job runs.
type Schedule struct {
	Every  time.Duration
	Jitter time.Duration         // 0: none
	Beat   func(context.Context) // nil: none
}

// Run calls job until ctx is done or job fails.
func (s Schedule) Run(ctx context.Context, job func(context.Context) error) error {
	if s.Every < 1 || s.Jitter < 0 || s.Jitter >= s.Every {
		panic("periodic: Every < 1, or Jitter < 0 or >= Every")
	}
	start := time.Now()
	for ctx.Err() == nil {
		if err := job(ctx); err != nil {
			return err
		}
		if s.Beat != nil {
			s.Beat(ctx)
		}
		wait := s.Every - time.Since(start)%s.Every
		if s.Jitter > 0 {
			wait += rand.N(s.Jitter)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

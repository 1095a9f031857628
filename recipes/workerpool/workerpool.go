// Package workerpool runs jobs on a fixed number of goroutines, with room for
// a fixed number of jobs to wait.
//
// When to use it: jobs come from many goroutines over time, only so many may
// run at once and only so many may wait. A caller that brings more waits with a
// bound or is refused.
//
// When not: all jobs are known, or a job has a result; use errgroup with
// SetLimit, or recipe parallelmap. Jobs of one key must run in order: recipe
// keyedpool.
//
// Without it: a goroutine for each job grows without bound, and a plain channel
// panics when it is closed while others send (alitto/pond#43):
//
//	if !p.stopped.Load() {
//		p.jobs <- job // Stop closes jobs between the check and the send
//	}
//
// Edge cases:
//   - queue full: Submit waits until ctx is done and returns ctx.Err();
//     TrySubmit returns ErrFull at once. The job is still the caller's.
//   - accepted: a job for which either returned nil is run once, also if
//     Shutdown comes next, unless the process ends.
//   - shutdown wakes submit: a Submit that is waiting for room returns
//     ErrClosed, and so does every later one.
//   - shutdown deadline: Shutdown returns ctx.Err() when its ctx is done first,
//     and cancels the ctx of the jobs. Those still queued are run with that
//     ctx; a second Shutdown waits for them.
//   - goexit: a job that calls runtime.Goexit, as t.FailNow does, takes its
//     goroutine along, and another one replaces it.
//   - submit from a job: TrySubmit is safe. If all workers are in Submit with
//     a full queue, they wait for themselves until their ctx is done.
//   - no workers: New panics if workers < 1 or queued < 0. With queued == 0
//     Submit hands the job to a worker that is free.
//
// A job that panics ends the process, as in any goroutine. To survive that,
// recover in do.
//
// Search: worker pool, goroutine pool, thread pool, bounded parallelism, limit
// concurrency, job queue, fan-out, dispatch.
package workerpool

import (
	"context"
	"errors"
	"sync"
)

// Submit returns ErrClosed after Shutdown, and TrySubmit ErrFull without room.
var ErrClosed, ErrFull = errors.New("pool: closed"), errors.New("pool: full")

// A Pool is made by New and ended by Shutdown. Its methods may be called from
// any goroutine.
type Pool[T any] struct {
	quit, done  chan struct{} // closed by stop; when all workers have returned
	stop, hurry func()        // may be called again; hurry cancels the jobs' ctx
	mu          sync.RWMutex  // read-locked to send
	jobs        chan T        // nil after it was closed
}

// New starts workers that call do. Up to queued jobs wait for one of them.
func New[T any](workers, queued int, do func(context.Context, T)) *Pool[T] {
	if workers < 1 || queued < 0 {
		panic("worker pool: workers < 1 or queued < 0")
	}
	ctx, hurry := context.WithCancel(context.Background())
	jobs, all := make(chan T, queued), new(sync.WaitGroup)
	p := &Pool[T]{jobs: jobs, quit: make(chan struct{}), hurry: hurry}
	p.stop, p.done = sync.OnceFunc(func() { close(p.quit) }), make(chan struct{})
	var work func()
	work = func() {
		if job, ok := <-jobs; ok {
			defer all.Go(work) // do may call Goexit
			do(ctx, job)
			for job = range jobs {
				do(ctx, job)
			}
		}
	}
	for range workers {
		all.Go(work)
	}
	go func() { all.Wait(); hurry(); close(p.done) }()
	return p
}

// Submit queues job. It waits for room until ctx is done.
func (p *Pool[T]) Submit(ctx context.Context, job T) error {
	p.mu.RLock() // Shutdown locks after it has woken those in the select
	defer p.mu.RUnlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case p.jobs <- job:
		return nil
	case <-p.quit:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TrySubmit queues job if there is room.
func (p *Pool[T]) TrySubmit(job T) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	select {
	case p.jobs <- job:
		return nil
	case <-p.quit:
		return ErrClosed
	default:
		return ErrFull
	}
}

// Shutdown accepts no more jobs and waits for the accepted ones until ctx is
// done. It may be called more than once.
func (p *Pool[T]) Shutdown(ctx context.Context) error {
	p.stop()
	p.mu.Lock()
	if p.jobs != nil {
		close(p.jobs)
		p.jobs = nil
	}
	p.mu.Unlock()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.hurry()
		return ctx.Err()
	}
}

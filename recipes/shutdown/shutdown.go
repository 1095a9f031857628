// Package shutdown ends a service in order: the intake first, then the queue
// behind it, then the jobs that still run, each within a time, and counts the
// jobs that are lost.
//
// When to use it: a service accepts jobs, over HTTP or from a broker, and works
// on them later. On SIGTERM the accepted jobs should be done, but the process
// must end before the orchestrator kills it:
//
//	ctx := shutdown.OnSignal(context.Background(), syscall.SIGTERM)
//	<-ctx.Done()
//	err := errors.Join( // evaluates its arguments in order
//		shutdown.Within(5*time.Second, "intake", server.Shutdown),
//		shutdown.Within(10*time.Second, "drain", queue.Drain),
//		shutdown.Within(time.Second, "cancel", queue.Cancel))
//	log.Print(err, queue.Left())
//
// When not: nothing is queued; http.Server.Shutdown is enough. Jobs must
// survive a crash; keep them on disk.
//
// Without it: the queue is closed while its senders still run, so they panic,
// and the wait for the workers has no end (shutter-network/rolling-shutter#470):
//
//	<-signals
//	close(jobs)      // handlers still send on it
//	workers.Wait()   // one of them hangs
//	server.Close()   // should have been the first
//
// Edge cases:
//   - in order: a step begins when the one before it has ended.
//   - bounded: a step that does not heed its ctx is left behind when its time
//     is over, and the error names it.
//   - failed step: does not keep the next ones from running.
//   - second signal: ends the process, if the first did not.
//   - submit: never waits and never panics. It returns false if the queue is
//     full or closed; the job is then still the caller's.
//   - drain: waits until every accepted job is done.
//   - cancel: ends the ctx of the jobs in hand; the queued ones are not begun.
//     A job that returns nil all the same is done.
//   - left: the exact number of jobs accepted and not done, at any moment,
//     those in hand included. In the end these are the lost ones.
//   - failed job: counts as done, unless Cancel came first.
//   - goexit: a job that calls runtime.Goexit counts as left, and ends its
//     worker. A job that panics ends the process.
//   - bad arguments: workers < 1 or capacity < 1 panics.
//
// Search: graceful shutdown, shutdown order, SIGTERM, drain, stop workers,
// stop a service.
package shutdown

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"
)

// OnSignal returns a context that is done at the first of signals. The second
// has its usual effect, which is to end the process.
func OnSignal(ctx context.Context, signals ...os.Signal) context.Context {
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Within runs a step of a shutdown, and waits for it no longer than d.
func Within(d time.Duration, name string, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- step(ctx) }()
	err := context.DeadlineExceeded
	select {
	case err = <-done:
	case <-ctx.Done():
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// A Queue holds jobs until one of its workers is free.
type Queue[J any] struct {
	cancel  context.CancelFunc // ends the ctx of the jobs
	workers sync.WaitGroup
	left    atomic.Int64
	mu      sync.Mutex // guards sending on jobs, and the next field
	jobs    chan J     // nil once it is closed
}

// NewQueue starts workers that call do, and lets capacity jobs wait for them.
func NewQueue[J any](workers, capacity int, do func(context.Context, J) error) *Queue[J] {
	if workers < 1 || capacity < 1 {
		panic("shutdown: workers < 1 or capacity < 1")
	}
	jobs := make(chan J, capacity)
	ctx, cancel := context.WithCancel(context.Background())
	q := &Queue[J]{jobs: jobs, cancel: cancel}
	for range workers {
		q.workers.Go(func() {
			for job := range jobs {
				if ctx.Err() == nil && (do(ctx, job) == nil || ctx.Err() == nil) {
					q.left.Add(-1)
				}
			}
		})
	}
	return q
}

// Submit gives job to the workers, or returns false.
func (q *Queue[J]) Submit(job J) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == cap(q.jobs) { // full, or nil
		return false
	}
	q.left.Add(1)
	q.jobs <- job // has room: only Submit sends
	return true
}

// Drain accepts no more jobs and waits until the workers have ended.
func (q *Queue[J]) Drain(context.Context) error { return q.stop(func() {}) }

// Cancel accepts no more jobs, ends the ctx of those in hand, and waits until
// the workers have ended.
func (q *Queue[J]) Cancel(context.Context) error { return q.stop(q.cancel) }

func (q *Queue[J]) stop(closed func()) error {
	q.mu.Lock()
	if q.jobs != nil {
		close(q.jobs)
		q.jobs = nil
	}
	q.mu.Unlock()
	closed()
	q.workers.Wait()
	return nil
}

// Left returns the number of jobs accepted and not done.
func (q *Queue[J]) Left() int { return int(q.left.Load()) }

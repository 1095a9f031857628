package chanx_test

// A bounded worker pool.
//
// Use when: jobs come from many goroutines, only so many may run at a time and
// only so many may wait; whoever brings more waits with a bound or is refused.
//
// Edge cases:
//   - room: Submit stores the job and returns nil. It is then done for sure,
//     also if Shutdown comes next, unless the process ends.
//   - queue full: Submit waits until ctx is done and returns ctx.Err(); the
//     job is the caller's. TrySubmit returns chanx.ErrFull at once.
//   - Shutdown: no job is taken any more (chanx.ErrClosed), those taken are
//     done, then it returns; earlier with ctx.Err() if ctx is done first, with
//     the workers still at work. Calling it twice is fine.
//   - a job that panics ends the process, as in any goroutine. To survive it,
//     run each worker as in example_supervised_consumer_test.go.
//   - do may call TrySubmit. If it calls Submit, all workers can come to wait
//     for room that only they can make: then only their ctx helps.
//
// To change: the type of a job and what do does; give do a ctx of the pool's
// if jobs should be told to hurry.

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"example.com/chanx"
)

// A pool must be made by newPool and shut down.
type pool[Job any] struct {
	// A token in slots stands for a place in queue, taken before the job is
	// stored. Waiting happens on the channel, which is never closed; storing
	// happens in the ring, which may be closed while others send.
	slots chan struct{}
	queue *chanx.Ring[Job]
	done  chan struct{} // closed when every worker has returned
}

// newPool starts workers that call do, with room for queued jobs to wait. It
// panics if either is less than 1.
func newPool[Job any](workers, queued int, do func(Job)) *pool[Job] {
	if workers < 1 {
		panic("pool without workers")
	}
	p := &pool[Job]{
		queue: chanx.NewRing[Job](queued),
		slots: make(chan struct{}, queued),
		done:  make(chan struct{}),
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { p.work(do) })
	}
	go func() {
		running.Wait()
		close(p.done)
	}()
	return p
}

func (p *pool[Job]) work(do func(Job)) {
	for job := range p.queue.All(context.Background()) {
		<-p.slots
		do(job)
	}
}

// Submit waits for room until ctx is done.
func (p *pool[Job]) Submit(ctx context.Context, job Job) error {
	if err := chanx.SendContext(ctx, p.slots, struct{}{}); err != nil {
		return err
	}
	return p.store(job)
}

// TrySubmit never waits.
func (p *pool[Job]) TrySubmit(job Job) error {
	if !chanx.TrySend(p.slots, struct{}{}) {
		return chanx.ErrFull
	}
	return p.store(job)
}

// store is called with a token in slots: the ring has room then.
func (p *pool[Job]) store(job Job) error {
	err := p.queue.TrySend(job)
	if err != nil {
		<-p.slots
	}
	return err
}

// Shutdown takes no more jobs and waits for those taken until ctx is done.
func (p *pool[Job]) Shutdown(ctx context.Context) error {
	p.queue.Close()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func Example_workerPool() {
	ctx := context.Background()
	var sum atomic.Int64
	p := newPool(4, 8, func(n int) { sum.Add(int64(n * n)) })
	for n := range 101 {
		if err := p.Submit(ctx, n); err != nil {
			fmt.Println(n, err)
		}
	}
	fmt.Println("shutdown:", p.Shutdown(ctx))
	fmt.Println("sum of squares:", sum.Load())
	fmt.Println("one more:", p.Submit(ctx, 101))
	// Output:
	// shutdown: <nil>
	// sum of squares: 338350
	// one more: chanx: closed
}

// Package keyedpool runs the jobs of one key in order, one at a time, and those
// of different keys in parallel.
//
// When to use it: events of one account, device or file must be handled in the
// order in which they came, and accounts must not wait for each other.
//
// When not: order does not matter; use the recipe workerpool. The order of all
// results matters; use the recipe ordered. Only the latest event of a key
// matters; use a map of recipe debounce.
//
// Without it: a goroutine and a channel for each key are never given up, so
// both grow with every key ever seen (grafana/dskit#1047):
//
//	ch, ok := workers[key]
//	if !ok {
//		ch = make(chan Job, 100)
//		workers[key] = ch
//		go work(ch) // until the process ends
//	}
//	ch <- job
//
// Edge cases:
//   - order: the jobs of a key run in the order in which they were submitted,
//     never two at once.
//   - parallel: as many keys as slots run at a time, and keys take turns: one
//     that is slow or has many jobs holds one slot.
//   - idle key: costs nothing.
//   - full: TrySubmit returns ErrFull while limit jobs are held, those that run
//     included. The job is still the caller's.
//   - shutdown: does the accepted jobs; TrySubmit returns ErrClosed.
//   - shutdown deadline: Shutdown returns ctx.Err() when its ctx is done first,
//     and ends the ctx of the jobs. The queued ones still run, with that ctx.
//   - panic: of a job is handed to failed, with its stack; the next job of the
//     key runs after that, and other keys do not notice.
//   - goexit: likewise, with a nil value.
//   - submit from a job: is fine, also for its own key.
//   - bad arguments: slots < 1 or limit < 1 panics.
//
// Search: keyed pool, per-key order, per key ordering, keyed worker pool,
// partitioned queue, serialize by key, actor per key.
package keyedpool

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
)

// The errors of TrySubmit.
var ErrFull, ErrClosed = errors.New("keyedpool: full"), errors.New("keyedpool: closed")

// A Pool runs jobs. New makes one.
type Pool[K comparable, J any] struct {
	do      func(K, J)
	failed  func(key K, value any, stack []byte)
	cancel  context.CancelFunc // ends the ctx of the jobs
	slots   chan struct{}      // one is held by each job that runs
	running sync.WaitGroup

	mu     sync.Mutex // guards the rest
	queues map[K][]J  // waiting jobs; no entry: the key is idle
	room   int
	refuse error // without room
}

// New returns a pool that calls do for as many as slots jobs at a time, and
// holds limit jobs. It calls failed with the panic of a job.
func New[K comparable, J any](slots, limit int, do func(context.Context, K, J),
	failed func(key K, value any, stack []byte)) *Pool[K, J] {
	if slots < 1 || limit < 1 {
		panic("keyedpool: slots < 1 or limit < 1")
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pool[K, J]{failed: failed, cancel: cancel, room: limit, refuse: ErrFull}
	p.do = func(key K, job J) { do(ctx, key, job) }
	p.slots, p.queues = make(chan struct{}, slots), map[K][]J{}
	return p
}

// TrySubmit queues job behind the other jobs of key. It never waits.
func (p *Pool[K, J]) TrySubmit(key K, job J) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.room <= 0 {
		return p.refuse
	}
	p.room--
	if waiting, busy := p.queues[key]; busy {
		p.queues[key] = append(waiting, job)
		return nil
	}
	p.queues[key] = nil
	p.running.Go(func() { p.run(key, job) })
	return nil
}

// run runs one job, on its own goroutine because a job may end that by Goexit,
// and starts the next one of its key.
func (p *Pool[K, J]) run(key K, job J) {
	returned := false
	defer func() {
		if v := recover(); !returned {
			p.failed(key, v, debug.Stack())
		}
		<-p.slots
		p.mu.Lock()
		defer p.mu.Unlock()
		p.room++
		if waiting := p.queues[key]; len(waiting) > 0 {
			p.queues[key] = waiting[1:]
			p.running.Go(func() { p.run(key, waiting[0]) })
		} else {
			delete(p.queues, key)
		}
	}()
	p.slots <- struct{}{}
	p.do(key, job)
	returned = true
}

// Shutdown accepts no more jobs and waits for those accepted until ctx is done.
func (p *Pool[K, J]) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	p.room, p.refuse = -1<<31, ErrClosed
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { p.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		p.cancel()
		return ctx.Err()
	}
}

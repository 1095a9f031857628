package chanx

// To copy this file: take supervise.go policy.go exit.go event.go along.

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Beat tells the supervisor that the worker whose context this is is alive. A
// worker calls it from its work loop, with its own ctx or one made from it, at
// least once in every RestartPolicy.Heartbeat. Called from a ticker goroutine
// it would prove that the ticker lives.
//
// Without a supervisor above ctx, or a Heartbeat in its policy, it does
// nothing but remember the time for WorkerStatus.LastBeat. With the ctx of a
// run that has ended, it does not count for the next. In a tree it beats for
// the nearest worker only: [Supervisor.Run] beats for itself, but a worker that
// only waits for a Supervise of its own is silent, and wants no Heartbeat.
//
// Any number of goroutines may call it. It takes a look-up in the context and
// a reading of the clock; no allocation, no lock unless the worker was stalled.
// A nil ctx panics. The idea is systemd's WatchdogSec and sd_notify.
func Beat(ctx context.Context) {
	if p := pulseOf(ctx); p != nil {
		p.beat()
	}
}

type pulseKey struct{}

func pulseOf(ctx context.Context) *pulse {
	if ctx == nil {
		panic("chanx: nil context")
	}
	p, _ := ctx.Value(pulseKey{}).(*pulse)
	return p
}

// pulse is what a running worker and its watcher know of each other. It serves
// one run, or if that is not watched, any number. It is a context, from which
// that of a run is made, and which has itself as a value.
type pulse struct {
	context.Context
	limit  time.Duration // 0: not watched
	report func(stalled bool)

	born    time.Time
	last    atomic.Int64 // of the last beat, in nanoseconds since born
	stalled atomic.Bool

	// child is the *Supervisor that runs as this worker, if one does. It is
	// an any so that Supervise can be copied without supervisor.go.
	child atomic.Value

	mu      sync.Mutex // held during report
	running bool
	timer   *time.Timer
}

// Value makes p the one that [Beat] finds.
func (p *pulse) Value(key any) any {
	if key == (pulseKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// watched sets the limit, before the first run. report is called with the
// changes between stalled and well, in order, and never after stop has
// returned. It must not call the pulse; it may set running to false, and is
// then not called again for this run.
func (p *pulse) watched(limit time.Duration, report func(stalled bool)) {
	p.limit, p.report = limit, report
}

func (p *pulse) lastBeat() time.Time {
	return p.born.Add(time.Duration(p.last.Load()))
}

// beat stores before it loads, and check the other way round, so that one of
// the two sees the other: no beat is lost between them.
func (p *pulse) beat() {
	p.last.Store(int64(time.Since(p.born)))
	if p.stalled.Load() {
		p.recover()
	}
}

func (p *pulse) recover() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running && p.stalled.Swap(false) {
		p.watch()
		p.report(false)
	}
}

// start begins a run. If it is watched, being started is a beat: its goroutine
// may have waited for its turn since the pulse was born.
func (p *pulse) start() {
	if p.limit == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = true
	p.last.Store(int64(time.Since(p.born)))
	p.watch()
}

// stop ends a run.
func (p *pulse) stop() {
	if p.limit == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
	p.timer.Stop()
}

// watch sets the timer to the first moment that would be a stall. The caller
// holds mu.
func (p *pulse) watch() {
	d := p.limit - p.silence()
	d = max(d, d+1) // silent for longer than the limit, which may be MaxInt64
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.check)
		return
	}
	p.timer.Reset(d)
}

func (p *pulse) silence() time.Duration {
	return time.Since(p.born) - time.Duration(p.last.Load())
}

// check is what the timer calls.
func (p *pulse) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || p.stalled.Load() {
		return
	}
	p.stalled.Store(true)
	if p.silence() <= p.limit {
		p.stalled.Store(false)
		p.watch()
		return
	}
	p.report(true)
}

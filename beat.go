package chanx

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Beat reports that the worker running with ctx is alive. A worker calls it
// from its work loop, with its own ctx or one derived from it, at least once
// in every RestartPolicy.Heartbeat. A call from a ticker goroutine would only
// prove that the ticker is alive.
//
// Without a supervisor above ctx it does nothing; without a Heartbeat it only
// records the time for WorkerStatus.LastBeat. A beat counts for the run that
// ctx belongs to, never for a later one. In a tree it counts for the nearest
// worker only: [Supervisor.Run] beats for itself, but a worker that waits for
// its own Supervise is silent, and should have no Heartbeat. A nil ctx panics.
//
// Any number of goroutines may call it. It costs a lookup in the context and
// a reading of the clock; it does not allocate, and takes no lock unless the
// worker was stalled. The idea is that of systemd's WatchdogSec and sd_notify.
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

// pulse is the state shared by a run and its watch. It serves one run or, if
// it is not watched, the consecutive runs of one goroutine. It is the parent of
// the context of the run, in which Beat finds it.
type pulse struct {
	context.Context
	attempt atomic.Int64
	limit   time.Duration // 0: not watched
	report  func(stalled, stopping bool)

	born    time.Time
	last    atomic.Int64 // of the last beat, in nanoseconds since born
	stalled atomic.Bool
	running bool // guarded by mu, as all that follows

	mu     sync.Mutex // held during report
	timer  *time.Timer
	due    time.Duration // when the timer is to fire, since born
	spared time.Duration // when a late check was last forgiven, since born

	// The next pulse in memory must not share the cache line of last, which a
	// worker may write from another core millions of times a second.
	_ [16]byte
}

// Value returns p to [Beat].
func (p *pulse) Value(key any) any {
	if key == (pulseKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// Err is called by package context, on a separate goroutine, when the Done
// channel of a foreign p.Context is closed. A panic there would end the process
// instead of the runs of p.
func (p *pulse) Err() (err error) {
	defer func() {
		if recover() != nil {
			err = context.Canceled
		}
	}()
	return errIfDone(p.Context)
}

// watched makes the pulse call report whenever the run becomes stalled or
// recovers, in order, and never after stop has returned. In a stall, stopping
// reports whether the run's context was done before. The report must not call
// the pulse; it may set running to false, and is then not called again for this
// run.
func (p *pulse) watched(limit time.Duration, report func(stalled, stopping bool)) {
	p.limit, p.report = limit, report
}

func (p *pulse) lastBeat() time.Time {
	return p.born.Add(time.Duration(p.last.Load()))
}

func (p *pulse) age() time.Duration { return time.Since(p.born) }

// beat stores before it loads, and checkSilence loads last after it stores
// stalled, so that one of the two sees the other and no beat is lost between
// them. Of concurrent beats the latest counts, whichever stores last.
func (p *pulse) beat() {
	now := int64(p.age())
	for last := p.last.Load(); now >= last &&
		!p.last.CompareAndSwap(last, now); last = p.last.Load() {
	}
	if p.stalled.Load() {
		p.recover()
	}
}

func (p *pulse) recover() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running && p.stalled.Swap(false) {
		p.watch(time.Duration(p.last.Load()))
		p.report(false, false)
	}
}

// start begins a run. If it is watched, the start is a beat: its goroutine may
// have waited for a processor since the pulse was made.
func (p *pulse) start() {
	p.attempt.Add(1)
	if p.limit == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running, p.spared = true, -1
	now := p.age()
	p.last.Store(int64(now))
	p.watch(now)
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

// watch sets the timer to the first moment at which silence since from is a
// stall. The caller holds mu.
func (p *pulse) watch(from time.Duration) {
	now := p.age()
	d := p.limit - (now - from)
	d = max(d, d+1) // silent for longer than the limit, which may be MaxInt64
	p.due = now + d
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.check)
		return
	}
	p.timer.Reset(d)
}

// check is called by the timer. A Context whose Err panics or calls
// runtime.Goexit counts as done; Supervise meets it when the run ends.
func (p *pulse) check() {
	stopping := true
	defer func() {
		_ = recover()
		p.checkSilence(stopping)
	}()
	stopping = p.Context.Err() != nil
}

// checkSilence reports the run as stalled if it has been silent for too long.
//
// A check that is late by more than a quarter of the limit shows that the whole
// process was stopped, by SIGSTOP, a paused container or a starved machine, and
// the worker with it. The worker then gets one more limit, but not twice without
// a beat in between: on a machine that is always late a stall must still be
// found.
func (p *pulse) checkSilence(stopping bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || p.stalled.Load() {
		return
	}
	p.stalled.Store(true)
	now, last := p.age(), time.Duration(p.last.Load())
	switch {
	case now-last <= p.limit:
		p.stalled.Store(false)
		p.watch(last)
	case now-p.due > p.limit/4 && last > p.spared:
		p.stalled.Store(false)
		p.spared = now
		p.watch(now)
	default:
		p.report(true, stopping)
	}
}

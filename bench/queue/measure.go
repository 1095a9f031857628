package queue

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"example.com/chanx/bench/plan"
)

// element is a value of 8, 64 or 1,024 bytes; its first word tells the values
// apart.
type element interface {
	[1]uint64 | [8]uint64 | [128]uint64
}

// result is what one measurement showed.
type result struct {
	at                 point
	why                string // it could not be measured
	perOp              float64
	allocs             float64
	memory             float64 // bytes that the queue holds at the end of the load
	dropped            float64 // share of the values sent
	offered, delivered float64 // values per second, while the load lasted
	latency            *hdrhistogram.Histogram
}

// sampled is one call of how many has its latency taken: two clock readings
// cost more than most of the calls. It is odd, because a pump makes every
// other call wait, and 64 would meet only the one kind.
const sampled = 61

// load is one measurement under way.
type load[T element] struct {
	q       queue[T]
	at      point
	limit   int // values that one producer may send at most
	start   chan struct{}
	release chan struct{}
	stop    atomic.Bool
	mu      sync.Mutex

	sent, during, after uint64
	busy                time.Duration
	latency             *hdrhistogram.Histogram
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Minute), 2)
}

func measure[T element](p peer[T], at point, o plan.Options) result {
	if at.consumers > 1 && p.oneReader {
		return result{at: at, why: p.name + ": one reader only"}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(at.procs))
	l := &load[T]{at: at, start: make(chan struct{}),
		release: make(chan struct{}), latency: newHistogram()}
	l.limit = 1 << 40
	if p.unbounded {
		l.limit = max(1, 64<<20/at.size/at.producers)
	}
	producers, sending := l.producers()
	before := heap()
	l.q = p.open(at.capacity)
	consumers := l.consumers()
	began := time.Now()
	close(l.start)
	wait(sending, o.For)
	l.stop.Store(true)
	sending.Wait()
	took := time.Since(began)
	mallocs := mallocs() - before.Mallocs
	held := heap().HeapAlloc
	l.drain(consumers)
	held -= min(held, before.HeapAlloc)
	runtime.KeepAlive(producers)
	return l.result(took, float64(mallocs), float64(held))
}

// wait returns after d, or earlier when all producers have reached a limit.
func wait(sending *sync.WaitGroup, d time.Duration) {
	done := make(chan struct{})
	go func() {
		sending.Wait()
		close(done)
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

func heap() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// drain ends the consumers, which take what is left, as one does that comes
// only now.
func (l *load[T]) drain(consumers *sync.WaitGroup) {
	l.q.close()
	close(l.release)
	if l.at.consumers == 0 {
		l.consume()
	}
	consumers.Wait()
}

func (l *load[T]) result(took time.Duration, mallocs, held float64) result {
	sent := max(1, float64(l.sent))
	r := result{at: l.at, latency: l.latency, memory: held,
		perOp:     float64(took) / sent,
		allocs:    mallocs / sent,
		dropped:   (sent - float64(l.during+l.after)) / sent,
		offered:   sent / took.Seconds(),
		delivered: float64(l.during) / took.Seconds()}
	if l.at.rate > 0 {
		r.perOp = float64(l.busy) / sent
	}
	return r
}

func (l *load[T]) consumers() *sync.WaitGroup {
	var wg sync.WaitGroup
	for range l.at.consumers {
		wg.Go(l.consume)
	}
	return &wg
}

func (l *load[T]) consume() {
	var during, after uint64
	for {
		_, ok := l.q.recv()
		if !ok {
			break
		}
		if l.stop.Load() {
			after++
			continue
		}
		during++
		if l.at.mode == stalled {
			<-l.release
		}
		spin(l.at.work)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.during += during
	l.after += after
}

func spin(d time.Duration) {
	if d > 0 {
		for start := time.Now(); time.Since(start) < d; {
		}
	}
}

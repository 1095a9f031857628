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

	rounds []result // those of which this is the median
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

	began, end time.Time
	took       time.Duration
	left       atomic.Int64 // producers that are not done
	over       atomic.Bool
	sending    sync.WaitGroup // until the producers are done
	running    sync.WaitGroup // until all goroutines have ended

	mu            sync.Mutex
	during, after uint64
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(time.Minute), 2)
}

func measure[T element](p peer[T], at point, o plan.Options) result {
	if at.consumers > 1 && p.oneReader {
		return result{at: at, why: p.name + ": one reader only"}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(at.procs))
	l := &load[T]{at: at, limit: 1 << 40,
		start: make(chan struct{}), release: make(chan struct{})}
	if p.unbounded {
		l.limit = max(1, 64<<20/at.size/at.producers)
	}
	producers := l.producers()
	before := heap()
	l.q = p.open(at.capacity)
	l.consumers()
	l.began = time.Now()
	l.end = l.began.Add(o.For)
	close(l.start)
	l.sending.Wait()
	mallocs := mallocs() - before.Mallocs
	held := heap().HeapAlloc
	l.drain()
	held -= min(held, before.HeapAlloc)
	return l.result(producers, float64(mallocs), float64(held))
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
func (l *load[T]) drain() {
	l.q.close()
	close(l.release)
	if l.at.consumers == 0 {
		l.consume()
	}
	l.running.Wait()
}

func (l *load[T]) result(of []*producer[T], mallocs, held float64) result {
	r := result{at: l.at, memory: held, latency: newHistogram()}
	var sum float64
	var busy time.Duration
	for _, p := range of {
		sum += float64(p.sent)
		busy += p.busy
		r.latency.Merge(p.latency)
	}
	sent := max(1, sum)
	r.perOp = float64(l.took) / sent
	r.allocs = mallocs / sent
	r.dropped = (sent - float64(l.during+l.after)) / sent
	r.offered = sent / l.took.Seconds()
	r.delivered = float64(l.during) / l.took.Seconds()
	if l.at.rate > 0 {
		r.perOp = float64(busy) / sent
	}
	return r
}

func (l *load[T]) consumers() {
	for range l.at.consumers {
		l.running.Go(l.consume)
	}
}

func (l *load[T]) consume() {
	var during, after uint64
	for {
		_, ok := l.q.recv()
		if !ok {
			break
		}
		if l.over.Load() {
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

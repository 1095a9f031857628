package queue

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tick is how often a producer that is held to a rate sends its share.
const tick = 200 * time.Microsecond

// producer is one goroutine's part of the load.
type producer[T element] struct {
	*load[T]
	v       T
	sent    int
	busy    time.Duration
	latency *hdrhistogram.Histogram
}

// producers wait for the start, with all that they need at hand, and are
// returned for the caller to keep, so that what they hold is not taken for
// the queue's memory.
func (l *load[T]) producers() ([]*producer[T], *sync.WaitGroup) {
	var wg sync.WaitGroup
	all := make([]*producer[T], l.at.producers)
	for id := range all {
		p := &producer[T]{load: l, latency: newHistogram()}
		all[id] = p
		p.v[0] = uint64(id) << 40
		wg.Go(func() {
			<-l.start
			if l.at.rate > 0 {
				p.paced()
			} else {
				p.flood()
			}
			p.report()
		})
	}
	return all, &wg
}

func (p *producer[T]) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.load.sent += uint64(p.sent)
	p.load.busy += p.busy
	p.load.latency.Merge(p.latency)
}

func (p *producer[T]) flood() {
	for !p.stop.Load() && p.sent < p.limit {
		p.burst(sampled)
	}
}

// burst sends n values and takes the time of the first.
func (p *producer[T]) burst(n int) {
	start := time.Now()
	p.send()
	_ = p.latency.RecordValue(max(1, int64(time.Since(start))))
	for range n - 1 {
		p.send()
	}
}

func (p *producer[T]) send() {
	p.v[0]++
	p.q.send(p.v)
	p.sent++
}

// paced sends what is due by now, sampled at most at a time, and rests.
func (p *producer[T]) paced() {
	perSecond := p.at.rate / float64(p.at.producers)
	began := time.Now()
	for !p.stop.Load() && p.sent < p.limit {
		now := time.Now()
		due := int(now.Sub(began).Seconds()*perSecond) - p.sent
		if due < 1 {
			time.Sleep(tick)
			continue
		}
		p.burst(min(due, sampled))
		p.busy += time.Since(now)
	}
}

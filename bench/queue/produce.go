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

// producers starts them. They wait for the start with all that they need at
// hand, and for the release when they are done: what they hold is the same
// before and after, and is not taken for the queue's memory.
func (l *load[T]) producers() []*producer[T] {
	var waiting sync.WaitGroup
	all := make([]*producer[T], l.at.producers)
	waiting.Add(len(all))
	l.sending.Add(len(all))
	l.left.Store(int64(len(all)))
	for id := range all {
		p := &producer[T]{load: l, latency: newHistogram()}
		all[id] = p
		p.v[0] = uint64(id) << 40
		l.running.Go(func() {
			waiting.Done()
			<-l.start
			p.run()
			<-l.release
		})
	}
	waiting.Wait()
	return all
}

// run ends by the producer's own clock: a goroutine that is to stop a
// thousand others may have to wait for a turn of each of them. The last to be
// done ends the load.
func (p *producer[T]) run() {
	defer p.sending.Done()
	if p.at.rate > 0 {
		p.paced()
	} else {
		p.flood()
	}
	if p.left.Add(-1) == 0 {
		p.took = time.Since(p.began)
		p.over.Store(true)
	}
}

// flood sends one burst at least, for those whose turn comes too late.
func (p *producer[T]) flood() {
	for now := time.Now(); ; {
		p.burst(now, sampled)
		if now = time.Now(); now.After(p.end) || p.sent >= p.limit {
			return
		}
	}
}

// burst sends n values and takes the time of the first.
func (p *producer[T]) burst(start time.Time, n int) {
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
	for now := began; now.Before(p.end) && p.sent < p.limit; now = time.Now() {
		due := int(now.Sub(began).Seconds()*perSecond) - p.sent
		if due < 1 {
			time.Sleep(tick)
			continue
		}
		p.burst(now, min(due, sampled))
		p.busy += time.Since(now)
	}
}

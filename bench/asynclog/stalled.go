package asynclog

import (
	"bytes"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// hanging is a sink that takes nothing until its gate is opened, and counts
// whole lines then.
type hanging struct {
	gate  chan struct{}
	lines int
}

func (h *hanging) Write(p []byte) (int, error) {
	<-h.gate
	h.lines += bytes.Count(p, []byte("x\n"))
	return len(p), nil
}

const (
	stalledProducers = 2
	// perMillisecond lines come from each of them, which is a lot for a
	// service and little for a writer.
	perMillisecond = 50
	interval       = time.Millisecond / perMillisecond
	// stallAtLeast is long enough for most buffers to be full.
	stallAtLeast = 200 * time.Millisecond
)

// outage is what the callers of a writer saw while its sink hung.
type outage struct {
	latency             *hdrhistogram.Histogram
	lines, lost, memory float64
	told                float64
}

// offerTo offers lines at a steady rate for d, while the sink hangs or keeps
// up, then opens the gate. A line that waited stands for those that the caller would have
// written meanwhile, too: the histogram corrects for them.
func offerTo(p peer, d time.Duration, hangs bool) outage {
	h := &hanging{gate: make(chan struct{})}
	open := sync.OnceFunc(func() { close(h.gate) })
	if !hangs {
		open()
	}
	seen := make([]*hdrhistogram.Histogram, stalledProducers)
	for i := range seen {
		seen[i] = newLatencies()
	}
	lines := make([]int, stalledProducers)
	held := live()
	w, finish := p.open(sink{Writer: h})
	stop := time.Now().Add(d)
	var all sync.WaitGroup
	for i := range stalledProducers {
		all.Go(func() { lines[i] = offer(w, seen[i], stop) })
	}
	time.Sleep(time.Until(stop))
	o := outage{memory: max(live()-held, 0)}
	open()
	all.Wait()
	said := finish()
	o.latency = merged(seen)
	for _, n := range lines {
		o.lines += float64(n)
	}
	o.lost = max(o.lines-float64(h.lines), 0)
	o.told = honesty(said, o.lost)
	return o
}

// offer writes a few lines every millisecond.
func offer(w io.Writer, seen *hdrhistogram.Histogram, stop time.Time) (n int) {
	text := line()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now(); end.Before(stop); <-tick.C {
		for range perMillisecond {
			began := time.Now()
			_, _ = w.Write(text)
			end = time.Now()
			_ = seen.RecordCorrectedValue(int64(end.Sub(began)), int64(interval))
			n++
		}
	}
	return n
}

func live() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

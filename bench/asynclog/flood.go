package asynclog

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const lineLen = 190

func line() []byte {
	return append(bytes.Repeat([]byte("x"), lineLen-1), '\n')
}

// The figures of a flood. The cost of a line is the time of the flood by the
// lines of all producers, as testing.B.RunParallel has it.
const (
	perLine = iota
	allocs
	perSecond
	dropped // share of the lines
	told    // lines that the writer says it lost by those that it did
	p50
	p99
	p999
	maximum
)

// flood has producers write as fast as they can for a while.
func flood(dir string, p peer, producers int, d time.Duration) (
	[]float64, error) {
	s, f, err := openFile(dir)
	if err != nil {
		return nil, err
	}
	defer os.Remove(s.path)
	defer f.Close()
	runtime.GC() // not what the one before has left behind
	w, finish := p.open(s)
	start := time.Now()
	lines, mallocs, latency := pour(w, producers, d)
	took := time.Since(start)
	said := finish() // what was buffered is written by this
	delivered := float64(f.written) / lineLen
	if p.opensFile {
		delivered = lines // it returns when the line is written
	}
	lost := max(lines-delivered, 0)
	return append([]float64{
		float64(took) / lines, mallocs / lines,
		delivered / time.Since(start).Seconds(),
		lost / lines, honesty(said, lost),
	}, percentiles(latency)...), nil
}

// honesty is untold for a writer that does not say.
func honesty(said, lost float64) float64 {
	switch {
	case said == untold:
		return untold
	case said == lost:
		return 1
	}
	return said / max(lost, 1)
}

// pour times one line in a hundred, since reading the clock costs as much as
// writing a line does.
func pour(w io.Writer, producers int, d time.Duration) (
	lines, mallocs float64, _ *hdrhistogram.Histogram) {
	text := line()
	counts := make([]int, producers)
	seen := make([]*hdrhistogram.Histogram, producers)
	for p := range seen {
		seen[p] = newLatencies()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	var all sync.WaitGroup
	for p := range producers {
		all.Go(func() {
			for end := start; counts[p] == 0 || end.Sub(start) < d; {
				for range 99 {
					_, _ = w.Write(text)
				}
				began := time.Now()
				_, _ = w.Write(text)
				end = time.Now()
				_ = seen[p].RecordValue(int64(end.Sub(began)))
				counts[p] += 100
			}
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	for _, n := range counts {
		lines += float64(n)
	}
	return lines, float64(after.Mallocs - before.Mallocs), merged(seen)
}

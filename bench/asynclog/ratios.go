package asynclog

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// Ratios returns what the rows on log writers ask for, by name, for 2 and for
// 64 producers: cost and lines against a peer as ours by theirs.
func Ratios(o plan.Options) (map[string]float64, error) {
	defer silence()()
	dir, err := inMemory()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := make(map[string]float64)
	for _, producers := range []int{2, 64} {
		if err := floodRatios(o, dir, producers, r); err != nil {
			return nil, err
		}
		if err := tailRatio(o, dir, producers, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func floodRatios(o plan.Options, dir string, producers int,
	r map[string]float64) error {
	all := []peer{ours, oursWait, diodes, zap, guarded}
	m, err := round.Robin(o, "log ratios", names(all),
		func(i int) ([]float64, error) {
			return flood(dir, all[i], producers, o.For)
		})
	if err != nil {
		return err
	}
	name := func(what string) string {
		return fmt.Sprintf("%s, %d producers", what, producers)
	}
	r[name("cost, diode")] = m[0][perLine] / m[2][perLine]
	r[name("lines, diode")] = m[0][perSecond] / m[2][perSecond]
	r[name("lines, zap")] = m[0][perSecond] / m[3][perSecond]
	r[name("lines, mutex")] = m[0][perSecond] / m[4][perSecond]
	r[name("lines of Wait, zap")] = m[1][perSecond] / m[3][perSecond]
	r[name("allocs")] = allocsOfWrite(producers, o.For)
	return nil
}

// allocsOfWrite counts, to a hundredth of one, what a line allocates whose sink
// hangs. In a flood that gets on, the worker's reports of losses are counted
// along, and they are not the callers'.
func allocsOfWrite(producers int, d time.Duration) float64 {
	h := &hanging{gate: make(chan struct{})}
	w, finish := ours.open(sink{Writer: h})
	lines, mallocs, _ := pour(w, producers, d)
	close(h.gate)
	finish()
	return float64(int(mallocs/lines*100)) / 100
}

func tailRatio(o plan.Options, dir string, producers int,
	r map[string]float64) error {
	m, err := round.Robin(o, "log tail", []string{"well", "stalled"},
		func(i int) ([]float64, error) {
			measure := []func(string, int, time.Duration) (float64, error){
				tailWell, tailStalled,
			}[i]
			v, err := measure(dir, producers, o.For)
			return []float64{v}, err
		})
	if err != nil {
		return err
	}
	r[fmt.Sprintf("tail, %d producers", producers)] = m[1][0] / m[0][0]
	return nil
}

func tailWell(dir string, producers int, d time.Duration) (float64, error) {
	s, f, err := openFile(dir)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return tail(s, producers, d), nil
}

func tailStalled(_ string, producers int, d time.Duration) (float64, error) {
	h := &hanging{gate: make(chan struct{})}
	time.AfterFunc(2*d, func() { close(h.gate) })
	return tail(sink{Writer: h}, producers, d), nil
}

// tail returns the callers' 99.9th percentile under a flood. Every line is
// timed: the clock delays both sides of the ratio alike.
func tail(s sink, producers int, d time.Duration) float64 {
	w, finish := ours.open(s)
	defer finish()
	text := line()
	seen := make([]*hdrhistogram.Histogram, producers)
	for i := range seen {
		seen[i] = newLatencies()
	}
	var all sync.WaitGroup
	start := time.Now()
	for _, h := range seen {
		all.Go(func() {
			for t := start; t.Sub(start) < d; {
				_, _ = w.Write(text)
				end := time.Now()
				_ = h.RecordValue(int64(end.Sub(t)))
				t = end
			}
		})
	}
	all.Wait()
	return float64(merged(seen).ValueAtPercentile(99.9))
}

package rows

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

func logs(e Effort) []Contest {
	all := []Contest{logFlood(e, 2), busy(e, 2), outages(e)}
	for i := range all {
		all[i].Group = "log writers, 190-byte lines"
		all[i].Rounds = e.rounds(5)
	}
	return all
}

func line() []byte { return append(bytes.Repeat([]byte("x"), lineLen-1), '\n') }

// logFlood has producers write as fast as they can.
func logFlood(e Effort, producers int) Contest {
	return Contest{
		Name: fmt.Sprintf("a flood, %d producers", producers), Names: namesOf(logWriters),
		Figures: []Figure{{"time of a line", Time}, {"allocations", Plain},
			{"delivered", Rate}, {"CPU a delivered line", Time},
			{"lost", Percent}, {"counted of the lost", Percent}},
		Notes: []string{"asynclog's reports of losses are in the stream. They are " +
			"not counted as lines, but their allocations are. phuslu writes " +
			"with its own logger."},
		Measure: func(i int) ([]float64, error) {
			p := logWriters[i]
			return withFile(func(to target, c *counting) []float64 {
				return pour(p, to, c, producers, e.time(200*time.Millisecond))
			})
		},
	}
}

func pour(p logWriter, to target, c *counting, producers int, d time.Duration) []float64 {
	runtime.GC()
	w, finish := p.open(to)
	before, used, start := mallocs(), cpuTime(), time.Now()
	lines := float64(serve(w, producers, 0, d, nil))
	took := time.Since(start)
	allocs := mallocs() - before
	told := finish() // writes the buffered lines
	cpu, seconds := cpuTime()-used, time.Since(start).Seconds()
	delivered := float64(c.lines)
	if p.needsPath {
		delivered = lines // it waits until a line is written
	}
	lost := max(lines-delivered, 0)
	counted := math.NaN()
	if lost > 0 {
		counted = 100 * told / lost
	}
	return []float64{float64(took) / lines, allocs / lines, delivered / seconds,
		float64(cpu) / delivered, 100 * lost / lines, counted}
}

// busyTurns of an empty loop are what a goroutine of the busy service does for
// each line: some 15 µs. They are a count and not a time, so that a goroutine
// that loses its processor has not worked meanwhile.
const busyTurns = 45_000

// busy has goroutines keep the processors busy and write a line every so often.
func busy(e Effort, goroutines int) Contest {
	peers := append([]logWriter{{name: "no log"}}, logWriters...)
	return Contest{
		Name:    fmt.Sprintf("a busy service, %d goroutines", goroutines),
		Names:   namesOf(peers),
		Figures: tailFigures(Figure{"lines", Rate}, Figure{"lost", Percent}),
		Notes:   []string{"Each call is timed. No log is the service alone."},
		Measure: func(i int) ([]float64, error) {
			return withFile(func(to target, c *counting) []float64 {
				p, d := peers[i], e.time(200*time.Millisecond)
				var all latencies
				if p.open == nil {
					n := serve(nil, goroutines, busyTurns, d, &all)
					return append(all.at(tail...), float64(n)/d.Seconds(), math.NaN())
				}
				w, finish := p.open(to)
				lines := float64(serve(w, goroutines, busyTurns, d, &all))
				finish()
				lost := 0.0
				if !p.needsPath {
					lost = max(lines-float64(c.lines), 0)
				}
				return append(all.at(tail...), lines/d.Seconds(), 100*lost/lines)
			})
		},
	}
}

// serve has goroutines work and write until d is over, and returns the number
// of lines. If all is not nil, every call is timed.
func serve(w io.Writer, goroutines, turns int, d time.Duration, all *latencies) (lines int) {
	text := line()
	var over atomic.Bool
	var mu sync.Mutex
	var running sync.WaitGroup
	for range goroutines {
		running.Go(func() {
			n := 0
			var mine latencies
			for ; n == 0 || !over.Load(); n++ {
				idleTurns(turns)
				if all == nil {
					_, _ = w.Write(text)
					continue
				}
				start := time.Now()
				if w != nil {
					_, _ = w.Write(text)
				}
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			lines += n
			if all != nil {
				*all = append(*all, mine...)
			}
		})
	}
	time.Sleep(d)
	over.Store(true)
	running.Wait()
	return lines
}

// A hanging sink takes nothing until its gate is opened. It counts lines.
type hanging struct {
	gate  chan struct{}
	lines atomic.Int64
}

func (h *hanging) Write(p []byte) (int, error) {
	<-h.gate
	h.lines.Add(int64(bytes.Count(p, []byte("x\n")) + bytes.Count(p, []byte("\"}\n"))))
	return len(p), nil
}

// perMillisecond lines are due from each of two producers, whether earlier
// ones are written or not.
const perMillisecond = 50

// outages has the sink hang for three quarters of the time. Each writer is
// given the memory of 10,000 lines and is offered all of the lines: a producer
// that had to wait writes those that were due meanwhile.
func outages(e Effort) Contest {
	peers := slices.DeleteFunc(slices.Clone(logWriters),
		func(p logWriter) bool { return p.needsPath })
	d := e.time(400 * time.Millisecond)
	return Contest{
		Name: "the sink hangs for 300 ms, 40,000 lines in 400 ms", Names: namesOf(peers),
		Figures: tailFigures(Figure{"lost", Percent},
			Figure{"counted of the lost", Percent}),
		Notes: []string{"A latency is from the time when the line was due, and " +
			"includes a timer that is up to a millisecond late. Each writer has " +
			"the memory of 10,000 lines."},
		Measure: func(i int) ([]float64, error) {
			return outage(peers[i], d), nil
		},
	}
}

func outage(p logWriter, d time.Duration) []float64 {
	h := &hanging{gate: make(chan struct{})}
	w, finish := p.open(target{Writer: h})
	start := time.Now()
	time.AfterFunc(d*3/4, func() { close(h.gate) })
	var mine [2]latencies
	var all sync.WaitGroup
	for i := range mine {
		all.Go(func() { mine[i] = offer(w, start, d) })
	}
	all.Wait()
	told := finish()
	both := append(mine[0], mine[1]...)
	lines := float64(len(both))
	lost := max(lines-float64(h.lines.Load()), 0)
	counted := math.NaN()
	if lost > 0 {
		counted = 100 * told / lost
	}
	return append(both.at(tail...), 100*lost/lines, counted)
}

// offer writes the lines of each millisecond when it begins, or later if the
// writer has kept it.
func offer(w io.Writer, start time.Time, d time.Duration) (all latencies) {
	text := line()
	for due := start; due.Sub(start) < d; due = due.Add(time.Millisecond) {
		time.Sleep(time.Until(due))
		for range perMillisecond {
			_, _ = w.Write(text)
			all = append(all, time.Since(due))
		}
	}
	return all
}

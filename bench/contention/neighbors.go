package contention

import (
	"fmt"
	"sync"
	"time"

	"example.com/chanx"
	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
)

// A private is a queue that one goroutine uses alone.
type private struct {
	name string
	open func(capacity int) (use func(n int))
}

var privates = []private{
	{"Ring.Send, full", func(capacity int) func(int) {
		r := chanx.NewRing[int](capacity)
		for i := range capacity {
			r.Send(i)
		}
		return func(n int) {
			for i := range n {
				r.Send(i)
			}
		}
	}},
	{"Ring.Send and TryRecv", func(capacity int) func(int) {
		r := chanx.NewRing[int](capacity)
		return func(n int) {
			sum := 0
			for i := range n {
				r.Send(i)
				v, _ := r.TryRecv()
				sum += v
			}
			sink.Store(int64(sum))
		}
	}},
	{"channel, send and receive", func(capacity int) func(int) {
		ch := make(chan int, capacity)
		return func(n int) {
			sum := 0
			for i := range n {
				ch <- i
				sum += <-ch
			}
			sink.Store(int64(sum))
		}
	}},
}

// neighbors compares two queues that were made one after the other with two
// that lie apart in memory. Each is used by one goroutine.
func neighbors(o plan.Options) table {
	t := table{
		title: "Two queues, a goroutine each",
		heads: []string{"operation", "slots", "made"},
		figures: []column{{name: "time", show: figure.Time, interval: true,
			against: "apart"}},
		notes: []string{"Queues in one cache line slow each other down although " +
			"no goroutine uses both."},
	}
	n := max(1000, int(o.For/50))
	for _, p := range privates {
		for _, capacity := range []int{1, 4, 1024} {
			t.bouts = append(t.bouts, bout{
				situation: []string{p.name, fmt.Sprint(capacity)},
				names:     []string{"one after the other", "apart"},
				base:      1,
				measure: func(i int) ([]float64, error) {
					a, b := p.two(capacity, i == 1)
					return []float64{together(n, a, b)}, nil
				},
			})
		}
	}
	return t
}

// two opens two queues. Others of the same size, opened before, take up the
// gaps in the heap, so that the two lie where they are meant to.
func (p private) two(capacity int, apart bool) (a, b func(int)) {
	gaps := func() {
		for range 500 {
			p.open(capacity)
		}
	}
	gaps()
	a = p.open(capacity)
	if apart {
		gaps()
	}
	return a, p.open(capacity)
}

// together calls a(n) and b(n) at the same time and returns the nanoseconds
// that one of the n took.
func together(n int, a, b func(n int)) float64 {
	var wg sync.WaitGroup
	began := time.Now()
	wg.Go(func() { a(n) })
	wg.Go(func() { b(n) })
	wg.Wait()
	return float64(time.Since(began)) / float64(n)
}

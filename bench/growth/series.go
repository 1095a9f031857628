// Package growth measures how cost grows: with producers, with capacity, with
// supervised workers, with the size of a log record and of a dump.
package growth

import (
	"sync"
	"time"

	"example.com/chanx/bench/figure"
)

// series is what one measurement shows along one axis.
type series struct {
	axis    string
	at      []int
	quick   int // how many of the points are enough for a quick look
	costs   []cost
	measure func(x int, d time.Duration) ([]float64, error) // of each cost
}

type cost struct {
	what string
	must bound
	unit func(float64) string
}

// timed is a series of one cost, a time.
func timed(what, axis string, at []int, quick int, must bound,
	measure func(x int, d time.Duration) (float64, error)) series {
	return series{axis, at, quick, []cost{{what, must, figure.Time}},
		func(x int, d time.Duration) ([]float64, error) {
			v, err := measure(x, d)
			return []float64{v}, err
		}}
}

func all() (s []series) {
	s = append(s, byProducers()...)
	s = append(s, byCapacity()...)
	s = append(s, byWorkers()...)
	s = append(s, byRecord()...)
	return append(s, byDump()...)
}

// perOperation has so many goroutines call f until d is over, and returns the
// time by the operations of all. A call of f is a batch of operations, so that
// the clock is not what is measured.
func perOperation(goroutines, batch int, d time.Duration, f func()) float64 {
	counts := make([]int, goroutines)
	var all sync.WaitGroup
	start := time.Now()
	for g := range goroutines {
		all.Go(func() {
			for counts[g] == 0 || time.Since(start) < d {
				f()
				counts[g] += batch
			}
		})
	}
	all.Wait()
	took, sum := time.Since(start), 0
	for _, n := range counts {
		sum += n
	}
	return float64(took) / float64(sum)
}

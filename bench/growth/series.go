// Package growth measures how cost grows: with producers, with capacity, with
// supervised workers, with the size of a log record and of a dump.
package growth

import (
	"sync"
	"time"
)

// series is one cost along one axis.
type series struct {
	what    string
	axis    string
	at      []int
	quick   int // how many of the points are enough for a quick look
	must    bound
	unit    func(float64) string
	measure func(x int, d time.Duration) (float64, error)
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

package supervise

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// The figures of a herd: for one worker, but stopping is for all.
const (
	starting = iota
	memory
	goroutines
	ending
)

// herd starts n idle workers and stops them again. The memory is the heap and
// the stacks; a bare goroutine needs 2 kB or more of the latter.
func herd(p peer, n int) []float64 {
	var up sync.WaitGroup
	up.Add(n)
	before, had := inUse(), runtime.NumGoroutine()
	start := time.Now()
	stop := p.herd(n, func(ctx context.Context) error {
		up.Done()
		<-ctx.Done()
		return ctx.Err()
	})
	up.Wait()
	started := time.Since(start)
	now, has := inUse(), runtime.NumGoroutine()
	start = time.Now()
	stop()
	return []float64{
		float64(started) / float64(n), (now - before) / float64(n),
		float64(has-had) / float64(n), float64(time.Since(start)),
	}
}

func inUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

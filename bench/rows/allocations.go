package rows

import (
	"runtime"
	"time"

	"example.com/chanx"
	"example.com/chanx/bench/plan"
)

// allocations counts those of an operation, to a hundredth: a stray one of
// another goroutine does not make one.
func allocations(plan.Options) (map[string]float64, error) {
	ch := make(chan int, 1)
	r := chanx.NewRing[int](64)
	return map[string]float64{
		"SendTimeout": perRun(func() {
			_ = chanx.SendTimeout(ch, 1, time.Second)
			_, _ = chanx.RecvTimeout(ch, time.Second)
		}),
		"Ring.Send": perRun(func() { r.Send(1) }),
	}, nil
}

// perRun is testing.AllocsPerRun without package testing, whose flags the
// command would show.
func perRun(f func()) float64 {
	const runs = 10_000
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs-before.Mallocs)*100/runs) / 100
}

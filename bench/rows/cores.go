package rows

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// Cores checks the predictions of the model on this machine, for one to all of
// its processors.
func Cores(e Effort) (all []Contest) {
	var senders []int
	for n := 1; n <= min(runtime.NumCPU(), 128); n *= 2 {
		senders = append(senders, n)
	}
	names := []string{"Ring, measured", "Ring, by the model",
		"channel, evict and retry, measured", "a Ring for each 8 cores, measured"}
	for _, think := range append([]float64{100}, modelThinks...) {
		c := Contest{Group: "many cores, measured", Names: names, Rounds: e.rounds(5),
			Name:  "N cores that send every " + Time.Format(think),
			Notes: []string{fmt.Sprintf("Within one L3 a lock saturates at N=%d.", saturation(think))}}
		for _, n := range senders {
			c.Figures = append(c.Figures, Figure{fmt.Sprintf("N=%d", n), Rate})
		}
		c.Measure = func(i int) (rates []float64, _ error) {
			for _, n := range senders {
				rates = append(rates, coreRate(i, n, think, e.time(150*time.Millisecond)))
			}
			return rates, nil
		}
		all = append(all, c)
	}
	return all
}

func coreRate(which, senders int, think float64, d time.Duration) float64 {
	queue := func() func(int) {
		r := chanx.NewRing[int](1024)
		fill(r)
		return func(v int) { r.Send(v) }
	}
	switch which {
	case 1:
		return simulate(disciplines[0], senders, think, float64(d))
	case 2:
		queue = func() func(int) {
			ch := fullOf(1024)
			return func(v int) { evict(ch, v) }
		}
	}
	group := senders
	if which == 3 {
		group = coresL3
	}
	var sends []func(int)
	for i := range senders {
		if i%group == 0 {
			sends = append(sends, queue())
		}
	}
	return pinnedSends(sends, group, senders, turnsOf(think), d)
}

// pinnedSends has each sender on a separate processor, where the system
// allows it.
func pinnedSends(sends []func(int), group, senders, turns int, d time.Duration) float64 {
	counts := make([]count, senders)
	var stop atomic.Bool
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			runtime.LockOSThread() // the thread ends with the goroutine
			pinTo(i)
			send, calls, x := sends[i/group], 0, uint64(i)+1
			for ; !stop.Load(); calls++ {
				send(calls)
				x = x*6364136223846793005 + 1442695040888963407
				idleTurns(turns/2 + int(x>>33)%max(turns, 1))
			}
			counts[i].calls = calls
		})
	}
	start := time.Now()
	time.Sleep(d)
	stop.Store(true)
	took := time.Since(start)
	all.Wait()
	sum := 0
	for _, c := range counts {
		sum += c.calls
	}
	return float64(sum) / took.Seconds()
}

// turnsOf returns the turns of idleTurns in so many nanoseconds.
func turnsOf(ns float64) int { return int(ns * turnsPerNanosecond()) }

var turnsPerNanosecond = sync.OnceValue(func() float64 {
	const turns = 1 << 20
	best := time.Hour
	for range 9 {
		start := time.Now()
		idleTurns(turns)
		best = min(best, time.Since(start))
	}
	return turns / float64(best)
})

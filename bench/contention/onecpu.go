package contention

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
)

// A shared is two senders on one CPU. A child process gets it as JSON.
type shared struct {
	Way  string
	Idle bool // the second sender has a thread of policy SCHED_IDLE
	For  time.Duration
}

// A turn is what happened to one of the two senders.
type turn struct {
	Calls               int64
	Took, Slow, Longest time.Duration
	_                   [64]byte // a cache line apart from the other
}

// slow is the least time of a slow call: a call that the operating system or
// the Go scheduler has interrupted, or that waited for one that was.
const slow = 20 * time.Microsecond

// oneCPU compares senders that share a CPU, where the holder of a lock and a
// sender that waits for it cannot run at the same time.
func oneCPU(o plan.Options) table {
	t := table{
		title: "Two senders on one CPU, full queue of 1,024",
		heads: []string{"the two", "GOMAXPROCS", "sent by"},
		figures: []column{
			{name: "calls/s, first", show: mega, interval: true},
			{name: "second", show: mega, interval: true},
			{name: "in slow calls, first", show: rarely, interval: true},
			{name: "second", show: rarely},
			{name: "longest call, first", show: figure.Time, interval: true},
			{name: "second", show: figure.Time},
		},
	}
	if reason := cannotShare(); reason != "" {
		t.notes = []string{"Skipped: " + reason + "."}
		return t
	}
	t.notes = []string{fmt.Sprintf("Each measurement is a process of its own "+
		"that runs for %v, pinned to one CPU. Every call is timed. A slow call "+
		"takes over %v. The other sender runs meanwhile, whether the call waits "+
		"for it, is interrupted, or, as one evicting Send of a Ring in 4,096, "+
		"yields.", sharedFor(o), slow),
		"The idle sender has a thread of policy SCHED_IDLE, which runs when no " +
			"other wants the CPU. It is GOMAXPROCS 3 there, so that the goroutine " +
			"that ends the measurement does not need a processor of the two."}
	for _, procs := range []int{1, 2, 4} {
		t.bouts = append(t.bouts, sharedBout(o, false, procs))
	}
	t.bouts = append(t.bouts, sharedBout(o, true, 3))
	return t
}

func sharedFor(o plan.Options) time.Duration { return 10 * o.For }

func sharedBout(o plan.Options, idle bool, procs int) bout {
	names, pair := namesOf(ring, evicting), "equal priorities"
	if idle {
		pair = "ordinary, idle"
	}
	return bout{
		situation: []string{pair, fmt.Sprint(procs)},
		names:     names,
		measure: func(i int) ([]float64, error) {
			two, err := sharedChild(
				shared{Way: names[i], Idle: idle, For: sharedFor(o)}, procs)
			a, b := two[0], two[1]
			return []float64{
				float64(a.Calls) / a.Took.Seconds(),
				float64(b.Calls) / b.Took.Seconds(),
				float64(a.Slow) / float64(a.Took),
				float64(b.Slow) / float64(b.Took),
				float64(a.Longest), float64(b.Longest)}, err
		},
	}
}

func sharedChild(s shared, procs int) (two [2]turn, err error) {
	program, err := os.Executable()
	if err != nil {
		return two, err
	}
	err = pinned(func() error {
		return runChild(program, job{Share: &s}, &two,
			fmt.Sprintf("GOMAXPROCS=%d", procs))
	})
	return two, err
}

// share runs in the child.
func share(s shared) (two [2]turn, err error) {
	q := wayNamed(s.Way).open(1024)
	for i := range 1024 {
		q.send(i)
	}
	var stop atomic.Bool
	var all sync.WaitGroup
	all.Go(func() {
		if s.Idle {
			runtime.LockOSThread()
		}
		two[0].share(q, &stop)
	})
	all.Go(func() {
		if s.Idle {
			runtime.LockOSThread() // the thread ends with the goroutine
			if err = makeIdle(); err != nil {
				return
			}
		}
		two[1].share(q, &stop)
	})
	time.Sleep(s.For)
	stop.Store(true)
	all.Wait()
	return two, err
}

func (t *turn) share(q queue, stop *atomic.Bool) {
	began := time.Now()
	defer func() { t.Took = time.Since(began) }()
	for !stop.Load() {
		began := time.Now()
		q.send(1)
		took := time.Since(began)
		t.Calls++
		t.Longest = max(t.Longest, took)
		if took >= slow {
			t.Slow += took
		}
	}
}

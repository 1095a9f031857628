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
	Idle bool // the rival has a thread of policy SCHED_IDLE
	For  time.Duration
}

// pair is what happened to a sender that times its calls and to its rival,
// which does not. A rival that reads no clock loses the CPU within a call, and
// within the section of a lock, as often as possible.
type pair struct {
	Calls, Rival        int64
	Took, Slow, Longest time.Duration // of the calls of the one that is timed
}

// slow is the least time of a slow call: a call that the operating system or
// the Go scheduler has interrupted, or that waited for one that was.
const slow = 20 * time.Microsecond

// oneCPU compares senders that share a CPU, where the holder of a lock and a
// sender that waits for it cannot run at the same time.
func oneCPU(o plan.Options) table {
	t := table{
		title: "Two senders on one CPU, full queue of 1,024",
		heads: []string{"rival", "GOMAXPROCS", "sent by"},
		figures: []column{
			{name: "its calls/s", show: mega, interval: true},
			{name: "the rival's", show: mega, interval: true},
			{name: "time in slow calls", show: rarely, interval: true},
			{name: "longest call", show: figure.Time, interval: true},
		},
	}
	if reason := cannotShare(); reason != "" {
		t.notes = []string{"Skipped: " + reason + "."}
		return t
	}
	t.notes = []string{fmt.Sprintf("Each measurement is a process of its own "+
		"that runs for %v, pinned to one CPU. A slow call takes over %v. The "+
		"rival runs meanwhile, whether the call waits for it, is interrupted, "+
		"or, as one evicting Send of a Ring in 4,096, yields. The rival does not "+
		"read the clock, so most of its interruptions come within a call.",
		sharedFor(o), slow),
		"The idle rival has a thread of policy SCHED_IDLE, which runs when no " +
			"other wants the CPU. GOMAXPROCS is 3 there, so that the goroutine " +
			"that ends the measurement needs the processor of neither."}
	for _, procs := range []int{1, 2, 4} {
		t.bouts = append(t.bouts, sharedBout(o, false, procs))
	}
	t.bouts = append(t.bouts, sharedBout(o, true, 3))
	return t
}

func sharedFor(o plan.Options) time.Duration { return 10 * o.For }

func sharedBout(o plan.Options, idle bool, procs int) bout {
	names, priority := namesOf(ring, evicting), "equal priority"
	if idle {
		priority = "idle"
	}
	return bout{
		situation: []string{priority, fmt.Sprint(procs)},
		names:     names,
		measure: func(i int) ([]float64, error) {
			p, err := sharedChild(
				shared{Way: names[i], Idle: idle, For: sharedFor(o)}, procs)
			seconds := p.Took.Seconds()
			return []float64{float64(p.Calls) / seconds,
				float64(p.Rival) / seconds, p.Slow.Seconds() / seconds,
				float64(p.Longest)}, err
		},
	}
}

func sharedChild(s shared, procs int) (p pair, err error) {
	program, err := os.Executable()
	if err != nil {
		return p, err
	}
	err = pinned(func() error {
		return runChild(program, job{Share: &s}, &p,
			fmt.Sprintf("GOMAXPROCS=%d", procs))
	})
	return p, err
}

// share runs in the child.
func share(s shared) (p pair, err error) {
	q := wayNamed(s.Way).open(1024)
	for i := range 1024 {
		q.send(i)
	}
	var stop atomic.Bool
	var all sync.WaitGroup
	all.Go(func() { p.send(q, &stop) })
	all.Go(func() { p.Rival, err = rival(q, s, &stop) })
	time.Sleep(s.For)
	stop.Store(true)
	all.Wait()
	return p, err
}

func (p *pair) send(q queue, stop *atomic.Bool) {
	start := time.Now()
	for began := start; !stop.Load(); began = time.Now() {
		q.send(1)
		took := time.Since(began)
		p.Calls++
		p.Longest = max(p.Longest, took)
		if took >= slow {
			p.Slow += took
		}
	}
	p.Took = time.Since(start)
}

func rival(q queue, s shared, stop *atomic.Bool) (calls int64, err error) {
	if s.Idle {
		runtime.LockOSThread() // the thread ends with the goroutine
		err = makeIdle()
	}
	for ; err == nil && !stop.Load(); calls++ {
		q.send(1)
	}
	return calls, err
}

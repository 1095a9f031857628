package rows

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// A shared is a sender that times its calls and a rival on the same queue. A
// child process gets it as JSON.
type shared struct {
	Queue string
	Idle  bool // the rival's thread is of SCHED_IDLE, and receives
	Busy  int  // goroutines that do other work
	For   time.Duration
}

// A pair is what happened to both. The rival reads no clock, so it loses its
// processor within a call, and within the section of a lock, most often.
type pair struct {
	Calls, Rival        int64
	Took, Slow, Longest time.Duration // of the calls that are timed
}

// slow is the least time of a call that the system has interrupted, or that
// waited for one that was.
const slow = 20 * time.Microsecond

type doubles struct {
	name       string
	send, recv func(int)
}

func (d doubles) title() string { return d.name }

// shareds are full queues of 1,024.
func shareds() []doubles {
	r := chanx.NewRing[int](1024)
	fill(r)
	ch := fullOf(1024)
	var mu sync.Mutex
	at, buf := 0, make([]int, 1024)
	locked := func(v int) {
		mu.Lock()
		defer mu.Unlock()
		buf[at&1023] = v
		at++
	}
	return []doubles{
		{"Ring.Send", func(v int) { r.Send(v) }, func(int) { _, _ = r.TryRecv() }},
		{"evict and retry", func(v int) { evict(ch, v) },
			func(int) { _, _ = chanx.TryRecv(ch) }},
		{"sync.Mutex and array", locked, locked},
	}
}

// machines puts the rows where the processor is short: in one CPU, against a
// thread that runs only when no other wants to, and within a quota.
func machines(e Effort) (all []Contest) {
	for _, procs := range []int{1, 2} {
		all = append(all, sharedContest(e,
			fmt.Sprintf("two senders on one CPU, GOMAXPROCS %d", procs), procs, 5,
			shared{For: e.time(600 * time.Millisecond)}))
	}
	if !e.Quick { // an idle thread ends when the whole machine has time for it
		// One more than runs, so that the goroutine that ends it has a processor.
		all = append(all, sharedContest(e, "the receiver has SCHED_IDLE and the CPU "+
			"is busy, GOMAXPROCS 5", 5, 4,
			shared{Idle: true, Busy: 2, For: 4 * time.Second}))
	}
	for _, procs := range []int{0, 8} {
		all = append(all, quotaContest(e, procs))
	}
	return all
}

func sharedContest(e Effort, name string, procs, rounds int, s shared) Contest {
	names := namesOf(shareds())
	return Contest{
		Group: "short of CPU", Name: name, Names: names, Rounds: e.rounds(rounds),
		Figures: []Figure{{"calls", Rate}, {"the rival's", Rate},
			{"time in calls over 20 µs", Percent}, {"longest call", Time}},
		Measure: func(i int) ([]float64, error) {
			s := s
			s.Queue = names[i]
			p, err := sharedChild(s, procs)
			seconds := p.Took.Seconds()
			return []float64{float64(p.Calls) / seconds,
				float64(p.Rival) / seconds,
				100 * p.Slow.Seconds() / seconds, float64(p.Longest)}, err
		},
	}
}

func sharedChild(s shared, procs int) (p pair, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	err = pinned(func() error {
		return runChild([]string{self}, job{Shared: &s}, &p, fmt.Sprintf("GOMAXPROCS=%d", procs))
	})
	if errors.Is(err, errors.ErrUnsupported) {
		p, err = pair{}, nil // every figure is 0/0
	}
	return p, err
}

// share runs in the child.
func share(s shared) (p pair, err error) {
	for _, q := range shareds() {
		if q.name == s.Queue {
			return s.run(q)
		}
	}
	return p, fmt.Errorf("no queue %q", s.Queue)
}

func (s shared) run(q doubles) (p pair, err error) {
	var stop atomic.Bool
	var all sync.WaitGroup
	for range s.Busy {
		all.Go(func() {
			for !stop.Load() {
				spin(50 * time.Microsecond)
			}
		})
	}
	all.Go(func() { p.send(q, &stop) })
	all.Go(func() {
		use := q.send
		if s.Idle {
			use = q.recv
			runtime.LockOSThread() // the thread ends with the goroutine
			err = makeIdle()
		}
		for ; err == nil && !stop.Load(); p.Rival++ {
			use(1)
		}
	})
	time.Sleep(s.For)
	stop.Store(true)
	all.Wait()
	return p, err
}

func (p *pair) send(q doubles, stop *atomic.Bool) {
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

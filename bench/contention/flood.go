package contention

import (
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
)

// A load is a flood: senders send as fast as they can. A child process gets it
// as JSON.
type load struct {
	Way      string
	Senders  int
	Receiver bool // otherwise nothing receives, and the queue is full
	Sampled  bool // one call in sampleEach is timed
	For      time.Duration
}

// outcome is what a flood shows; a child process returns it as JSON.
type outcome struct {
	Calls, Delivered int64
	Took, CPU        time.Duration
	P99, P999        time.Duration

	Held, Parked, Waited int64 // by woven children only
}

// sampleEach is odd, so that it stays in step with nothing.
const sampleEach = 61

// floods compares floods with and without a receiver.
func floods(o plan.Options, inside woven) table {
	t := table{
		title: "Flood, 1,024 slots",
		heads: []string{"receiver", "senders", "sent by"},
		figures: []column{
			{name: "time a call", show: figure.Time, interval: true,
				against: evicting.name},
			{name: "p99", show: figure.Time},
			{name: "p99.9", show: figure.Time},
			{name: "delivered/s", show: mega, interval: true},
			{name: "CPU a delivered value", show: figure.Time, interval: true},
			{name: "found the lock held", show: rarely},
			{name: "parked for it", show: rarely},
			{name: "waited, a call", show: figure.Time, interval: true},
		},
		notes: []string{
			"The time of a call is that of the flood divided by the calls of " +
				"all senders. The time of the receiver is in it.",
			fmt.Sprintf("p99 and p99.9 are of one call in %d, timed. The clock is "+
				"read before it (some 40 ns), and in that time another sender "+
				"takes the lock: these percentiles are too high, on all sides.",
				sampleEach),
			"The last three columns come from inside, in a run of the same length " +
				"without clock readings. For the Ring, lock.wait is counted and timed " +
				"in a copy of the source; the shares are of all sends and receives. " +
				"A goroutine that has parked waits for its turn among the other " +
				"senders, too. The time of the channels is the runtime's estimate " +
				"for all of its locks, whose waiting threads keep their turn; the " +
				"time that a blocking send is parked is not in it.",
			"With more senders than processors, the delivered values depend on " +
				"the turns that the scheduler gives the receiver.",
		},
	}
	senders := []int{1, 2, 8, 64, 1024}
	if o.Quick {
		senders = []int{1, 64}
	}
	for _, receiver := range []bool{false, true} {
		for _, n := range senders {
			t.bouts = append(t.bouts, floodBout(load{Senders: n,
				Receiver: receiver, For: o.For}, inside))
		}
	}
	return t
}

func floodBout(l load, inside woven) bout {
	situation, all := "stalled", ways[:2]
	if l.Receiver {
		situation, all = "in Recv", ways
	}
	return bout{
		situation: []string{situation, fmt.Sprint(l.Senders)},
		names:     namesOf(all...),
		base:      1,
		measure: func(i int) ([]float64, error) {
			l := l
			l.Way = all[i].name
			counted, err := inside.flood(l)
			if err != nil {
				return nil, err
			}
			l.Sampled = true
			return figuresOf(flood(l), counted), nil
		},
	}
}

func figuresOf(r, inside outcome) []float64 {
	per := func(d time.Duration, n int64) float64 { // NaN for 0 of 0
		return float64(d) / float64(n)
	}
	share := func(n int64) float64 {
		if n < 0 {
			return math.NaN()
		}
		return float64(n) / float64(inside.Calls+inside.Delivered)
	}
	cpu := math.NaN()
	if r.CPU > 0 && r.Delivered > 0 {
		cpu = per(r.CPU, r.Delivered)
	}
	return []float64{per(r.Took, r.Calls), float64(r.P99), float64(r.P999),
		float64(r.Delivered) / r.Took.Seconds(), cpu,
		share(inside.Held), share(inside.Parked),
		per(time.Duration(inside.Waited), inside.Calls)}
}

// A sender is one goroutine of a flood. Its samples are allocated before, and
// the oldest are overwritten.
type sender struct {
	samples []time.Duration
	taken   int
	calls   int64
	_       [64]byte // a cache line apart from the next sender
}

func flood(l load) outcome {
	q := wayNamed(l.Way).open(1024)
	if !l.Receiver {
		for i := range 1024 {
			q.send(i)
		}
	}
	senders := make([]sender, l.Senders)
	for i := range senders {
		senders[i].samples = make([]time.Duration, max(512, 1<<19/l.Senders))
	}
	runtime.GC()
	var delivered atomic.Int64
	var over atomic.Bool
	var receiving sync.WaitGroup
	if l.Receiver {
		receiving.Go(func() { delivered.Store(receive(q, &over)) })
	}
	r := outcome{CPU: -cpuTime()}
	began := time.Now()
	run(senders, q, l)
	r.Took = time.Since(began)
	over.Store(true)
	r.CPU += cpuTime()
	q.close()
	receiving.Wait()
	r.Delivered = delivered.Load()
	r.add(senders, l.Sampled)
	return r
}

// run returns when all senders have ended.
func run(senders []sender, q queue, l load) {
	var stop atomic.Bool
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() { senders[i].flood(q, i, l.Sampled, &stop) })
	}
	time.Sleep(l.For)
	stop.Store(true)
	sending.Wait()
}

// flood samples at an offset that differs between the senders: all of their
// first calls in the sample would be the tail.
func (s *sender) flood(q queue, offset int, sampled bool, stop *atomic.Bool) {
	next := -1
	if sampled {
		next = offset % sampleEach
	}
	calls := 0
	for ; calls == 0 || !stop.Load(); calls++ {
		if calls != next {
			q.send(calls)
			continue
		}
		began := time.Now()
		q.send(calls)
		s.samples[s.taken%len(s.samples)] = time.Since(began)
		s.taken++
		next += sampleEach
	}
	s.calls = int64(calls)
}

var sink atomic.Int64 // keeps received values from being thrown away

// receive returns how many values it got before over was set.
func receive(q queue, over *atomic.Bool) (during int64) {
	sum := 0
	for {
		v, ok := q.recv()
		if !ok {
			sink.Store(int64(sum))
			return during
		}
		sum += v
		if !over.Load() {
			during++
		}
	}
}

func (r *outcome) add(senders []sender, sampled bool) {
	var all []time.Duration
	for i := range senders {
		s := &senders[i]
		r.Calls += s.calls
		all = append(all, s.samples[:min(s.taken, len(s.samples))]...)
	}
	if !sampled {
		return
	}
	if len(all) == 0 { // a quick run of many senders
		all = []time.Duration{0}
	}
	slices.Sort(all)
	r.P99, r.P999 = all[len(all)*99/100], all[len(all)*999/1000]
}

// runtimeWaited returns the time that goroutines have waited for a mutex, and
// threads for a lock of the runtime, such as that of a channel.
func runtimeWaited() int64 {
	s := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(s)
	return int64(s[0].Value.Float64() * 1e9)
}

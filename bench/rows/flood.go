package rows

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A load is a flood: senders send as fast as they can. A child process gets it
// as JSON.
type load struct {
	Way      string
	Senders  int
	Receiver bool // otherwise nothing receives, and the queue is full
	For      time.Duration
}

// An outcome is what a flood shows; a child process returns it as JSON.
type outcome struct {
	Calls, Received, Told int
	During                int // received before the senders had stopped
	Took, CPU             time.Duration
	Held, Waited          int // by woven children only
}

var receiving = []way{blocking, ring, ringBatch, dropOldest, evicting, trying,
	xsyncQueue, diodeWaiter, diodePoller, eapache}

var stalled = []way{dropping, trying, ring, dropOldest, evicting, xsyncQueue,
	diodeWaiter, diodePoller, eapache}

func wayNamed(name string) way {
	for _, w := range append(receiving, stalled...) {
		if w.name == name {
			return w
		}
	}
	panic("bench: no way " + name)
}

// floods have no percentiles. To time a call, a sender reads the clock, and in
// that pause another sender takes the lock: ten times as many of the timed
// calls find it held as of the others.
func floods(e Effort) (all []Contest) {
	for _, f := range []struct {
		senders  int
		receiver bool
	}{{1, true}, {2, true}, {8, true}, {64, true}, {2, false}, {64, false}} {
		ways, name := receiving, "a receiver; senders: %d"
		if !f.receiver {
			ways, name = stalled, "nothing receives; senders: %d"
		}
		l := load{Senders: f.senders, Receiver: f.receiver,
			For: e.time(250 * time.Millisecond)}
		all = append(all, Contest{
			Group: "flood", Name: fmt.Sprintf(name, f.senders),
			Names: namesOf(ways), Rounds: e.rounds(7),
			Figures: []Figure{
				{"time of a call", Time}, {"offered", Rate},
				{"delivered", Rate}, {"CPU a delivered value", Time},
				{"lost", Percent}, {"counted of the lost", Percent},
				{"met a held lock", Percent}, {"waited for it, a call", Time},
			},
			Notes: []string{"The time of a call is that of the flood by all calls. " +
				"Counted: how many of the lost values the call or the queue " +
				"reports. The last two columns are of all sends and receives of a " +
				"run in another process, whose lock.go counts."},
			Measure: func(i int) ([]float64, error) {
				l := l
				l.Way = ways[i].name
				return floodFigures(ways[i], l)
			},
		})
	}
	return all
}

func floodFigures(w way, l load) ([]float64, error) {
	o := flood(l)
	calls, lost := float64(o.Calls), float64(o.Calls-o.Received)
	told, held, waited, cpu := math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if w.tells && lost > 0 {
		told = 100 * float64(o.Told) / lost
	}
	if w.name == ring.name {
		inside, err := wovenFlood(l)
		if err != nil {
			return nil, err
		}
		ops := float64(inside.Calls + inside.During)
		held = 100 * float64(inside.Held) / ops
		waited = float64(inside.Waited) / ops
	}
	if o.CPU > 0 && o.During > 0 {
		cpu = float64(o.CPU) / float64(o.During)
	}
	seconds := o.Took.Seconds()
	return []float64{float64(o.Took) / calls, calls / seconds,
		float64(o.During) / seconds, cpu, 100 * lost / calls, told, held, waited,
	}, nil
}

// count is a cache line apart from the next one.
type count struct {
	calls, dropped int
	_              [112]byte
}

func flood(l load) (o outcome) {
	q := wayNamed(l.Way).open(1024)
	if !l.Receiver {
		for i := range 1024 {
			o.Calls++
			o.Told += q.send(i)
		}
	}
	counts := make([]count, l.Senders)
	runtime.GC()
	var over atomic.Bool
	var receiving sync.WaitGroup
	receive := func() { o.During, o.Received = receiveAll(q, &over) }
	if l.Receiver {
		receiving.Go(receive)
	}
	o.CPU = -cpuTime()
	start := time.Now()
	sendAll(counts, q, l.For)
	o.Took = time.Since(start)
	over.Store(true)
	o.CPU += cpuTime()
	q.close()
	if !l.Receiver {
		receiving.Go(receive)
	}
	receiving.Wait()
	for _, c := range counts {
		o.Calls += c.calls
		o.Told += c.dropped
	}
	o.Told += q.told()
	return o
}

// sendAll returns when all senders have ended.
func sendAll(counts []count, q queue, d time.Duration) {
	var stop atomic.Bool
	var sending sync.WaitGroup
	for i := range counts {
		sending.Go(func() {
			calls, dropped := 0, 0
			for ; calls == 0 || !stop.Load(); calls++ {
				dropped += q.send(calls)
			}
			counts[i].calls, counts[i].dropped = calls, dropped
		})
	}
	time.Sleep(d)
	stop.Store(true)
	sending.Wait()
}

func receiveAll(q queue, over *atomic.Bool) (during, received int) {
	sum := 0
	for v, ok := q.recv(); ok; v, ok = q.recv() {
		sum += v
		received++
		if !over.Load() {
			during++
		}
	}
	sink.Store(int64(sum))
	return during, received
}

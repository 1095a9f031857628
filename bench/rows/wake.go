package rows

import (
	"math"
	"time"

	"example.com/chanx"
)

type (
	times    = chan time.Time
	timeRing = *chanx.Ring[time.Time]
)

// A waiter is an idle consumer: it receives until there is an error.
type waiter struct {
	name string
	recv func(ch times, r timeRing) (time.Time, error)
}

func (w waiter) title() string { return w.name }

var waiters = []waiter{
	{"channel", func(ch times, _ timeRing) (time.Time, error) {
		t, ok := <-ch
		if !ok {
			return t, chanx.ErrClosed
		}
		return t, nil
	}},
	{"RecvContext", func(ch times, _ timeRing) (time.Time, error) {
		return chanx.RecvContext(neverDone, ch)
	}},
	{"RecvTimeout", func(ch times, _ timeRing) (time.Time, error) {
		return chanx.RecvTimeout(ch, patience)
	}},
	{"Ring.Recv", func(_ times, r timeRing) (time.Time, error) {
		return r.Recv(neverDone)
	}},
	{"Ring.RecvTimeout", func(_ times, r timeRing) (time.Time, error) {
		return r.RecvTimeout(patience)
	}},
	{"Ring.RecvBatch", func(_ times, r timeRing) (time.Time, error) {
		var dst [1]time.Time
		_, err := r.RecvBatch(neverDone, dst[:])
		return dst[0], err
	}},
	{"Ring.Ready", func(_ times, r timeRing) (t time.Time, err error) {
		for t, err = r.TryRecv(); err == chanx.ErrEmpty; t, err = r.TryRecv() {
			select {
			case <-r.Ready():
			case <-neverDone.Done():
			}
		}
		return t, err
	}},
	{"poll every 10 ms", func(_ times, r timeRing) (t time.Time, err error) {
		for t, err = r.TryRecv(); err == chanx.ErrEmpty; t, err = r.TryRecv() {
			time.Sleep(10 * time.Millisecond)
		}
		return t, err
	}},
}

// near parts the two humps of the latencies: a consumer whose processor still
// looks for work, and one whose thread sleeps.
const near = 7 * time.Microsecond

// wakes measures from the send to the receive of a value that an idle consumer
// waits for.
func wakes(e Effort) []Contest {
	n := e.n(250)
	return []Contest{{
		Group: "wake", Name: "a value every 2 ms", Names: namesOf(waiters),
		Rounds: e.rounds(5),
		Figures: []Figure{{"within 7 µs", Percent}, {"median of these", Time},
			{"median of the others", Time}, {"p50", Time}, {"p99", Time}},
		Notes: []string{"The latencies have two humps, of a processor that " +
			"still looks for work and of a thread that sleeps. How many are in " +
			"which depends on the machine more than on the receive."},
		Measure: func(i int) ([]float64, error) {
			return humps(wake(waiters[i], n)), nil
		},
	}}
}

func wake(w waiter, n int) (all latencies) {
	ch, r := make(chan time.Time, 64), chanx.NewRing[time.Time](64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for t, err := w.recv(ch, r); err == nil; t, err = w.recv(ch, r) {
			all = append(all, time.Since(t))
		}
	}()
	for range n {
		time.Sleep(2 * time.Millisecond)
		now := time.Now() // one of the two has no receiver
		chanx.SendDropOldest(ch, now)
		r.Send(now)
	}
	close(ch)
	r.Close()
	<-done
	return all
}

func humps(all latencies) []float64 {
	p := all.at(0.5, 0.99)
	n := 0
	for n < len(all) && all[n] <= near {
		n++
	}
	low, high := math.NaN(), math.NaN()
	if n > 0 {
		low = all[:n].at(0.5)[0]
	}
	if n < len(all) {
		high = all[n:].at(0.5)[0]
	}
	share := 100 * float64(n) / float64(max(len(all), 1))
	return []float64{share, low, high, p[0], p[1]}
}

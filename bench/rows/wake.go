package rows

import (
	"math"
	"time"

	"example.com/chanx"
)

// A waiter is an idle consumer.
type waiter struct {
	name string
	recv func(ch chan time.Time, r *chanx.Ring[time.Time], got func(time.Time))
}

func (w waiter) title() string { return w.name }

// calls receives until receive fails.
func calls(name string, receive func(chan time.Time, *chanx.Ring[time.Time]) (time.Time, error)) waiter {
	return waiter{name, func(ch chan time.Time, r *chanx.Ring[time.Time], got func(time.Time)) {
		for t, err := receive(ch, r); err == nil; t, err = receive(ch, r) {
			got(t)
		}
	}}
}

type (
	times    = chan time.Time
	timeRing = *chanx.Ring[time.Time]
)

var waiters = []waiter{
	{"channel, range", func(ch times, _ timeRing, got func(time.Time)) {
		for t := range ch {
			got(t)
		}
	}},
	calls("RecvContext", func(ch times, _ timeRing) (time.Time, error) {
		return chanx.RecvContext(neverDone, ch)
	}),
	calls("RecvTimeout", func(ch times, _ timeRing) (time.Time, error) {
		return chanx.RecvTimeout(ch, patience)
	}),
	calls("Ring.Recv", func(_ times, r timeRing) (time.Time, error) {
		return r.Recv(neverDone)
	}),
	calls("Ring.RecvBatch", func(_ times, r timeRing) (time.Time, error) {
		var dst [1]time.Time
		_, err := r.RecvBatch(neverDone, dst[:])
		return dst[0], err
	}),
	{"Ring.Ready", func(_ times, r timeRing, got func(time.Time)) {
		for {
			select {
			case <-r.Ready():
			case <-neverDone.Done():
			}
			t, err := r.TryRecv()
			if err == chanx.ErrClosed {
				return
			}
			if err == nil {
				got(t)
			}
		}
	}},
	{"poll every 10 ms", func(_ times, r timeRing, got func(time.Time)) {
		for t, err := r.TryRecv(); err != chanx.ErrClosed; t, err = r.TryRecv() {
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			got(t)
		}
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
		w.recv(ch, r, func(t time.Time) { all = append(all, time.Since(t)) })
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

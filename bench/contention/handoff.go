package contention

import (
	"fmt"
	"runtime"
	"time"

	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
)

// handOffs compares sends to a receiver that is parked.
func handOffs(o plan.Options) table {
	t := table{
		title: "Send to a parked receiver",
		heads: []string{"form", "GOMAXPROCS", "sent by"},
		figures: []column{{name: "time", show: figure.Time, interval: true,
			against: blocking.name}},
		notes: []string{
			"One way: the sender yields after each value. Ping-pong: two " +
				"goroutines send a value to and fro on two queues; the time is that " +
				"of a round.",
			"With GOMAXPROCS 2 the time depends on whether the scheduler wakes " +
				"the receiver on the other processor, for both sides.",
		},
	}
	n := max(1000, int(o.For/1000))
	for _, f := range []struct {
		name string
		run  func(way, int)
	}{{"one way", oneWay}, {"ping-pong", pingPong}} {
		for _, procs := range []int{1, 2} {
			t.bouts = append(t.bouts, bout{
				situation: []string{f.name, fmt.Sprint(procs)},
				names:     namesOf(ring, blocking),
				base:      1,
				measure: func(i int) ([]float64, error) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					began := time.Now()
					f.run([]way{ring, blocking}[i], n)
					return []float64{float64(time.Since(began)) / float64(n)}, nil
				},
			})
		}
	}
	return t
}

func oneWay(w way, n int) {
	q, done := w.open(64), make(chan struct{})
	go func() {
		defer close(done)
		sum := 0
		for v, ok := q.recv(); ok; v, ok = q.recv() {
			sum += v
		}
		sink.Store(int64(sum))
	}()
	for i := range n {
		q.send(i)
		runtime.Gosched()
	}
	q.close()
	<-done
}

func pingPong(w way, n int) {
	there, back := w.open(64), w.open(64)
	go func() {
		defer back.close()
		for v, ok := there.recv(); ok; v, ok = there.recv() {
			back.send(v)
		}
	}()
	for i := range n {
		there.send(i)
		back.recv()
	}
	there.close()
	back.recv() // closed: the other goroutine has ended
}

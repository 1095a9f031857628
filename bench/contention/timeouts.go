package contention

import (
	"runtime"
	"time"

	"example.com/chanx"
	"example.com/chanx/bench/figure"
	"example.com/chanx/bench/plan"
)

// patience is a timeout that never passes here.
const patience = time.Minute

// A side sends or receives on an unbuffered channel, again and again. Each
// open is for one goroutine.
type side struct {
	name string
	send func(ch chan int) func(v int)
	recv func(ch chan int) func() int
}

var sides = []side{plainSide, afterSide, callSide, keptSide, reusedSide}

var plainSide = side{"no timeout",
	func(ch chan int) func(int) { return func(v int) { ch <- v } },
	func(ch chan int) func() int { return func() int { return <-ch } },
}

var afterSide = side{"select with time.After",
	func(ch chan int) func(int) {
		return func(v int) {
			select {
			case ch <- v:
			case <-time.After(patience):
			}
		}
	},
	func(ch chan int) func() int {
		return func() (v int) {
			select {
			case v = <-ch:
			case <-time.After(patience):
			}
			return v
		}
	},
}

var callSide = side{"SendTimeout, RecvTimeout",
	func(ch chan int) func(int) {
		return func(v int) { _ = chanx.SendTimeout(ch, v, patience) }
	},
	func(ch chan int) func() int {
		return func() int { v, _ := chanx.RecvTimeout(ch, patience); return v }
	},
}

var keptSide = side{"Timeouts",
	func(ch chan int) func(int) {
		var w chanx.Timeouts[int]
		return func(v int) { _ = w.Send(ch, v, patience) }
	},
	func(ch chan int) func() int {
		var w chanx.Timeouts[int]
		return func() int { v, _ := w.Recv(ch, patience); return v }
	},
}

// reusedSide tries first and then resets a timer that it keeps. That needs no
// drain since Go 1.23.
var reusedSide = side{"one timer by hand",
	func(ch chan int) func(int) {
		t := time.NewTimer(patience)
		return func(v int) {
			select {
			case ch <- v:
				return
			default:
			}
			t.Reset(patience)
			select {
			case ch <- v:
			case <-t.C:
			}
			t.Stop()
		}
	},
	func(ch chan int) func() int {
		t := time.NewTimer(patience)
		return func() (v int) {
			select {
			case v = <-ch:
				return v
			default:
			}
			t.Reset(patience)
			select {
			case v = <-ch:
			case <-t.C:
			}
			t.Stop()
			return v
		}
	},
}

// timeouts compares ways of waiting with a timeout where the other side is
// hardly ever there yet.
func timeouts(o plan.Options) table {
	t := table{
		title: "A hand-off with timeouts, unbuffered channel",
		heads: []string{"side with the timeout", "by"},
		figures: []column{
			{name: "time", show: figure.Time, interval: true,
				against: afterSide.name},
			{name: "allocations", show: figure.Number},
		},
	}
	var names []string
	for _, s := range sides {
		names = append(names, s.name)
	}
	n := max(1000, int(o.For/2000))
	for _, who := range []struct {
		name       string
		send, recv bool
	}{{"both", true, true}, {"sender", true, false}, {"receiver", false, true}} {
		t.bouts = append(t.bouts, bout{
			situation: []string{who.name},
			names:     names,
			base:      1,
			measure: func(i int) ([]float64, error) {
				s, r := plainSide, plainSide
				if who.send {
					s = sides[i]
				}
				if who.recv {
					r = sides[i]
				}
				return handOver(n, s, r), nil
			},
		})
	}
	return t
}

// handOver returns the nanoseconds and the allocations of one of n values.
func handOver(n int, s, r side) []float64 {
	ch := make(chan int)
	send, recv := s.send(ch), r.recv(ch)
	before := mallocs()
	ns := together(n, func(n int) {
		for i := range n {
			send(i)
		}
	}, func(n int) {
		sum := 0
		for range n {
			sum += recv()
		}
		sink.Store(int64(sum))
	})
	return []float64{ns, float64((mallocs()-before)/uint64(n/100)) / 100}
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

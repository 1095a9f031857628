package rows

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"example.com/chanx"
)

// A private is a queue for one goroutine, or for two.
type private struct {
	name string
	open func(capacity int) (use func(n, turns int))
}

var privates = []private{
	{"nothing", func(int) func(int, int) {
		return func(n, turns int) {
			for range n {
				idleTurns(turns)
			}
		}
	}},
	{"Ring.Send, full", func(capacity int) func(int, int) {
		r := chanx.NewRing[int](capacity)
		fill(r)
		return func(n, turns int) {
			for i := range n {
				r.Send(i)
				idleTurns(turns)
			}
		}
	}},
	{"evict and retry, full", func(capacity int) func(int, int) {
		ch := fullOf(capacity)
		return func(n, turns int) {
			for i := range n {
				evict(ch, i)
				idleTurns(turns)
			}
		}
	}},
}

// lines shows what cache lines cost that change processors.
func lines(e Effort) []Contest {
	n := e.n(1_000_000)
	own := Contest{Group: "cache lines", Name: "two Rings, a goroutine each",
		Rounds: e.rounds(11), Figures: []Figure{{"time", Time}},
		Notes: []string{"Neighbors were made one after the other."}}
	for _, capacity := range []int{1, 1024} {
		own.Names = append(own.Names, fmt.Sprintf("%d slots, neighbors", capacity),
			fmt.Sprintf("%d slots, apart", capacity))
	}
	own.Measure = func(i int) ([]float64, error) {
		a, b := privates[1].two([]int{1, 1024}[i/2], i%2 == 1)
		return []float64{together(n, func(n int) { a(n, 0) },
			func(n int) { b(n, 0) })}, nil
	}
	return []Contest{own, cold(e)}
}

// two opens two queues. Others of the same size, opened before, take up the
// gaps in the heap, so that the two lie where they are meant to.
func (p private) two(capacity int, apart bool) (a, b func(n, turns int)) {
	gaps := func() {
		for range 500 {
			p.open(capacity)
		}
	}
	gaps()
	a = p.open(capacity)
	if apart {
		gaps()
	}
	return a, p.open(capacity)
}

// cold has 300 turns of an empty loop, some 100 ns, between two sends, so that
// another processor has the lines of the queue meanwhile.
func cold(e Effort) Contest {
	const turns = 300
	n := e.n(100_000)
	c := Contest{Group: "cache lines", Name: "100 ns between two sends",
		Rounds: e.rounds(11),
		Figures: []Figure{{"one sender", Time}, {"two, a queue each", Time},
			{"two, one queue", Time}},
		Notes: []string{"Nothing is the loop between the sends alone, which the " +
			"processor overlaps with a send."}}
	for _, p := range privates {
		c.Names = append(c.Names, p.name)
	}
	c.Measure = func(i int) ([]float64, error) {
		a, b := privates[i].two(1024, true)
		use := func(f func(int, int)) func(int) { return func(n int) { f(n, turns) } }
		start := time.Now()
		a(n, turns)
		one := float64(time.Since(start)) / float64(n)
		return []float64{one, together(n, use(a), use(b)),
			together(n, use(a), use(a))}, nil
	}
	return c
}

// memory returns the bytes of a queue, of 100 made.
func memory(e Effort) []Contest {
	of := []struct {
		name string
		open func() any
	}{
		{"channel of 1, 8 B", func() any { return make(chan int, 1) }},
		{"Ring of 1, 8 B", func() any { return chanx.NewRing[int](1) }},
		{"channel of 1,024, 8 B", func() any { return make(chan int, 1024) }},
		{"Ring of 1,024, 8 B", func() any { return chanx.NewRing[int](1024) }},
		{"channel of 1,024, 256 B", func() any { return make(chan [256]byte, 1024) }},
		{"Ring of 1,024, 256 B", func() any { return chanx.NewRing[[256]byte](1024) }},
		{"Broadcast of 1,024, 8 B", func() any { return chanx.NewBroadcast[int](1024) }},
		{"a Subscription of it", subscriptions()},
	}
	c := Contest{Group: "memory", Name: "bytes of one", Rounds: e.rounds(3),
		Figures: []Figure{{"memory", Bytes}}}
	for _, one := range of {
		c.Names = append(c.Names, one.name)
	}
	c.Measure = func(i int) ([]float64, error) {
		return []float64{bytesOf(of[i].open)}, nil
	}
	return []Contest{c}
}

func subscriptions() func() any {
	b := sync.OnceValue(func() *chanx.Broadcast[int] {
		return chanx.NewBroadcast[int](1024)
	})
	b() // not counted
	return func() any { return b().Subscribe(0) }
}

func bytesOf(open func() any) float64 {
	const many = 1000
	kept := make([]any, many)
	before := liveHeap()
	for i := range kept {
		kept[i] = open()
	}
	bytes := (liveHeap() - before) / many
	runtime.KeepAlive(kept)
	return bytes
}

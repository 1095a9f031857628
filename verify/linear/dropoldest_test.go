package linear

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"

	"example.com/chanx"
)

// SendDropOldest is not one atomic step, and does not say so: it is some
// evictions and then a send, each atomic, in the time of the call. A call that
// returned n is entered into the history as n evictions and a send over the
// same time. Which values were evicted it does not tell.
type chanCall struct {
	op string // evict, send, or recv
	v  int
	ok bool
}

func chanModel(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return []int(nil) },
		Step: func(st, in, _ any) (bool, any) {
			vals, c := slices.Clone(st.([]int)), in.(chanCall)
			switch {
			case c.op == "send":
				return len(vals) < capacity, append(vals, c.v)
			case len(vals) == 0:
				return c.op == "recv" && !c.ok, vals
			case c.op == "recv":
				return c.ok && c.v == vals[0], vals[1:]
			default:
				return true, vals[1:]
			}
		},
		Equal: func(a, b any) bool { return slices.Equal(a.([]int), b.([]int)) },
		DescribeOperation: func(in, _ any) string {
			return fmt.Sprintf("%+v", in)
		},
	}
}

func chanHistory(capacity, clients, each int, seed uint64) []porcupine.Operation {
	ch := make(chan int, capacity)
	var next atomic.Int64
	var mu sync.Mutex
	var ops []porcupine.Operation
	var wg sync.WaitGroup
	for id := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(id)))
		wg.Go(func() {
			for i := range each {
				yield(rng)
				from := next.Add(1)
				calls := chanDo(ch, id*1000+i, rng)
				to := next.Add(1)
				mu.Lock()
				for _, c := range calls {
					// A client of its own for each step: they overlap.
					ops = append(ops, porcupine.Operation{
						ClientId: len(ops), Input: c, Call: from, Return: to,
					})
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ops
}

func chanDo(ch chan int, v int, rng *rand.Rand) []chanCall {
	if rng.IntN(3) == 0 {
		v, err := chanx.TryRecv(ch)
		return []chanCall{{op: "recv", v: v, ok: err == nil}}
	}
	calls := []chanCall{{op: "send", v: v}}
	for range chanx.SendDropOldest(ch, v) {
		calls = append(calls, chanCall{op: "evict"})
	}
	return calls
}

func TestSendDropOldestIsEvictionsAndASend(t *testing.T) {
	for _, procs := range []int{1, 2, 4, 16} {
		withProcs(t, procs, func() {
			for _, capacity := range []int{1, 2, 3} {
				for round := range *rounds {
					seed := uint64(round*1000 + capacity*10 + procs)
					ops := chanHistory(capacity, 3, 4, seed)
					check(t, chanModel(capacity), ops,
						fmt.Sprintf("capacity %d, GOMAXPROCS %d, seed %d", capacity, procs, seed))
				}
			}
		})
	}
}

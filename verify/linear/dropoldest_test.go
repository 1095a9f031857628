package linear

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// SendDropOldest is not one atomic step, and does not say so: as often as it
// finds the channel full it evicts one value, and in the end it sends. Each of
// these steps is atomic, they come in this order in the time of the call, and
// between any two of them others may do theirs; that is why it may lose one
// value more than was needed. A call that returned n is entered into the
// history as n times full and evict, and a send. Which values were evicted it
// does not tell.
type chanCall struct {
	op   string // full, evict, send, or recv
	v    int
	ok   bool
	call int // which call it is a step of
	step int // how many steps come before
}

type chanState struct {
	vals []int
	done []int // steps, of each call
}

func chanModel(capacity, calls int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return chanState{done: make([]int, calls)} },
		Step: func(st, in, _ any) (bool, any) {
			s := st.(chanState)
			s = chanState{slices.Clone(s.vals), slices.Clone(s.done)}
			ok := s.step(in.(chanCall), capacity)
			return ok, s
		},
		Equal: func(a, b any) bool {
			x, y := a.(chanState), b.(chanState)
			return slices.Equal(x.vals, y.vals) && slices.Equal(x.done, y.done)
		},
		DescribeOperation: func(in, _ any) string {
			return fmt.Sprintf("%+v", in)
		},
	}
}

// step reports whether c may happen in s, and does it.
func (s *chanState) step(c chanCall, capacity int) bool {
	if s.done[c.call] != c.step {
		return false
	}
	s.done[c.call]++
	switch {
	case c.op == "full":
		return len(s.vals) == capacity
	case c.op == "send":
		s.vals = append(s.vals, c.v)
		return len(s.vals) <= capacity
	case len(s.vals) == 0:
		return c.op == "recv" && !c.ok
	}
	oldest := s.vals[0]
	s.vals = s.vals[1:]
	return c.op == "evict" || c.ok && c.v == oldest
}

type dropper func(ch chan int, v int) (dropped int)

func chanHistory(send dropper, capacity, clients, each int, seed uint64) []porcupine.Operation {
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
				steps := chanDo(send, ch, id*each+i, rng)
				to := next.Add(1)
				mu.Lock()
				for _, c := range steps {
					// A separate client for each step: they overlap.
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

// chanDo makes a call, whose number it sends, and returns its steps.
func chanDo(send dropper, ch chan int, call int, rng *rand.Rand) []chanCall {
	if rng.IntN(3) == 0 {
		v, err := chanx.TryRecv(ch)
		return []chanCall{{op: "recv", v: v, ok: err == nil, call: call}}
	}
	var steps []chanCall
	for range send(ch, call) {
		steps = append(steps,
			chanCall{op: "full", call: call, step: len(steps)},
			chanCall{op: "evict", call: call, step: len(steps) + 1})
	}
	return append(steps, chanCall{op: "send", v: call, call: call, step: len(steps)})
}

func TestSendDropOldestIsEvictionsAndASend(t *testing.T) {
	for _, procs := range processors {
		withProcs(t, procs, func() {
			for _, capacity := range []int{1, 2, 3} {
				for round := range *rounds {
					seed := uint64(round*1000 + capacity*10 + procs)
					ops := chanHistory(chanx.SendDropOldest[int], capacity, 3, 4, seed)
					check(t, chanModel(capacity, 3*4), ops,
						fmt.Sprintf("capacity %d, GOMAXPROCS %d, seed %d", capacity, procs, seed))
				}
			}
		})
	}
}

// Evicting without need is counted and loses nothing unseen, and yet the model
// must say no to it.
func TestEvictingWithoutNeedIsFound(t *testing.T) {
	tooMany := func(ch chan int, v int) int {
		dropped := chanx.SendDropOldest(ch, v)
		if dropped > 0 {
			if _, err := chanx.TryRecv(ch); err == nil {
				dropped++
			}
		}
		return dropped
	}
	wrong := 0
	for seed := range uint64(200) {
		ops := chanHistory(tooMany, 2, 3, 4, seed)
		if !porcupine.CheckOperations(chanModel(2, 3*4), ops) {
			wrong++
		}
	}
	require.Positive(t, wrong)
}

package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// subscribers is how many subscriptions a history of a Broadcast has.
const subscribers = 2

// bcall is one operation on a Broadcast, or on one of its subscriptions, with
// its results.
type bcall struct {
	op     string
	sub    int
	v      int // argument of Send
	most   int // len(dst) of RecvBatch
	got    []int
	missed uint64
	err    error
	ok     bool
	stats  chanx.SubscriptionStats
}

func (c bcall) String() string {
	switch c.op {
	case "Send":
		return fmt.Sprintf("Send(%d) %v", c.v, c.ok)
	case "Stats":
		return fmt.Sprintf("%d.Stats() %+v", c.sub, c.stats)
	}
	return fmt.Sprintf("%d.%s(%d) %v, missed %d, %v", c.sub, c.op, c.most, c.got, c.missed, c.err)
}

// bstate is the oracle: all values, and a position for each subscription.
type bstate struct {
	all    []int
	closed bool
	subs   [subscribers]cursor
}

type cursor struct {
	pos, received int
	closed        bool
	end           int
}

func broadcastModel(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return bstate{} },
		Step: func(st, in, _ any) (bool, any) {
			s := st.(bstate)
			s.all = slices.Clone(s.all)
			ok := s.step(in.(bcall), capacity)
			return ok, s
		},
		Equal: func(a, b any) bool {
			x, y := a.(bstate), b.(bstate)
			return slices.Equal(x.all, y.all) && x.closed == y.closed && x.subs == y.subs
		},
		DescribeOperation: func(in, _ any) string { return in.(bcall).String() },
		DescribeState:     func(st any) string { return fmt.Sprintf("%+v", st) },
	}
}

// step reports whether c may happen in s, and does it.
func (s *bstate) step(c bcall, capacity int) bool {
	sub := &s.subs[c.sub]
	switch c.op {
	case "Send":
		if !s.closed {
			s.all = append(s.all, c.v)
		}
		return c.ok == !s.closed
	case "Close":
		s.closed = true
		return true
	case "CloseSub":
		if !sub.closed {
			sub.closed, sub.end = true, len(s.all)
		}
		return true
	case "Stats":
		return c.stats == s.stats(sub, capacity)
	}
	return s.receive(sub, c, capacity)
}

func (s *bstate) receive(sub *cursor, c bcall, capacity int) bool {
	from := max(sub.pos, len(s.all)-capacity)
	switch {
	case c.err == context.DeadlineExceeded: // not ErrTimeout, which matches it
		return c.missed == 0 // may give up in any state, and takes nothing
	case sub.closed:
		return c.err == chanx.ErrClosed && c.missed == 0
	case from < len(s.all):
		n := min(c.most, len(s.all)-from)
		ok := c.err == nil && slices.Equal(c.got, s.all[from:from+n]) &&
			c.missed == uint64(from-sub.pos)
		sub.pos = from + n
		sub.received += n
		return ok
	case s.closed:
		return c.err == chanx.ErrClosed && c.missed == 0
	case c.op == "RecvTimeout":
		return c.err == chanx.ErrTimeout && c.missed == 0
	}
	return (c.op == "TryRecv" || c.op == "Ready") && c.err == chanx.ErrEmpty && c.missed == 0
}

func (s *bstate) stats(sub *cursor, capacity int) chanx.SubscriptionStats {
	offered, n := len(s.all), len(s.all)-max(sub.pos, len(s.all)-capacity)
	if sub.closed {
		offered, n = sub.end, 0
	}
	return chanx.SubscriptionStats{
		Offered:  uint64(offered),
		Received: uint64(sub.received),
		Missed:   uint64(offered - sub.received - n),
		Len:      n,
	}
}

// broadcastHistory lets clients make random calls, all on one Broadcast and its
// subscriptions, and records them.
func broadcastHistory(capacity, clients, each int, seed uint64) []porcupine.Operation {
	b := chanx.NewBroadcast[int](capacity)
	var subs [subscribers]*chanx.Subscription[int]
	for i := range subs {
		subs[i] = b.Subscribe(0)
	}
	var log record
	var wg sync.WaitGroup
	for id := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(id)))
		wg.Go(func() {
			var ops []porcupine.Operation
			for i := range each {
				c := bcall{op: pickBroadcast(rng), sub: rng.IntN(subscribers), v: id*1000 + i, most: 1}
				if c.op == "RecvBatch" {
					c.most = 1 + rng.IntN(3)
				}
				yield(rng)
				from := log.clock.Add(1)
				c.do(b, subs[c.sub])
				ops = append(ops, porcupine.Operation{
					ClientId: id, Input: c, Call: from, Return: log.clock.Add(1),
				})
			}
			log.add(ops)
		})
	}
	wg.Wait()
	return log.ops
}

func pickBroadcast(rng *rand.Rand) string {
	if rng.IntN(20) == 0 {
		return []string{"Close", "CloseSub"}[rng.IntN(2)]
	}
	ops := []string{
		"Send", "Send", "Send", "Send", "Send", "TryRecv", "Ready", "Recv",
		"RecvTimeout", "RecvBatch", "RecvBatch", "Stats",
	}
	return ops[rng.IntN(len(ops))]
}

func (c *bcall) do(b *chanx.Broadcast[int], s *chanx.Subscription[int]) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Microsecond)
	defer cancel()
	c.got = []int{0}
	switch c.op {
	case "Send":
		c.ok = b.Send(c.v)
	case "Close":
		b.Close()
	case "CloseSub":
		s.Close()
	case "Stats":
		c.stats = s.Stats()
	case "Ready":
		select {
		case <-s.Ready():
		default:
		}
		fallthrough
	case "TryRecv":
		c.got[0], c.missed, c.err = s.TryRecv()
	case "Recv":
		c.got[0], c.missed, c.err = s.Recv(ctx)
	case "RecvTimeout":
		c.got[0], c.missed, c.err = s.RecvTimeout(50 * time.Microsecond)
	case "RecvBatch":
		c.got = make([]int, c.most)
		var n int
		n, c.missed, c.err = s.RecvBatch(ctx, c.got)
		c.got = c.got[:n]
	}
}

func TestBroadcastIsLinearizable(t *testing.T) {
	for _, procs := range processors {
		withProcs(t, procs, func() {
			for _, capacity := range []int{1, 2, 3, 64} {
				for round := range *rounds {
					seed := uint64(round*1000 + capacity*10 + procs)
					check(t, broadcastModel(capacity),
						broadcastHistory(capacity, 3+round%2, 3+round%4, seed),
						fmt.Sprintf("capacity %d, GOMAXPROCS %d, seed %d", capacity, procs, seed))
				}
				check(t, broadcastModel(capacity),
					broadcastHistory(capacity, 3, 40, uint64(procs)), "a long history")
			}
		})
	}
}

// The checker must be able to say no: a model of one value less calls a correct
// Broadcast wrong.
func TestTheCheckerFindsAWrongBroadcast(t *testing.T) {
	wrong := 0
	for seed := range uint64(200) {
		if !porcupine.CheckOperations(broadcastModel(1), broadcastHistory(2, 3, 6, seed)) {
			wrong++
		}
	}
	require.Positive(t, wrong)
}

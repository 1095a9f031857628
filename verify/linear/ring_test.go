package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// call is one operation on a Ring with its results.
type call struct {
	op    string
	v     int // argument of Send and TrySend
	most  int // len(dst) of RecvBatch
	drop  int // what Send evicted, or none
	got   []int
	err   error
	ok    bool
	stats chanx.RingStats
}

const none = -1

func (c call) String() string {
	switch c.op {
	case "Send":
		return fmt.Sprintf("Send(%d) %v, evicts %d", c.v, c.ok, c.drop)
	case "TrySend":
		return fmt.Sprintf("TrySend(%d) %v", c.v, c.err)
	case "Stats":
		return fmt.Sprintf("Stats() %+v", c.stats)
	case "RecvBatch":
		return fmt.Sprintf("RecvBatch(%d) %v, %v", c.most, c.got, c.err)
	default:
		return fmt.Sprintf("%s() %v, %v", c.op, c.got, c.err)
	}
}

// state is the oracle: a slice, the counts, and whether it is closed.
type state struct {
	vals                 []int
	closed               bool
	sent, received, lost uint64
	high                 int
}

func (s state) clone() state {
	s.vals = slices.Clone(s.vals)
	return s
}

// model returns the model of a Ring of the given capacity.
func model(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state{} },
		Step: func(st, in, _ any) (bool, any) {
			s := st.(state).clone()
			ok := s.step(in.(call), capacity)
			return ok, s
		},
		Equal: func(a, b any) bool {
			x, y := a.(state), b.(state)
			return slices.Equal(x.vals, y.vals) && x.closed == y.closed &&
				x.sent == y.sent && x.received == y.received &&
				x.lost == y.lost && x.high == y.high
		},
		DescribeOperation: func(in, _ any) string { return in.(call).String() },
		DescribeState:     func(st any) string { return fmt.Sprintf("%+v", st) },
	}
}

// step reports whether c may happen in s, and does it.
func (s *state) step(c call, capacity int) bool {
	switch c.op {
	case "Send":
		return s.send(c, capacity)
	case "TrySend":
		return s.trySend(c, capacity)
	case "Close":
		s.closed = true
		return true
	case "Stats":
		return c.stats == chanx.RingStats{
			Sent: s.sent, Received: s.received, Dropped: s.lost,
			Len: len(s.vals), Cap: capacity, HighWater: s.high,
		}
	default:
		return s.receive(c)
	}
}

func (s *state) send(c call, capacity int) bool {
	if s.closed {
		return !c.ok && c.drop == none
	}
	evicted := none
	if len(s.vals) == capacity {
		evicted, s.vals = s.vals[0], s.vals[1:]
		s.lost++
	}
	s.store(c.v)
	return c.ok && c.drop == evicted
}

func (s *state) trySend(c call, capacity int) bool {
	switch {
	case s.closed:
		return c.err == chanx.ErrClosed
	case len(s.vals) == capacity:
		return c.err == chanx.ErrFull
	}
	s.store(c.v)
	return c.err == nil
}

func (s *state) store(v int) {
	s.vals = append(s.vals, v)
	s.sent++
	s.high = max(s.high, len(s.vals))
}

func (s *state) receive(c call) bool {
	switch {
	case c.err == context.DeadlineExceeded: // not ErrTimeout, which matches it
		return true // may give up in any state, and takes nothing
	case len(s.vals) > 0:
		n := min(c.most, len(s.vals))
		ok := c.err == nil && slices.Equal(c.got, s.vals[:n])
		s.vals = s.vals[n:]
		s.received += uint64(n)
		return ok
	case s.closed:
		return c.err == chanx.ErrClosed
	case c.op == "RecvTimeout":
		return c.err == chanx.ErrTimeout
	default:
		return (c.op == "TryRecv" || c.op == "Ready") && c.err == chanx.ErrEmpty
	}
}

// client makes n random calls and records them.
func client(id, n int, next *atomic.Int64, ring *chanx.Ring[item], rng *rand.Rand) []porcupine.Operation {
	var ops []porcupine.Operation
	for i := range n {
		c := call{op: pick(rng), v: id*1000 + i, most: 1, drop: none}
		if c.op == "RecvBatch" {
			c.most = 1 + rng.IntN(3)
		}
		yield(rng)
		from := next.Add(1)
		c.do(ring)
		ops = append(ops, porcupine.Operation{
			ClientId: id, Input: c, Call: from, Return: next.Add(1),
		})
	}
	return ops
}

// item lets onDrop, which runs inside the Send that evicts, tell that Send.
type item struct{ v int }

// yield makes the interleavings of the machine less alike.
func yield(rng *rand.Rand) {
	for range rng.IntN(3) {
		runtime.Gosched()
	}
}

func pick(rng *rand.Rand) string {
	ops := []string{
		"Send", "Send", "Send", "Send", "TrySend", "TrySend", "TryRecv",
		"Ready", "Recv", "RecvTimeout", "RecvBatch", "RecvBatch", "Stats",
	}
	if rng.IntN(12) == 0 {
		return "Close"
	}
	return ops[rng.IntN(len(ops))]
}

func (c *call) do(ring *chanx.Ring[item]) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Microsecond)
	defer cancel()
	switch c.op {
	case "Send":
		c.ok, c.drop = sendWatched(ring, c.v)
	case "TrySend":
		c.err = ring.TrySend(item{c.v})
	case "TryRecv":
		c.one(ring.TryRecv())
	case "Ready":
		c.one(byReadiness(ring))
	case "Recv":
		c.one(ring.Recv(ctx))
	case "RecvTimeout":
		c.one(ring.RecvTimeout(50 * time.Microsecond))
	case "RecvBatch":
		dst := make([]item, c.most)
		var n int
		n, c.err = ring.RecvBatch(ctx, dst)
		for _, it := range dst[:n] {
			c.got = append(c.got, it.v)
		}
	case "Close":
		ring.Close()
	case "Stats":
		c.stats = ring.Stats()
	}
}

// byReadiness is a TryRecv, before which the token may be in its hands for a
// while: a receiver that waits meanwhile must not be forgotten.
func byReadiness(ring *chanx.Ring[item]) (item, error) {
	select {
	case <-ring.Ready():
		runtime.Gosched()
	default:
	}
	return ring.TryRecv()
}

func (c *call) one(it item, err error) {
	if c.err = err; err == nil {
		c.got = []int{it.v}
	}
}

// evicted maps a goroutine that is in Send to what onDrop gave it. onDrop runs
// on the sender's goroutine, which is what makes this possible, and what this
// test relies on: given to another one, the value would be seen nowhere.
var evicted sync.Map // goroutine id -> int

func sendWatched(ring *chanx.Ring[item], v int) (ok bool, drop int) {
	me := goid()
	ok = ring.Send(item{v})
	if d, found := evicted.LoadAndDelete(me); found {
		return ok, d.(int)
	}
	return ok, none
}

func goid() string {
	var buf [32]byte
	return string(buf[:runtime.Stack(buf[:], false)][:20])
}

// note is the onDrop of a ring that is watched. It yields, so that others are
// at the ring between the eviction and the return of the Send that evicts.
func note(it item) {
	evicted.Store(goid(), it.v)
	runtime.Gosched()
}

func history(capacity, clients, each int, seed uint64) []porcupine.Operation {
	return historyOf(chanx.NewRingFunc(capacity, note), clients, each, seed)
}

func historyOf(ring *chanx.Ring[item], clients, each int, seed uint64) []porcupine.Operation {
	var log record
	var wg sync.WaitGroup
	for id := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(id)))
		wg.Go(func() {
			log.add(client(id, each, &log.clock, ring, rng))
		})
	}
	wg.Wait()
	return log.ops
}

// record is the history that clients write together.
type record struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (r *record) add(ops []porcupine.Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, ops...)
}

// check fails the test with porcupine's picture of the violation.
func check(t *testing.T, m porcupine.Model, ops []porcupine.Operation, what string) {
	t.Helper()
	pic := picturePath(t)
	res, err := judge(m, ops, pic)
	require.NoError(t, err)
	require.Equal(t, porcupine.Ok, res, "%s: see %s", what, pic)
}

// judge draws the picture of whatever is not linearizable.
func judge(m porcupine.Model, ops []porcupine.Operation, pic string) (porcupine.CheckResult, error) {
	res, info := porcupine.CheckOperationsVerbose(m, ops, time.Minute)
	if res == porcupine.Ok {
		return res, nil
	}
	return res, porcupine.VisualizePath(m, info, pic)
}

// everywhere checks short histories of rings of several capacities, with few
// processors and many, and then calls more with each capacity.
func everywhere(
	t *testing.T,
	short func(capacity, round int, seed uint64) []porcupine.Operation,
	more func(capacity int),
) {
	t.Helper()
	for _, procs := range processors {
		withProcs(t, procs, func() {
			for _, capacity := range []int{1, 2, 3, 64} {
				for round := range *rounds {
					seed := uint64(round*1000 + capacity*10 + procs)
					check(t, model(capacity), short(capacity, round, seed),
						fmt.Sprintf("capacity %d, GOMAXPROCS %d, seed %d", capacity, procs, seed))
				}
				more(capacity)
			}
		})
	}
}

func TestRingIsLinearizable(t *testing.T) {
	everywhere(t, func(capacity, round int, seed uint64) []porcupine.Operation {
		return history(capacity, 3+round%2, 3+round%3, seed)
	}, func(capacity int) {
		for seed := range uint64(1 + *rounds/50) {
			ops := history(capacity, 3, 40, seed)
			check(t, model(capacity), ops, "a long history")
		}
	})
}

// The checker must be able to say no: a model of one value less calls a
// correct ring wrong.
func TestTheCheckerFindsAWrongRing(t *testing.T) {
	wrong := 0
	for seed := range uint64(200) {
		ops := history(2, 3, 5, seed)
		if !porcupine.CheckOperations(model(1), ops) {
			wrong++
		}
	}
	require.Positive(t, wrong)
}

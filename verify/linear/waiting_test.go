package linear

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"example.com/chanx"
)

// In these histories receivers never give up, as they do in the others after
// some microseconds: a receiver that loses a wake-up blocks forever, and the test
// with it. In the model no receiver returns without a value before Close.
func waitingHistory(capacity, clients, each int, seed uint64) []porcupine.Operation {
	ring := chanx.NewRingFunc(capacity, note)
	var log record
	var senders, receivers sync.WaitGroup
	for id := range clients {
		taking := rand.New(rand.NewPCG(seed, uint64(100+id)))
		receivers.Go(func() { log.add(untilClosed(100+id, &log, ring, taking)) })
		giving := rand.New(rand.NewPCG(seed, uint64(id)))
		senders.Go(func() { log.add(sendAll(id, each, &log, ring, giving)) })
	}
	senders.Wait()
	for ring.Len() > 0 { // Close would wake a forgotten receiver
		runtime.Gosched()
	}
	c := call{op: "Close"}
	from := log.clock.Add(1)
	c.do(ring)
	log.add([]porcupine.Operation{{
		ClientId: 99, Input: c, Call: from, Return: log.clock.Add(1),
	}})
	receivers.Wait()
	return log.ops
}

func sendAll(id, each int, log *record, ring *chanx.Ring[item], rng *rand.Rand) []porcupine.Operation {
	var ops []porcupine.Operation
	for i := range each {
		c := call{op: "Send", v: id*1000 + i, drop: none}
		if rng.IntN(3) == 0 {
			c.op = "TrySend"
		}
		yield(rng)
		from := log.clock.Add(1)
		c.do(ring)
		ops = append(ops, porcupine.Operation{
			ClientId: id, Input: c, Call: from, Return: log.clock.Add(1),
		})
	}
	return ops
}

// untilClosed includes the call that is told of the end.
func untilClosed(id int, log *record, ring *chanx.Ring[item], rng *rand.Rand) []porcupine.Operation {
	var ops []porcupine.Operation
	for closed := false; !closed; {
		c := call{op: "Recv", most: 1 + rng.IntN(3)}
		yield(rng)
		from := log.clock.Add(1)
		c.await(ring, rng.IntN(2) == 0)
		ops = append(ops, porcupine.Operation{
			ClientId: id, Input: c, Call: from, Return: log.clock.Add(1),
		})
		closed = errors.Is(c.err, chanx.ErrClosed)
	}
	return ops
}

// await receives one value or a batch, without an end to its patience.
func (c *call) await(ring *chanx.Ring[item], ready bool) {
	switch {
	case c.most > 1:
		c.op = "RecvBatch"
		dst := make([]item, c.most)
		var n int
		n, c.err = ring.RecvBatch(context.Background(), dst)
		for _, it := range dst[:n] {
			c.got = append(c.got, it.v)
		}
	case ready:
		for c.err = chanx.ErrEmpty; c.err == chanx.ErrEmpty; {
			<-ring.Ready()
			runtime.Gosched() // with the token in hand
			c.one(ring.TryRecv())
		}
	default:
		c.one(ring.Recv(context.Background()))
	}
}

func TestNoReceiverIsForgotten(t *testing.T) {
	everywhere(t, func(capacity, round int, seed uint64) []porcupine.Operation {
		return waitingHistory(capacity, 2+round%2, 3+round%5, seed)
	}, func(int) {})
}

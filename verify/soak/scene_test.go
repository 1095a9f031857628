package soak

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// ways are the ways to receive; in the last one every receiver has another.
var ways = []string{"Recv", "RecvBatch", "RecvTimeout", "mixed"}

// scene is one case: senders that send each values, as fast as they can.
type scene struct {
	capacity, procs    int
	senders, receivers int
	each               int
	way                string
}

func (c scene) String() string {
	return fmt.Sprintf("capacity %d, GOMAXPROCS %d, by %s", c.capacity, c.procs, c.way)
}

// outcome is what became of each value, by its number.
type outcome struct {
	received, evicted []uint32
	refused           int64 // sends that returned false
	wrong             error // the first fault
	stats             chanx.RingStats
}

// play runs the scene to its end: all senders done, ring closed and drained.
func (c scene) play() outcome {
	out := outcome{
		received: make([]uint32, c.senders*c.each),
		evicted:  make([]uint32, c.senders*c.each),
	}
	ring := chanx.NewRingFunc(c.capacity, func(v int) {
		atomic.AddUint32(&out.evicted[v], 1)
	})
	var once sync.Once
	note := func(err error) {
		if err != nil {
			once.Do(func() { out.wrong = err })
		}
	}
	var receivers, watcher sync.WaitGroup
	over := make(chan struct{})
	watcher.Go(func() { note(watch(ring, over)) })
	for i := range c.receivers {
		r := receiver{ring: ring, out: &out, last: make([]int, c.senders), each: c.each}
		receivers.Go(func() {
			note(r.receive(c.wayOf(i)))
		})
	}
	out.refused = c.send(ring)
	ring.Close()
	receivers.Wait()
	close(over)
	watcher.Wait()
	out.stats = ring.Stats()
	return out
}

// watch demands of what Stats returns that it was true at one instant.
func watch(ring *chanx.Ring[int], over <-chan struct{}) error {
	for {
		s := ring.Stats()
		if s.Sent != s.Received+s.Dropped+uint64(s.Len) || s.Len > s.HighWater ||
			s.HighWater > s.Cap || s.Dropped > 0 && s.HighWater < s.Cap {
			return fmt.Errorf("never so: %+v", s)
		}
		select {
		case <-over:
			return nil
		default:
			runtime.Gosched()
		}
	}
}

func (c scene) wayOf(receiver int) string {
	if c.way == "mixed" {
		return append(ways[:3:3], "Ready")[receiver%4]
	}
	return c.way
}

func (c scene) send(ring *chanx.Ring[int]) int64 {
	var refused atomic.Int64
	var senders sync.WaitGroup
	for s := range c.senders {
		senders.Go(func() {
			for i := range c.each {
				if !put(ring, s*c.each+i) {
					refused.Add(1)
				}
				if i%c.pace() == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	senders.Wait()
	return refused.Load()
}

// put sends every third value by TrySend, if there is room.
func put(ring *chanx.Ring[int], v int) bool {
	if v%3 == 0 && ring.TrySend(v) == nil {
		return true
	}
	return ring.Send(v)
}

// pace is after how many values a sender yields. Without, senders filled their
// time slices with evictions and receivers got one value in ten thousand; so
// a good part of the values is received, and the ring is often empty.
func (c scene) pace() int { return 1 + min(c.capacity, 128)/c.senders }

// receiver demands that the values of one sender reach it in order.
type receiver struct {
	ring *chanx.Ring[int]
	out  *outcome
	last []int // of each sender: how many of its values it is past
	each int
}

// receive ends when the ring is closed and drained. It goes on after an error:
// a receiver less would be another test.
func (r *receiver) receive(way string) (wrong error) {
	var dst [7]int
	for {
		n, err := r.get(way, dst[:])
		for _, v := range dst[:n] {
			if e := r.take(v); wrong == nil {
				wrong = e
			}
		}
		switch {
		case errors.Is(err, chanx.ErrClosed):
			return wrong
		case err != nil && err != chanx.ErrTimeout && err != chanx.ErrEmpty:
			return err
		}
	}
}

// patience is so short that it ends all the time, also as a value comes.
const patience = 20 * time.Microsecond

func (r *receiver) get(way string, dst []int) (n int, err error) {
	switch way {
	case "RecvBatch":
		return r.ring.RecvBatch(context.Background(), dst)
	case "RecvTimeout":
		dst[0], err = r.ring.RecvTimeout(patience)
	case "Ready":
		<-r.ring.Ready()
		dst[0], err = r.ring.TryRecv()
	default:
		dst[0], err = r.ring.Recv(context.Background())
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

func (r *receiver) take(v int) error {
	if v < 0 || v >= len(r.out.received) {
		return fmt.Errorf("%d was never sent", v)
	}
	atomic.AddUint32(&r.out.received[v], 1)
	sender, number := v/r.each, v%r.each
	if number < r.last[sender] {
		return fmt.Errorf("sender %d: value %d after %d", sender, number, r.last[sender]-1)
	}
	r.last[sender] = number + 1
	return nil
}

// check returns the first count that does not add up.
func (o *outcome) check(c scene) error {
	if o.wrong != nil {
		return o.wrong
	}
	if o.refused != 0 {
		return fmt.Errorf("%d sends to an open ring refused", o.refused)
	}
	var received, evicted uint64
	for v := range o.received {
		if o.received[v]+o.evicted[v] != 1 {
			return fmt.Errorf("value %d: received %d times, evicted %d times",
				v, o.received[v], o.evicted[v])
		}
		received += uint64(o.received[v])
		evicted += uint64(o.evicted[v])
	}
	want := chanx.RingStats{
		Sent: received + evicted, Received: received, Dropped: evicted,
		Cap: c.capacity, HighWater: o.stats.HighWater,
	}
	if o.stats != want {
		return fmt.Errorf("stats %+v, counted %+v", o.stats, want)
	}
	return nil
}

package contention

import (
	"context"

	"example.com/chanx"
)

// A queue is one way of handing values to a receiver.
type queue struct {
	send  func(int)
	recv  func() (int, bool) // false: closed and drained
	close func()
}

// A way names and opens a queue.
type way struct {
	name string
	open func(capacity int) queue
}

var (
	ring = way{"Ring.Send", func(capacity int) queue {
		r, ctx := chanx.NewRing[int](capacity), context.Background()
		return queue{
			send:  func(v int) { r.Send(v) },
			recv:  func() (int, bool) { v, err := r.Recv(ctx); return v, err == nil },
			close: r.Close,
		}
	}}
	evicting = way{"evict and retry", func(capacity int) queue {
		ch := make(chan int, capacity)
		return channel(ch, func(v int) { evict(ch, v) })
	}}
	blocking = way{"channel, blocking", func(capacity int) queue {
		ch := make(chan int, capacity)
		return channel(ch, func(v int) { ch <- v })
	}}
	ways = []way{ring, evicting, blocking}
)

func channel(ch chan int, send func(int)) queue {
	return queue{
		send:  send,
		recv:  func() (int, bool) { v, ok := <-ch; return v, ok },
		close: func() { close(ch) },
	}
}

// evict sends v and drops the oldest values as long as ch is full.
func evict(ch chan int, v int) {
	for {
		select {
		case ch <- v:
			return
		default:
		}
		select {
		case <-ch:
		default:
		}
	}
}

func wayNamed(name string) way {
	for _, w := range ways {
		if w.name == name {
			return w
		}
	}
	panic("contention: no way " + name)
}

func namesOf(all ...way) (names []string) {
	for _, w := range all {
		names = append(names, w.name)
	}
	return names
}

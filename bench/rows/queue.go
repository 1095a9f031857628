package rows

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"code.cloudfoundry.org/go-diodes"
	"github.com/eapache/channels"
	"github.com/puzpuzpuz/xsync/v4"

	"example.com/chanx"
)

// A queue is one way of handing values to one receiver.
type queue struct {
	send  func(v int) (dropped int) // as far as the call knows
	recv  func() (v int, ok bool)   // waits; not ok: closed and drained
	close func()
	told  func() int // values that the queue itself says it dropped
}

// A way names and opens a queue. A way that tells has each dropped value
// counted, by send or by the queue.
type way struct {
	name  string
	tells bool
	open  func(capacity int) queue
}

func (w way) title() string { return w.name }

func silent() int { return 0 }

func channelWay(name string, send func(ch chan int, v int) int) way {
	return way{name, true, func(capacity int) queue {
		ch := make(chan int, capacity)
		return queue{
			send:  func(v int) int { return send(ch, v) },
			recv:  func() (int, bool) { v, ok := <-ch; return v, ok },
			close: func() { close(ch) },
			told:  silent,
		}
	}}
}

var blocking = channelWay("channel", func(ch chan int, v int) int {
	ch <- v
	return 0
})

var dropping = channelWay("select with default", func(ch chan int, v int) int {
	select {
	case ch <- v:
		return 0
	default:
		return 1
	}
})

var trying = channelWay("TrySend", func(ch chan int, v int) int {
	if chanx.TrySend(ch, v) {
		return 0
	}
	return 1
})

var evicting = channelWay("evict and retry", evict)

var dropOldest = channelWay("SendDropOldest", chanx.SendDropOldest[int])

func ringQueue(r *chanx.Ring[int], recv func() (int, bool)) queue {
	return queue{
		send: func(v int) int {
			r.Send(v)
			return 0
		},
		recv:  recv,
		close: r.Close,
		told:  func() int { return int(r.Stats().Dropped) },
	}
}

var ring = way{"Ring, Recv", true, func(capacity int) queue {
	r, ctx := chanx.NewRing[int](capacity), context.Background()
	return ringQueue(r, func() (int, bool) {
		v, err := r.Recv(ctx)
		return v, err == nil
	})
}}

var ringBatch = way{"Ring, RecvBatch", true, func(capacity int) queue {
	r, ctx := chanx.NewRing[int](capacity), context.Background()
	dst := make([]int, 256)
	var rest []int
	return ringQueue(r, func() (v int, ok bool) {
		if len(rest) == 0 {
			n, err := r.RecvBatch(ctx, dst)
			if err != nil {
				return 0, false
			}
			rest = dst[:n]
		}
		v, rest = rest[0], rest[1:]
		return v, true
	})
}}

// xsyncQueue adds to the lock-free queue eviction, with the back-off that its
// documentation asks for, waiting, and closing.
var xsyncQueue = way{"xsync MPMC, evict with back-off", true, func(capacity int) queue {
	q := xsync.NewMPMCQueue[int](capacity)
	var closed atomic.Bool
	return queue{
		send: func(v int) (lost int) {
			for !q.TryEnqueue(v) {
				if _, ok := q.TryDequeue(); ok {
					lost++
				} else {
					runtime.Gosched()
				}
			}
			return lost
		},
		recv: func() (int, bool) {
			for tries := 0; ; tries++ {
				last := closed.Load() // before the attempt, or a value is lost
				if v, ok := q.TryDequeue(); ok || last {
					return v, ok
				}
				if tries < 100 {
					runtime.Gosched()
				} else {
					time.Sleep(50 * time.Microsecond)
				}
			}
		},
		close: func() { closed.Store(true) },
		told:  silent,
	}
}}

// A reading diode counts drops where they are received.
type readingDiode interface {
	Set(diodes.GenericDataType)
	Next() diodes.GenericDataType
}

func diodeWay(name string, open func(diodes.Diode, context.Context) readingDiode) way {
	return way{name, true, func(capacity int) queue {
		ctx, end := context.WithCancel(context.Background())
		var missed atomic.Int64
		d := open(diodes.NewManyToOne(capacity, diodes.AlertFunc(func(n int) {
			missed.Add(int64(n))
		})), ctx)
		return queue{
			send: func(v int) int {
				d.Set(diodes.GenericDataType(unsafe.Pointer(&v)))
				return 0
			},
			recv: func() (int, bool) {
				p := d.Next()
				if p == nil {
					return 0, false
				}
				return *(*int)(unsafe.Pointer(p)), true
			},
			close: end,
			told:  func() int { return int(missed.Load()) },
		}
	}}
}

var diodeWaiter = diodeWay("go-diodes, Waiter",
	func(d diodes.Diode, ctx context.Context) readingDiode {
		return diodes.NewWaiter(d, diodes.WithWaiterContext(ctx))
	})

var diodePoller = diodeWay("go-diodes, Poller",
	func(d diodes.Diode, ctx context.Context) readingDiode {
		return diodes.NewPoller(d, diodes.WithPollingContext(ctx))
	})

var eapache = way{"eapache Ring", false, func(capacity int) queue {
	q := channels.NewRingChannel(channels.BufferCap(capacity))
	return queue{
		send: func(v int) int {
			q.In() <- v
			return 0
		},
		recv: func() (int, bool) {
			v, ok := (<-q.Out()).(int)
			return v, ok
		},
		close: q.Close,
		told:  silent,
	}
}}

// evict is evict-and-retry as it is written by hand.
func evict(ch chan int, v int) (lost int) {
	for {
		select {
		case ch <- v:
			return lost
		default:
		}
		select {
		case <-ch:
			lost++
		default:
		}
	}
}

func fullOf(capacity int) chan int {
	ch := make(chan int, capacity)
	for i := range capacity {
		ch <- i
	}
	return ch
}

func fill(r *chanx.Ring[int]) {
	for i := range r.Cap() {
		r.Send(i)
	}
}

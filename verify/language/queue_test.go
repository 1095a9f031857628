// Package language asks of chanx what Go's own tests ask of channels
// (src/runtime/chan_test.go, src/runtime/race/testdata/chan_test.go and
// test/chan of the Go distribution), ported by behavior: over the Try,
// Timeout and Context functions in loops, and over a Ring that is never full.
package language

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// queue is a channel as the language's tests use it: send and recv wait.
type queue struct {
	send  func(int)
	recv  func() (v int, ok bool) // ok is false after close and drain
	close func()
	cap   int
}

// queues makes one of each kind; cap 0 is for channels only.
func queues(capacity int) map[string]queue {
	qs := map[string]queue{
		"try":     tryQueue(capacity),
		"timeout": timeoutQueue(capacity),
		"context": contextQueue(capacity),
	}
	if capacity > 0 {
		qs["ring"] = ringQueue(capacity)
		qs["ring by readiness"] = readyQueue(capacity)
		qs["ring in batches of one"] = batchQueue(capacity)
	}
	return qs
}

func each(t *testing.T, f func(t *testing.T, q queue)) {
	for _, capacity := range []int{0, 1, 10} {
		for name, q := range queues(capacity) {
			t.Run(name, func(t *testing.T) { f(t, q) })
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func open(err error) bool {
	if errors.Is(err, chanx.ErrClosed) {
		return false
	}
	must(err)
	return true
}

// Two that only try never meet on an unbuffered channel: one has to wait.
func tryQueue(capacity int) queue {
	ch := make(chan int, capacity)
	q := queue{close: func() { close(ch) }, cap: capacity}
	q.send = func(v int) {
		for !chanx.TrySend(ch, v) {
			runtime.Gosched()
		}
	}
	q.recv = func() (int, bool) {
		for {
			v, err := chanx.TryRecv(ch)
			if err != chanx.ErrEmpty {
				return v, open(err)
			}
			runtime.Gosched()
		}
	}
	if capacity == 0 {
		q.recv = func() (int, bool) {
			v, err := chanx.RecvContext(context.Background(), ch)
			return v, open(err)
		}
	}
	return q
}

// A timeout this short runs out all the time, so that the law "delivered or
// still the caller's" is what keeps the values whole.
const short = 20 * time.Microsecond

func timeoutQueue(capacity int) queue {
	ch := make(chan int, capacity)
	return queue{
		send: func(v int) {
			for chanx.SendTimeout(ch, v, short) != nil {
			}
		},
		recv: func() (int, bool) {
			for {
				v, err := chanx.RecvTimeout(ch, short)
				if err != chanx.ErrTimeout {
					return v, open(err)
				}
			}
		},
		close: func() { close(ch) },
		cap:   capacity,
	}
}

func contextQueue(capacity int) queue {
	ch := make(chan int, capacity)
	ctx := context.Background()
	return queue{
		send: func(v int) { must(chanx.SendContext(ctx, ch, v)) },
		recv: func() (int, bool) {
			v, err := chanx.RecvContext(ctx, ch)
			return v, open(err)
		},
		close: func() { close(ch) },
		cap:   capacity,
	}
}

func ringSend(r *chanx.Ring[int]) func(int) {
	return func(v int) {
		for r.TrySend(v) != nil {
			runtime.Gosched()
		}
	}
}

func ringQueue(capacity int) queue {
	r := chanx.NewRing[int](capacity)
	return queue{
		send: ringSend(r),
		recv: func() (int, bool) {
			v, err := r.Recv(context.Background())
			return v, open(err)
		},
		close: r.Close,
		cap:   capacity,
	}
}

func readyQueue(capacity int) queue {
	r := chanx.NewRing[int](capacity)
	return queue{
		send: ringSend(r),
		recv: func() (int, bool) {
			for {
				<-r.Ready()
				v, err := r.TryRecv()
				if err != chanx.ErrEmpty {
					return v, open(err)
				}
			}
		},
		close: r.Close,
		cap:   capacity,
	}
}

func batchQueue(capacity int) queue {
	r := chanx.NewRing[int](capacity)
	return queue{
		send: ringSend(r),
		recv: func() (int, bool) {
			dst := make([]int, 1)
			n, err := r.RecvBatch(context.Background(), dst)
			if n == 0 && err == nil {
				panic("an empty batch")
			}
			return dst[0], open(err)
		},
		close: r.Close,
		cap:   capacity,
	}
}

func withProcs(t *testing.T, n int) {
	old := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

func requireClosed(t *testing.T, q queue) {
	t.Helper()
	v, ok := q.recv()
	require.False(t, ok)
	require.Zero(t, v)
}

package queue

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v4"
)

// mpmc adds by hand what the lock-free queue leaves to its user: evicting,
// waiting and closing.
type mpmc[T any] struct {
	*xsync.MPMCQueue[T]
	polled
}

func openXsync[T any](capacity int) queue[T] {
	return &mpmc[T]{MPMCQueue: xsync.NewMPMCQueue[T](capacity)}
}

func (q *mpmc[T]) send(v T) (lost int) {
	for !q.TryEnqueue(v) {
		if _, ok := q.TryDequeue(); ok {
			lost++
		}
	}
	return lost
}

// recv reads whether it is closed before the attempt, or the last value is
// lost.
func (q *mpmc[T]) recv() (T, bool) {
	for tries := 0; ; tries++ {
		closed := q.closed.Load()
		if v, ok := q.TryDequeue(); ok || closed {
			return v, ok
		}
		idle(tries)
	}
}

// polled is the closing of a queue that cannot wake its readers.
type polled struct{ closed atomic.Bool }

func (q *polled) close()               { q.closed.Store(true) }
func (q *polled) told() (uint64, bool) { return 0, true }

// idle yields for a while before it sleeps, for a reader that its queue cannot
// wake.
func idle(tries int) {
	if tries < 100 {
		runtime.Gosched()
	} else {
		time.Sleep(50 * time.Microsecond)
	}
}

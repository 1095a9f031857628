package queue

import (
	ringbuf "github.com/hedzr/go-ringbuf/v2/mpmc"
)

// overlapped overwrites the oldest value by itself. Waiting and closing are
// left to its user, as with xsync; its own Close does nothing.
type overlapped[T any] struct {
	ringbuf.RichOverlappedRingBuffer[T]
	polled
}

// openOverlapped asks for two slots at least: one of them always stays free,
// and a ring of one could hold nothing.
func openOverlapped[T any](capacity int) queue[T] {
	size := uint32(max(2, capacity))
	return &overlapped[T]{
		RichOverlappedRingBuffer: ringbuf.NewOverlappedRingBuffer[T](size)}
}

func (q *overlapped[T]) send(v T) int {
	lost, _ := q.EnqueueM(v)
	return int(lost)
}

func (q *overlapped[T]) recv() (T, bool) {
	for tries := 0; ; tries++ {
		closed := q.closed.Load()
		if v, err := q.Dequeue(); err == nil || closed {
			return v, err == nil
		}
		idle(tries)
	}
}

package queue

import (
	"context"

	"example.com/chanx"
)

type ring[T any] struct{ *chanx.Ring[T] }

func openRing[T any](capacity int) queue[T] {
	return ring[T]{chanx.NewRing[T](capacity)}
}

func (q ring[T]) send(v T) int {
	if q.Send(v) {
		return 0
	}
	return 1
}

func (q ring[T]) recv() (T, bool) {
	v, err := q.Recv(context.Background())
	return v, err == nil
}

func (q ring[T]) close()               { q.Close() }
func (q ring[T]) told() (uint64, bool) { return q.Stats().Dropped, true }

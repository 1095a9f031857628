package queue

import "github.com/gammazero/chanqueue"

type gammazero[T any] struct{ *chanqueue.ChanQueue[T] }

func openGammazero[T any](capacity int) queue[T] {
	return gammazero[T]{chanqueue.NewRing(chanqueue.WithCapacity[T](capacity))}
}

func (q gammazero[T]) send(v T) int {
	q.In() <- v
	return 0
}

func (q gammazero[T]) recv() (T, bool) {
	v, ok := <-q.Out()
	return v, ok
}

func (q gammazero[T]) close()               { q.Close() }
func (q gammazero[T]) told() (uint64, bool) { return 0, false }

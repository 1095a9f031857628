package queue

import "example.com/chanx"

type dropOldest[T any] struct{ channel[T] }

func openDropOldest[T any](capacity int) queue[T] {
	return dropOldest[T]{channel[T]{make(chan T, capacity)}}
}

func (q dropOldest[T]) send(v T) int { return chanx.SendDropOldest(q.ch, v) }

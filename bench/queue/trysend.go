package queue

import "example.com/chanx"

type trySend[T any] struct{ channel[T] }

func openTrySend[T any](capacity int) queue[T] {
	return trySend[T]{channel[T]{make(chan T, capacity)}}
}

func (q trySend[T]) send(v T) int {
	if chanx.TrySend(q.ch, v) {
		return 0
	}
	return 1
}

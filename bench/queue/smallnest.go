package queue

import (
	"context"

	"github.com/smallnest/chanx"
)

// smallnest grows instead of dropping; the capacity is its initial one.
type smallnest[T any] struct{ *chanx.UnboundedChan[T] }

func openSmallnest[T any](capacity int) queue[T] {
	ctx := context.Background()
	return smallnest[T]{chanx.NewUnboundedChan[T](ctx, capacity)}
}

func (q smallnest[T]) send(v T) int {
	q.In <- v
	return 0
}

func (q smallnest[T]) recv() (T, bool) {
	v, ok := <-q.Out
	return v, ok
}

func (q smallnest[T]) close()               { close(q.In) }
func (q smallnest[T]) told() (uint64, bool) { return 0, true }

package queue

import (
	"context"
	"unsafe"

	"code.cloudfoundry.org/go-diodes"
)

// diode counts its drops on the reader's side, as they are found. It has no
// way to close but the context, after which a reader takes what is left.
type diode[T any] struct {
	*diodes.Waiter
	end    context.CancelFunc
	missed uint64
}

func openDiode[T any](capacity int) queue[T] {
	ctx, end := context.WithCancel(context.Background())
	q := &diode[T]{end: end}
	count := func(missed int) { q.missed += uint64(missed) }
	ring := diodes.NewManyToOne(capacity, diodes.AlertFunc(count))
	q.Waiter = diodes.NewWaiter(ring, diodes.WithWaiterContext(ctx))
	return q
}

func (q *diode[T]) send(v T) int {
	q.Set(diodes.GenericDataType(unsafe.Pointer(&v)))
	return 0
}

func (q *diode[T]) recv() (v T, ok bool) {
	p := q.Next()
	if p == nil {
		return v, false
	}
	return *(*T)(unsafe.Pointer(p)), true
}

func (q *diode[T]) close()               { q.end() }
func (q *diode[T]) told() (uint64, bool) { return q.missed, true }

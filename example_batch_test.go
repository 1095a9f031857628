package chanx_test

// Batch by size or time.
//
// Use when: a write costs the same for one row and for many, and no row may
// wait longer than a given time: inserts, uploads, metric pushes.
//
// Edge cases:
//   - size reached: the batch is yielded at once.
//   - maxWait after its first value: what is there is yielded. There is no
//     empty batch and no timer while nothing arrives.
//   - ring closed: what is left is yielded, then the iterator ends. Close is
//     the shutdown that loses nothing.
//   - ctx done: what the iterator has in hand is yielded, then it ends; the
//     rest stays in the ring for whoever comes next.
//   - the loop body is slow: the ring fills meanwhile, then drops the oldest
//     and counts them. With TrySend at the door new values are refused.
//   - the slice is used again for the next batch: clone what you keep.
//   - several goroutines may batch from one ring, each with its own iterator.
//
// To change: size and maxWait at the call. If the loop body fails, keep the
// batch there and try again; batches returns nothing to the ring.

import (
	"context"
	"fmt"
	"iter"
	"time"

	"example.com/chanx"
)

// batches yields between 1 and size values at a time, the first of which has
// waited about maxWait at most. It panics if size < 1.
func batches[T any](
	ctx context.Context, ring *chanx.Ring[T], size int, maxWait time.Duration,
) iter.Seq[[]T] {
	if size < 1 {
		panic("batch size < 1")
	}
	return func(yield func([]T) bool) {
		batch := make([]T, size)
		for {
			n, err := fill(ctx, ring, batch, maxWait)
			if n > 0 && !yield(batch[:n]) {
				return
			}
			if err != nil {
				return
			}
			clear(batch[:n]) // do not keep the values alive while idle
		}
	}
}

// fill waits for the first value until ctx is done and for more values until
// maxWait is over. It returns an error if there is no point in going on.
func fill[T any](
	ctx context.Context, ring *chanx.Ring[T], batch []T, maxWait time.Duration,
) (int, error) {
	n, err := ring.RecvBatch(ctx, batch)
	if err != nil || n == len(batch) {
		return n, err
	}
	waiting, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	for n < len(batch) {
		more, err := ring.RecvBatch(waiting, batch[n:])
		if err != nil { // time over, ctx done, or closed
			return n, ctx.Err()
		}
		n += more
	}
	return n, nil
}

func Example_batch() {
	rows := chanx.NewRing[int](100)
	for row := range 5 {
		rows.Send(row)
	}
	batch := 0
	for b := range batches(context.Background(), rows, 3, time.Millisecond) {
		fmt.Println(b)
		if batch++; batch == 2 { // came by time: no third row is in sight
			rows.Send(5)
			rows.Send(6)
			rows.Close()
		}
	}
	// Output:
	// [0 1 2]
	// [3 4]
	// [5 6]
}

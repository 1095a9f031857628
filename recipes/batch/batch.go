// Package batch groups the values of a channel by size or time.
//
// When to use it: a write costs the same for one row and for many, and a row
// must not wait long for others to come: inserts, uploads, pushes of metrics.
// The senders wait while a write is slow, so that no row is lost.
//
// When not: losing the oldest rows is better than holding up their senders; use
// chanx.Ring, whose RecvBatch takes the rows there are. The rows are in a slice
// already; use slices.Chunk.
//
// Without it: a batch is written when it is full, and the rows before a pause
// wait for the rows after it, as in turbolytics/sql-flow#89:
//
//	for row := range rows {
//		if batch = append(batch, row); len(batch) == size {
//			write(batch)
//			batch = batch[:0]
//		}
//	} // and the last ones are lost
//
// Edge cases:
//   - size reached: the batch is yielded at once.
//   - max wait: a value is yielded at most maxWait after it was received. One
//     that was ready when the loop body returned may have waited since the body
//     began, and counts as that old.
//   - idle: no empty batch and no timer.
//   - slow body: the senders wait; nothing is lost. After a body that took
//     longer than maxWait the values that are ready are yielded at once.
//   - closed: the remaining values are yielded, then the loop ends.
//   - ctx done: the values in hand are yielded, then the loop ends; others stay
//     in the channel. To write those too, close the channel instead.
//   - last batch: the context that comes with a batch has the values of ctx but
//     is not done before grace after ctx, so that the last write can succeed.
//   - break: values that were not received stay in the channel.
//   - several loops: each value of the channel is in one batch.
//   - refuses: By panics if size < 1.
//
// A batch is not used again and may be kept.
//
// Search: batch, batching, micro-batch, bulk insert, buffer and flush, flush
// interval, chunk, group by size or time.
package batch

import (
	"context"
	"iter"
	"time"
)

// By yields between 1 and size values of in at a time, with a context to write
// them.
func By[T any](
	ctx context.Context, in <-chan T, size int, maxWait, grace time.Duration,
) iter.Seq2[context.Context, []T] {
	if size < 1 {
		panic("batch: size < 1")
	}
	return func(yield func(context.Context, []T) bool) {
		write, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
		body := time.Now() // began then last: values may have waited since
		for more := true; more; {
			var batch []T
			batch, more = fill(ctx, in, size, body.Add(maxWait), maxWait)
			body = time.Now()
			if len(batch) > 0 && !yield(write, batch) {
				return
			}
		}
	}
}

// fill returns a batch, and whether another may follow. If a value is ready it
// waits for more until due, otherwise until maxWait after the first value.
func fill[T any](
	ctx context.Context, in <-chan T, size int, due time.Time,
	maxWait time.Duration,
) (batch []T, more bool) {
	for len(batch) < size && ctx.Err() == nil {
		select { // a ready value is taken also when it is late
		case v, ok := <-in:
			if !ok {
				return batch, false
			}
			batch = append(batch, v)
			continue
		default:
		}
		var late <-chan time.Time
		if len(batch) > 0 {
			late = time.After(time.Until(due))
		}
		select {
		case v, ok := <-in:
			if !ok {
				return batch, false
			} else if len(batch) == 0 {
				due = time.Now().Add(maxWait)
			}
			batch = append(batch, v)
		case <-late:
			return batch, true
		case <-ctx.Done():
		}
	}
	return batch, ctx.Err() == nil
}

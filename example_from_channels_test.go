package chanx_test

// Coming from eapache/channels.
//
//	NewRingChannel(n): drops the oldest      chanx.NewRing[T](n), Send
//	NewOverflowingChannel(n): the newest     chanx.NewRing[T](n), TrySend
//	NewOverflowingChannel(None)              make(chan T), chanx.TrySend
//	NewBatchingChannel(n)                    NewRing[T](n), TrySend; RecvBatch
//	NewNativeChannel(n)                      make(chan T, n)
//	NewInfiniteChannel()                     nothing here: see below
//	ch.In() <- v                             ring.Send(v)
//	v, ok := <-ch.Out(); v.(T)               v, err := ring.Recv(ctx)
//	for v := range ch.Out()                  for v := range ring.All(ctx)
//	ch.Len(), ch.Cap(), ch.Close()           the same
//	Wrap, Unwrap                             not needed: T is a type
//
// Use when: code has one of these channels and wants typed values, no hidden
// goroutine and a package that is maintained: that one calls itself
// end-of-life.
//
// What changes:
//   - no goroutine behind each channel, so none leaks when one is dropped
//     without being closed and drained, and no hand-over through it: a value
//     that was sent can be received at once.
//   - the newest value dropped is known to the sender: ErrFull. Dropped values
//     are counted; they were not.
//   - Send after Close returns false, where In() panics.
//   - a batching channel makes its senders wait when the batch is full; with
//     TrySend they are told. To wait with a bound, take the slots of
//     recipes/workerpool.
//   - infinite buffers end when memory does, so there is none. Say how much
//     may wait, and what is lost then.
//
// To change: merge is Multiplex with values as they come and one end for all;
// it closes the output, as Multiplex does and WeakMultiplex does not.

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"example.com/chanx"
)

// merge sends what comes from the inputs to out until all are closed and
// drained, or ctx is done, and closes out. Each input has a goroutine, which
// never waits for out.
func merge[T any](
	ctx context.Context, out *chanx.Ring[T], inputs ...*chanx.Ring[T],
) {
	var all sync.WaitGroup
	for _, in := range inputs {
		all.Go(func() {
			for v := range in.All(ctx) {
				out.Send(v)
			}
		})
	}
	go func() {
		all.Wait()
		out.Close()
	}()
}

func Example_fromChannels() {
	ctx := context.Background()

	ring := chanx.NewRing[int](3) // RingChannel
	for v := range 5 {
		ring.Send(v)
	}
	ring.Close()
	fmt.Println(slices.Collect(ring.All(ctx)), ring.Stats().Dropped)

	overflowing := chanx.NewRing[int](3) // OverflowingChannel
	for v := range 5 {
		if err := overflowing.TrySend(v); err != nil {
			fmt.Println(v, err)
		}
	}

	batch := make([]int, 8) // BatchingChannel
	n, err := overflowing.RecvBatch(ctx, batch)
	fmt.Println(batch[:n], err)

	a, b, out := chanx.NewRing[int](3), chanx.NewRing[int](3),
		chanx.NewRing[int](6)
	merge(ctx, out, a, b) // Multiplex
	for v := range 3 {
		a.Send(v)
		b.Send(v + 10)
	}
	a.Close()
	b.Close()
	fmt.Println(slices.Sorted(out.All(ctx)))
	// Output:
	// [2 3 4] 2
	// 3 chanx: full
	// 4 chanx: full
	// [0 1 2] <nil>
	// [0 1 2 10 11 12]
}

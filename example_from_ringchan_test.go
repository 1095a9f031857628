package chanx_test

// Coming from floatdrop/ringchan.
//
//	in := make(chan string, 5)           ring := chanx.NewRing[string](3)
//	ring := ringchan.New(in, 3)
//	in <- v                              ring.Send(v)
//	for v := range ring.C { … }          for v := range ring.All(ctx) { … }
//	v, ok := <-ring.C                    v, err := ring.Recv(ctx)
//	case v := <-ring.C:                  case <-ring.Ready(): and TryRecv
//	close(in)                            ring.Close()
//	ring.Dropped                         ring.Stats().Dropped
//
// Use when: code has a ringchan and wants its sends not to depend on a
// goroutine, or its count of dropped values to be right.
//
// What changes:
//   - there is no goroutine between in and C. There, a send waits until that
//     goroutine has its turn, and a value just sent cannot be seen in C yet;
//     here it can, and the ring needs no closing to be collected.
//   - Dropped was written by that goroutine without synchronization: reading
//     it is a data race, and a receiver at the right moment made it count a
//     value that was not lost. Stats is exact at any time.
//   - sending after Close returns false, where sending on a closed in panics.
//   - capacity 0 panics, where New(in, 0) drops nothing: it waits for a
//     receiver, and so do its senders. The buffer of in adds to the size there.
//
// To change: where C was handed to other code as a channel, hand it the ring,
// or forward as outlet does here.

import (
	"context"
	"fmt"

	"example.com/chanx"
)

// outlet makes a channel of a ring for code that needs one. The value in
// transit is out of the ring: it is not evicted any more. It is the one that
// is lost when ctx is done. The channel is closed at the end.
func outlet[T any](ctx context.Context, ring *chanx.Ring[T]) <-chan T {
	out := make(chan T)
	go func() {
		defer close(out)
		for v := range ring.All(ctx) {
			if chanx.SendContext(ctx, out, v) != nil {
				return
			}
		}
	}()
	return out
}

func Example_fromRingchan() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	ring := chanx.NewRing[string](3)
	for _, v := range []string{"A", "B", "C", "D", "E"} {
		ring.Send(v)
	}
	ring.Close()
	fmt.Println("dropped:", ring.Stats().Dropped)

	v, err := ring.Recv(ctx)
	fmt.Println("got:", v, err)
	select { // beside other channels
	case <-ring.Ready():
		v, err := ring.TryRecv()
		fmt.Println("got:", v, err)
	case <-ctx.Done():
	}
	for v := range outlet(ctx, ring) { // where it must be a channel
		fmt.Println("got:", v)
	}
	// Output:
	// dropped: 2
	// got: C <nil>
	// got: D <nil>
	// got: E
}

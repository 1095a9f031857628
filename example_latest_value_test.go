package chanx_test

// A mailbox that holds the latest value only.
//
// Use when: a reader that is slower than the writer wants what is true now,
// not the history: progress, prices, positions, a configuration to apply.
//
// Edge cases:
//   - values nobody has read yet are replaced, and counted as dropped.
//   - the last value is never lost: it is read after Close too.
//   - nothing new: the reader waits; it never sees a value twice.
//   - a publisher never waits, however many there are and with no reader.
//   - two readers share the mailbox: each value goes to one of them. For
//     readers that all want every latest value give each one its own mailbox;
//     to look without taking use an atomic.Pointer.
//
// To change: the type of the value; a capacity of n keeps the latest n.

import (
	"context"
	"fmt"

	"example.com/chanx"
)

type progress struct{ Done, Total int }

// paint shows progress as often as show can, until the mailbox is closed, or
// until ctx is done.
func paint(
	ctx context.Context, latest *chanx.Ring[progress], show func(progress),
) {
	for p := range latest.All(ctx) {
		show(p)
	}
}

func Example_latestValue() {
	latest := chanx.NewRing[progress](1)

	painted := make(chan struct{})
	resume := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		paint(context.Background(), latest, func(p progress) {
			fmt.Printf("%d of %d\n", p.Done, p.Total)
			painted <- struct{}{}
			<-resume // a screen that is slower than the work
		})
	}()

	latest.Send(progress{0, 100})
	<-painted
	for i := range 100 {
		latest.Send(progress{i + 1, 100})
	}
	latest.Close()
	resume <- struct{}{}
	<-painted
	resume <- struct{}{}
	<-done
	fmt.Println("skipped", latest.Stats().Dropped)
	// Output:
	// 0 of 100
	// 100 of 100
	// skipped 99
}

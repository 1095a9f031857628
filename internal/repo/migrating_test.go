package repo_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

func merge[T any](ctx context.Context, rings ...*chanx.Ring[T]) <-chan T {
	out := make(chan T)
	var open sync.WaitGroup
	for _, ring := range rings {
		open.Go(func() {
			for v := range ring.All(ctx) {
				if chanx.SendContext(ctx, out, v) != nil {
					return
				}
			}
		})
	}
	go func() { open.Wait(); close(out) }()
	return out
}

func outlet[T any](
	ctx context.Context, ring *chanx.Ring[T],
) (out <-chan T, stop context.CancelFunc) {
	ctx, stop = context.WithCancel(ctx)
	ch := make(chan T)
	go func() {
		defer close(ch)
		for v := range ring.All(ctx) {
			if chanx.SendContext(ctx, ch, v) != nil {
				return
			}
		}
	}()
	return ch, stop
}

type ticker struct{ prices *chanx.Broadcast[int] }

func newTicker() *ticker {
	return &ticker{prices: chanx.NewBroadcast[int](4)}
}

func (t *ticker) set(price int) { t.prices.Send(price) }

func (t *ticker) follow(ctx context.Context, show func(price int, missed uint64)) {
	sub := t.prices.Subscribe(1)
	defer sub.Close()
	for price, missed := range sub.All(ctx) {
		show(price, missed)
	}
}

// A slow follower learns how many prices it has missed; a late one begins with
// the current price.
func Example_fromSubscriberMap() {
	ctx := context.Background()
	t := newTicker()
	t.set(100)
	t.follow(ctx, func(price int, missed uint64) {
		fmt.Println(price, missed)
		if price == 100 {
			for price := range 20 { // more than the broadcast holds
				t.set(price)
			}
			t.prices.Close()
		}
	})
	t.follow(ctx, func(price int, _ uint64) { fmt.Println("late:", price) })
	// Output:
	// 100 0
	// 16 16
	// 17 0
	// 18 0
	// 19 0
	// late: 19
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
	batch := make([]int, 8)
	n, err := overflowing.RecvBatch(ctx, batch)
	fmt.Println(batch[:n], err)
	// Output:
	// [2 3 4] 2
	// 3 chanx: full
	// 4 chanx: full
	// [0 1 2] <nil>
}

func Example_fromDiodes() {
	ctx := context.Background()
	alert := func(missed uint64) { fmt.Println("missed", missed) }

	lines := chanx.NewBroadcast[string](4)
	sub := lines.Subscribe(0)
	for i := range 6 {
		lines.Send(fmt.Sprint("line ", i))
	}
	lines.Close()
	for line, missed := range sub.All(ctx) {
		if missed > 0 {
			alert(missed)
		}
		fmt.Println(line)
	}
	// Output:
	// missed 2
	// line 2
	// line 3
	// line 4
	// line 5
}

func Example_fromRingchan() {
	ctx := context.Background()
	ring := chanx.NewRing[string](3)
	for _, v := range []string{"A", "B", "C", "D", "E"} {
		ring.Send(v)
	}
	ring.Close()
	fmt.Println("dropped:", ring.Stats().Dropped)

	select { // together with other channels
	case <-ring.Ready():
		v, err := ring.TryRecv()
		fmt.Println("got:", v, err)
	case <-ctx.Done():
	}
	out, stop := outlet(ctx, ring) // where it must be a channel
	defer stop()
	for v := range out {
		fmt.Println("got:", v)
	}
	// Output:
	// dropped: 2
	// got: C <nil>
	// got: D
	// got: E
}

// A reader that comes late, or is slow, gets every value that the rings hold.
func TestMergeLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := chanx.NewRing[int](1000), chanx.NewRing[int](1000)
		out := merge(t.Context(), a, b)
		for v := range 1000 {
			a.Send(v)
			b.Send(1000 + v)
		}
		synctest.Wait()
		a.Close()
		b.Close()
		var got []int
		for v := range out {
			got = append(got, v)
		}
		slices.Sort(got)
		assert.Len(t, got, 2000)
		assert.Len(t, slices.Compact(got), 2000)
	})
}

// A reader that stops loses one value of each ring, and leaks nothing.
func TestMergeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		rings := []*chanx.Ring[int]{chanx.NewRing[int](8), chanx.NewRing[int](8)}
		out := merge(ctx, rings...)
		for v := range 8 {
			rings[0].Send(v)
			rings[1].Send(v)
		}
		<-out
		synctest.Wait()
		cancel()
		synctest.Wait()
		_, ok := <-out
		assert.False(t, ok)
		assert.Equal(t, 13, rings[0].Len()+rings[1].Len())
	})
}

// A reader that breaks out of its loop leaks nothing once it has called stop.
func TestOutletStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := chanx.NewRing[int](8)
		for range 1000 {
			ring.Send(1)
			ring.Send(2)
			out, stop := outlet(t.Context(), ring)
			for range out {
				break
			}
			stop()
			synctest.Wait()
			_, ok := <-out
			require.False(t, ok)
		}
	})
}

// TestMigratingSnippets: the Go code of docs/migrating.md is that of this file.
func TestMigratingSnippets(t *testing.T) {
	source := unindented(readDoc(t, "internal/repo/migrating_test.go"))
	blocks := goBlock.FindAllStringSubmatch(readDoc(t, "docs/migrating.md"), -1)
	require.Len(t, blocks, 4)
	for _, block := range blocks {
		assert.Contains(t, source, unindented(block[1]))
	}
}

package merge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// values returns a closed channel that holds vs.
func values[T any](vs ...T) <-chan T {
	ch := make(chan T, len(vs))
	for _, v := range vs {
		ch <- v
	}
	close(ch)
	return ch
}

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // lets the goroutines end if the loop breaks

	orders := values("order 1", "order 2")
	refunds := values("refund 1")
	seen := []string{}
	for event := range Merge(ctx, orders, refunds) {
		seen = append(seen, event)
	}
	slices.Sort(seen) // the order between the channels is random
	fmt.Println(seen)
	// Output: [order 1 order 2 refund 1]
}

func TestNoInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := Merge[int](t.Context())
		synctest.Wait()
		select {
		case _, ok := <-out:
			if ok {
				t.Error("a value from no input")
			}
		default:
			t.Error("still open")
		}
	})
}

func TestClosedInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := make(chan int)
		out := Merge(t.Context(), values[int](), in)
		synctest.Wait()
		go func() { defer close(in); in <- 7 }()
		if v, ok := <-out; !ok || v != 7 {
			t.Error(v, ok)
		}
		if v, ok := <-out; ok {
			t.Error(v)
		}
	})
}

func TestAllClosed(t *testing.T) {
	const inputs, each = 1000, 20
	ins := make([]<-chan int, inputs)
	for i := range ins {
		ch := make(chan int, i%3)
		ins[i] = ch
		go func() {
			defer close(ch)
			for n := range each {
				ch <- i*each + n
			}
		}()
	}
	out := Merge(context.Background(), ins...)
	var mu sync.Mutex
	seen := make([]int, inputs*each)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for v := range out {
				mu.Lock()
				seen[v]++
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	for v, n := range seen {
		if n != 1 {
			t.Fatalf("%d received %d times", v, n)
		}
	}
}

func TestOrder(t *testing.T) {
	ins := make([]<-chan [2]int, 8)
	for i := range ins {
		ch := make(chan [2]int)
		ins[i] = ch
		go func() {
			defer close(ch)
			for n := range 1000 {
				ch <- [2]int{i, n}
			}
		}()
	}
	next := make([]int, len(ins))
	for v := range Merge(context.Background(), ins...) {
		if v[1] != next[v[0]] {
			t.Fatalf("input %d: got %d, want %d", v[0], v[1], next[v[0]])
		}
		next[v[0]]++
	}
}

func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		a, b := make(chan int, 10), make(chan int, 10)
		for n := range 10 {
			a <- n
			b <- n
		}
		Merge[int](ctx, a, b)
		synctest.Wait()
		if len(a) != 9 || len(b) != 9 {
			t.Error("in hand:", 10-len(a), 10-len(b))
		}
	})
}

func TestReaderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ins := make([]<-chan int, 1000)
		chans := make([]chan int, len(ins))
		for i := range ins {
			chans[i] = make(chan int, 2)
			chans[i] <- 1
			chans[i] <- 2
			ins[i] = chans[i] // never closed
		}
		out := Merge(ctx, ins...)
		<-out
		cancel()
		synctest.Wait() // without a reader
		held := 0
		for _, ch := range chans {
			held += len(ch)
		}
		if lost := 2*len(ins) - 1 - held; lost > len(ins) {
			t.Error("lost", lost)
		}
		if _, ok := <-out; ok {
			t.Error("a value after ctx was done")
		}
	})
}

func TestContextDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ins := make([]<-chan int, 100)
	for i := range ins {
		ins[i] = values(1)
	}
	for v := range Merge(ctx, ins...) {
		t.Error("received", v)
	}
	for _, in := range ins {
		if len(in) != 1 {
			t.Fatal("taken from the input")
		}
	}
}

func TestNilInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := Merge(ctx, nil, values(1))
		if v := <-out; v != 1 {
			t.Error(v)
		}
		synctest.Wait()
		select {
		case _, ok := <-out:
			t.Error("ended before ctx", ok)
		default:
		}
		cancel()
		if _, ok := <-out; ok {
			t.Error("a value from a nil channel")
		}
	})
}

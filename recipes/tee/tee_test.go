package tee

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // ends the goroutine if a reader stops early

	orders := make(chan int, 3)
	orders <- 10
	orders <- 20
	close(orders)
	store, count := Tee(ctx, orders)
	var counting sync.WaitGroup
	sum := 0
	counting.Go(func() {
		for amount := range count {
			sum += amount
		}
	})
	for amount := range store {
		fmt.Println("store", amount)
	}
	counting.Wait()
	fmt.Println("sum", sum)
	// Output:
	// store 10
	// store 20
	// sum 30
}

func numbers(n int) chan int {
	ch := make(chan int, n)
	for i := range n {
		ch <- i
	}
	close(ch)
	return ch
}

// A thousand tees, with two readers each.
func TestEveryValue(t *testing.T) {
	var all sync.WaitGroup
	for range 1000 {
		a, b := Tee(t.Context(), numbers(100))
		for _, out := range []<-chan int{a, b} {
			all.Go(func() {
				next := 0
				for v := range out {
					if v != next {
						t.Error(v, "want", next)
					}
					next++
				}
				if next != 100 {
					t.Error("ended at", next)
				}
			})
		}
	}
	all.Wait()
}

func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		in := numbers(10)
		a, b := Tee(ctx, in)
		fast := 0
		go func() {
			for range a {
				fast++
			}
		}()
		for slow := range 5 {
			synctest.Wait()
			if fast != slow+1 || len(in) != 10-slow-1 {
				t.Error("fast", fast, "slow", slow, "in", len(in))
			}
			<-b
		}
		cancel()
	})
}

func TestAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Tee(t.Context(), numbers(10))
		for want := range 10 {
			first, second := a, b
			if want%2 == 0 {
				first, second = b, a
			}
			if v := <-first; v != want {
				t.Error(v)
			}
			if v := <-second; v != want {
				t.Error(v)
			}
		}
	})
}

func TestReaderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		in := make(chan int, 10) // never closed
		for i := range 10 {
			in <- i
		}
		a, b := Tee(ctx, in)
		<-a
		<-b
		<-a // and b's reader stops
		cancel()
		synctest.Wait()
		if _, ok := <-a; ok {
			t.Error("a value after ctx was done")
		}
		if _, ok := <-b; ok {
			t.Error("a value after ctx was done")
		}
		if len(in) != 8 {
			t.Error("left in the input:", len(in))
		}
	})
}

func TestContextDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		in := numbers(1)
		a, b := Tee(ctx, in)
		if _, ok := <-a; ok {
			t.Error("a value")
		}
		if _, ok := <-b; ok {
			t.Error("a value")
		}
		if len(in) != 1 {
			t.Error("taken from the input")
		}
	}
}

func TestNilInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a, b := Tee[int](ctx, nil)
		synctest.Wait()
		select {
		case <-a:
			t.Error("ended before ctx")
		default:
		}
		cancel()
		<-a
		<-b
	})
}

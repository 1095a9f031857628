package priority

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	urgent, ordinary := make(chan string, 9), make(chan string, 9)
	ordinary <- "order 1"
	ordinary <- "order 2"
	urgent <- "cancel 1"
	urgent <- "cancel 2"
	close(urgent)
	close(ordinary)
	for event := range All(context.Background(), urgent, ordinary, 100) {
		fmt.Println(event)
	}
	// Output:
	// cancel 1
	// cancel 2
	// order 1
	// order 2
}

// filled returns a closed channel with values from 1 to n, negative ones if n
// is negative.
func filled(n int) chan int {
	ch := make(chan int, max(n, -n))
	for i := 1; i <= cap(ch); i++ {
		if n < 0 {
			ch <- -i
		} else {
			ch <- i
		}
	}
	close(ch)
	return ch
}

func received(ctx context.Context, high, low <-chan int, burst int) (all []int) {
	for v := range All(ctx, high, low, burst) {
		all = append(all, v)
	}
	return all
}

func expect(t *testing.T, got []int, want ...int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

func TestHighFirst(t *testing.T) {
	for range 100 { // a select would choose at random
		expect(t, received(t.Context(), filled(4), filled(-4), 100),
			1, 2, 3, 4, -1, -2, -3, -4)
	}
}

func TestStarvation(t *testing.T) {
	for range 100 {
		expect(t, received(t.Context(), filled(7), filled(-3), 2),
			1, 2, -1, 3, 4, -2, 5, 6, -3, 7)
		expect(t, received(t.Context(), filled(3), filled(-3), 1),
			1, -1, 2, -2, 3, -3)
	}
	synctest.Test(t, func(t *testing.T) {
		high, low := make(chan int, 9), make(chan int, 9)
		var got []int
		go func() {
			for v := range All(t.Context(), high, low, 2) {
				got = append(got, v)
				if v == 5 { // long after two in a row
					low <- -1
				}
			}
		}()
		for v := range 9 {
			high <- v
		}
		synctest.Wait()
		close(high)
		close(low)
		synctest.Wait()
		expect(t, got, 0, 1, 2, 3, 4, 5, -1, 6, 7, 8)
	})
}

func TestLowOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		high, low := make(chan int), make(chan int)
		start := time.Now()
		go func() {
			low <- -1
			high <- 1
			low <- -2
			close(low)
			close(high)
		}()
		expect(t, received(t.Context(), high, low, 5), -1, 1, -2)
		if d := time.Since(start); d != 0 {
			t.Error("took", d)
		}
	})
}

// A thousand senders on both channels: each value arrives once, in the order
// of its sender.
func TestOrder(t *testing.T) {
	high, low := make(chan [2]int), make(chan [2]int, 10)
	var senders sync.WaitGroup
	for i := range 1000 {
		ch := high
		if i%2 == 0 {
			ch = low
		}
		senders.Go(func() {
			for n := range 10 {
				ch <- [2]int{i, n}
			}
		})
	}
	go func() {
		senders.Wait()
		close(high)
		close(low)
	}()
	var next [1000]int
	for v := range All(t.Context(), high, low, 3) {
		if v[1] != next[v[0]] {
			t.Fatal(v, "want", next[v[0]])
		}
		next[v[0]]++
	}
	for i, n := range next {
		if n != 10 {
			t.Fatal("received", n, "of", i)
		}
	}
}

func TestOneClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, received(t.Context(), filled(0), filled(-2), 1), -1, -2)
		expect(t, received(t.Context(), filled(2), filled(0), 1), 1, 2)
		expect(t, received(t.Context(), nil, filled(-2), 1), -1, -2)
		expect(t, received(t.Context(), filled(2), nil, 1), 1, 2)

		low, ended := make(chan int), false
		go func() {
			received(t.Context(), filled(1), low, 1)
			ended = true
		}()
		synctest.Wait()
		if ended {
			t.Error("ended with low open")
		}
		close(low)
	})
}

func TestBothClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, received(t.Context(), filled(0), filled(0), 1))
		expect(t, received(t.Context(), nil, nil, 1))
	})
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		expect(t, received(ctx, make(chan int), make(chan int), 1))
		if d := time.Since(start); d != time.Second {
			t.Error("took", d)
		}
		high := filled(3)
		expect(t, received(ctx, high, filled(-3), 1))
		if len(high) != 3 {
			t.Error("taken")
		}
	})
}

func TestBreak(t *testing.T) {
	high, low := filled(3), filled(-3)
	for range All(t.Context(), high, low, 1) {
		break
	}
	if len(high) != 2 || len(low) != 3 {
		t.Error(len(high), len(low))
	}
}

func TestBadArguments(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	All(t.Context(), filled(1), filled(1), 0)
}

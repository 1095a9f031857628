package senders

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	ctx := context.Background()
	lines := New[string](10)
	var senders sync.WaitGroup
	for i := range 3 {
		senders.Go(func() {
			for lines.Send(ctx, fmt.Sprint("line of ", i)) == nil {
			}
		})
	}
	n := 0
	for range lines.C() {
		if n++; n == 100 {
			go lines.Close() // the senders go on, and learn it
		}
	}
	senders.Wait()
	fmt.Println(n >= 100, lines.Send(ctx, "late"))
	// Output: true senders: closed
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int](2)
		for v := range 2 {
			if err := c.Send(t.Context(), v); err != nil {
				t.Error(err)
			}
		}
		for range 1000 {
			go func() {
				if err := c.Send(t.Context(), 7); err != ErrClosed {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		c.Close()
		synctest.Wait()
		next := 0
		for v := range c.C() {
			if v != next {
				t.Error("received", v)
			}
			next++
			if err := c.Send(t.Context(), 8); err != ErrClosed {
				t.Error("with room:", err)
			}
		}
		if next != 2 {
			t.Error("received", next)
		}
	})
}

// A thousand senders, four receivers and a Close at any moment.
func TestSent(t *testing.T) {
	for round := range 20 {
		c := New[int](round % 3)
		var sent, received atomic.Int64
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				for c.Send(t.Context(), i) == nil {
					sent.Add(1)
				}
			})
		}
		for range 4 {
			all.Go(func() {
				for range c.C() {
					if received.Add(1) == int64(100*round+1) {
						all.Go(c.Close)
					}
				}
			})
		}
		all.Wait()
		if sent.Load() != received.Load() {
			t.Fatal("sent", sent.Load(), "received", received.Load())
		}
	}
}

func TestCloseTwice(t *testing.T) {
	c := New[int](1)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(c.Close)
	}
	all.Wait()
	c.Close()
	if _, ok := <-c.C(); ok {
		t.Error("a value")
	}
}

func TestCloseWithoutAReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int](0)
		var errs atomic.Int32
		for range 10 {
			go func() {
				if c.Send(t.Context(), 1) == ErrClosed {
					errs.Add(1)
				}
			}()
		}
		synctest.Wait()
		c.Close()
		synctest.Wait()
		if errs.Load() != 10 {
			t.Error(errs.Load())
		}
	})
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := New[int](0)
		start := time.Now()
		err := c.Send(ctx, 1)
		if err != context.DeadlineExceeded || time.Since(start) != time.Second {
			t.Error(err, time.Since(start))
		}
		c = New[int](100)
		for range 100 {
			if err := c.Send(ctx, 1); err != context.DeadlineExceeded {
				t.Error("done before:", err)
			}
		}
		c.Close()
	})
}

func TestNoBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int](0)
		returned := false
		go func() {
			if err := c.Send(t.Context(), 7); err != nil {
				t.Error(err)
			}
			returned = true
		}()
		synctest.Wait()
		if returned {
			t.Error("sent without a receiver")
		}
		if v := <-c.C(); v != 7 {
			t.Error(v)
		}
		synctest.Wait()
		if !returned {
			t.Error("still waits")
		}
		c.Close()
	})
}

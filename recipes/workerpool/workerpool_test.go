package workerpool

import (
	"context"
	"fmt"
	"runtime"
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
	var sum atomic.Int64
	p := New(4, 8, func(_ context.Context, n int) { sum.Add(int64(n)) })
	for n := range 101 {
		if err := p.Submit(ctx, n); err != nil {
			fmt.Println(n, err)
		}
	}
	fmt.Println(p.Shutdown(ctx), sum.Load())
	fmt.Println(p.Submit(ctx, 101))
	// Output:
	// <nil> 5050
	// pool: closed
}

// busy returns a pool of one worker that has job 0 in hand and job 1 queued,
// until its ctx is done or free is closed.
func busy(t *testing.T) (p *Pool[int], free chan struct{}, did *atomic.Int64) {
	free, did = make(chan struct{}), new(atomic.Int64)
	p = New(1, 1, func(ctx context.Context, n int) {
		select {
		case <-free:
			did.Add(1)
		case <-ctx.Done():
		}
	})
	for n := range 2 {
		want(t, p.Submit(t.Context(), n), nil)
		synctest.Wait()
	}
	return p, free, did
}

func want(t *testing.T, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("error %v, want %v", got, want)
	}
}

func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, free, did := busy(t)
		want(t, p.TrySubmit(2), ErrFull)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		want(t, p.Submit(ctx, 2), context.DeadlineExceeded)
		if waited := time.Since(start); waited != time.Second {
			t.Error("waited", waited)
		}
		close(free)
		synctest.Wait()
		for range 100 { // there is room
			want(t, p.Submit(ctx, 2), context.DeadlineExceeded)
		}
		want(t, p.Shutdown(t.Context()), nil)
		if did.Load() != 2 {
			t.Error("did", did.Load(), "jobs")
		}
	})
}

// Senders meet Shutdown at any moment, and every job is run that was accepted.
func TestAccepted(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4 * runtime.NumCPU()))
	for round := range 20 {
		var accepted, did atomic.Int64
		p := New(3, round%3, func(context.Context, int) { did.Add(1) })
		shut := make(chan error, 1)
		var senders sync.WaitGroup
		for s := range 100 {
			senders.Go(func() {
				for {
					var err error
					if s%2 == 0 {
						err = p.Submit(context.Background(), s)
					} else {
						err = p.TrySubmit(s)
					}
					if err == ErrClosed {
						return
					}
					if err != nil {
						runtime.Gosched()
					} else if accepted.Add(1) == int64(50*round+1) {
						go func() { shut <- p.Shutdown(context.Background()) }()
					}
				}
			})
		}
		senders.Wait()
		want(t, <-shut, nil)
		if accepted.Load() != did.Load() {
			t.Fatal("accepted", accepted.Load(), "did", did.Load())
		}
	}
}

func TestShutdownWakesSubmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, free, did := busy(t)
		waiting := make(chan error, 1000)
		for range cap(waiting) {
			go func() { waiting <- p.Submit(t.Context(), 2) }()
		}
		synctest.Wait()
		shut := make(chan error, 1)
		go func() { shut <- p.Shutdown(t.Context()) }()
		for range cap(waiting) {
			want(t, <-waiting, ErrClosed)
		}
		for range 100 { // also when the worker makes room
			want(t, p.Submit(t.Context(), 3), ErrClosed)
			want(t, p.TrySubmit(3), ErrClosed)
		}
		close(free)
		want(t, <-shut, nil)
		want(t, p.Submit(t.Context(), 3), ErrClosed)
		if did.Load() != 2 {
			t.Error("did", did.Load(), "jobs")
		}
	})
}

func TestShutdownDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, did := busy(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		want(t, p.Shutdown(ctx), context.DeadlineExceeded)
		want(t, p.Shutdown(t.Context()), nil) // the jobs were told
		if waited := time.Since(start); waited != time.Second {
			t.Error("waited", waited)
		}
		if did.Load() != 0 {
			t.Error("the ctx of the jobs was not canceled")
		}
	})
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var did atomic.Int64
		p := New(2, 4, func(context.Context, int) {
			did.Add(1)
			runtime.Goexit()
		})
		for n := range 10 {
			want(t, p.Submit(t.Context(), n), nil)
		}
		want(t, p.Shutdown(t.Context()), nil)
		if did.Load() != 10 {
			t.Error("did", did.Load(), "jobs")
		}
	})
}

func TestSubmitFromAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		results := make(chan error, 2)
		started := make(chan struct{})
		var p *Pool[int]
		p = New(1, 1, func(_ context.Context, n int) {
			if n == 0 {
				<-started
				results <- p.TrySubmit(2)
				results <- p.Submit(ctx, 2)
			}
		})
		want(t, p.Submit(t.Context(), 0), nil)
		synctest.Wait()
		want(t, p.Submit(t.Context(), 1), nil)
		close(started)
		want(t, <-results, ErrFull)
		want(t, <-results, context.DeadlineExceeded)
		want(t, p.Shutdown(t.Context()), nil)
	})
}

func TestNoWorkers(t *testing.T) {
	for _, n := range [][2]int{{0, 1}, {-1, 1}, {1, -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic of New for", n)
				}
			}()
			New(n[0], n[1], func(context.Context, int) {})
		}()
	}
	handed := make(chan int)
	p := New(1, 0, func(_ context.Context, n int) { handed <- n })
	want(t, p.Submit(t.Context(), 7), nil)
	if n := <-handed; n != 7 {
		t.Error(n)
	}
	want(t, p.Shutdown(t.Context()), nil)
}

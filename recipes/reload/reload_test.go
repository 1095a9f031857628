package reload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

var errSyntax = errors.New("syntax error in line 7")

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	loads := 0
	var r *Reloader
	load := func(context.Context) error {
		if loads++; loads == 1 {
			r.Request() // the file changes twice while it is being read
			r.Request()
			return nil
		}
		return errSyntax
	}
	failed := func(err error) {
		fmt.Println("the old one stays:", err)
		cancel()
	}
	r = New(0, load, failed)
	for range 5 {
		r.Request()
	}
	fmt.Println(r.Run(ctx), loads)
	// Output:
	// the old one stays: syntax error in line 7
	// context canceled 2
}

// A run is a Reloader at work in a bubble, whose loads take a second.
type run struct {
	*Reloader
	start   time.Time
	loads   []time.Duration // when they began
	running atomic.Int32
	errs    []error
	result  error // of load
	cancel  context.CancelFunc
	ended   chan error
}

func start(t *testing.T, every time.Duration) *run {
	ctx, cancel := context.WithCancel(t.Context())
	r := &run{start: time.Now(), cancel: cancel, ended: make(chan error, 1)}
	r.Reloader = New(every, func(ctx context.Context) error {
		if r.running.Add(1) > 1 {
			t.Error("two loads at once")
		}
		defer r.running.Add(-1)
		r.loads = append(r.loads, time.Since(r.start))
		select {
		case <-time.After(time.Second):
			return r.result
		case <-ctx.Done():
			return ctx.Err()
		}
	}, func(err error) { r.errs = append(r.errs, err) })
	go func() { r.ended <- r.Run(ctx) }()
	synctest.Wait()
	return r
}

// stop ends the run and compares when its loads began.
func (r *run) stop(t *testing.T, loads ...time.Duration) {
	t.Helper()
	before := time.Now()
	r.cancel()
	if err := <-r.ended; err != context.Canceled {
		t.Error(err)
	}
	if waited := time.Since(before); waited != 0 {
		t.Error("ended after", waited)
	}
	if !slices.Equal(r.loads, loads) {
		t.Errorf("loads at %v, want %v", r.loads, loads)
	}
}

func TestRequestsWhileOneWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 0)
		r.Request()
		time.Sleep(time.Second / 2) // the load runs
		first := r.Request()
		for range 1000 {
			if r.Request() {
				t.Error("not the first request")
			}
		}
		time.Sleep(time.Minute)
		if !first || !r.Request() {
			t.Error("not the first request since the last load began")
		}
		synctest.Wait()
		r.stop(t, 0, time.Second, 60500*time.Millisecond)
	})
}

// Once nothing moves anymore, the last change is loaded.
func TestRequestDuringALoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var version, loaded atomic.Int64
		r := New(0, func(context.Context) error {
			loaded.Store(version.Load())
			return errSyntax
		}, func(error) {})
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		for range 20 {
			var all sync.WaitGroup
			for range 1000 {
				all.Go(func() {
					version.Add(1)
					r.Request()
				})
			}
			all.Wait()
			synctest.Wait()
			if v, l := version.Load(), loaded.Load(); v != l {
				t.Fatal("version", v, "loaded", l)
			}
		}
		cancel()
		<-ended
	})
}

func TestLoadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 0)
		r.result = errSyntax
		r.Request()
		time.Sleep(time.Minute)
		synctest.Wait()
		r.result = nil
		r.Request()
		time.Sleep(time.Minute)
		r.stop(t, 0, time.Minute)
		if len(r.errs) != 1 || r.errs[0] != errSyntax {
			t.Error(r.errs)
		}
	})
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 10*time.Second)
		time.Sleep(15 * time.Second) // loads at 10 s
		r.Request()                  // at 15 s, and then 10 s after its end
		time.Sleep(20 * time.Second)
		r.stop(t, 10*time.Second, 15*time.Second, 26*time.Second)
	})
}

func TestNeverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, time.Nanosecond) // shorter than a load
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 37 * time.Millisecond)
				r.Request()
			})
		}
		all.Wait()
		time.Sleep(time.Second)
		r.cancel()
		<-r.ended
		if len(r.loads) < 4 {
			t.Error(r.loads)
		}
	})
}

func TestCtxDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start(t, 0).stop(t)         // idle
		start(t, time.Hour).stop(t) // waits for its time
		r := start(t, 0)
		r.Request()
		synctest.Wait()
		r.Request()
		r.stop(t, 0) // during a load, with a request pending
		if len(r.errs) > 0 {
			t.Error(r.errs)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			if err := r.Run(ctx); err != context.Canceled || len(r.loads) != 1 {
				t.Fatal(err, r.loads)
			}
		}
	})
}

func TestBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		r := New(0, func(context.Context) error { loads++; return nil }, nil)
		r.Request()
		r.Request()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r.Run(ctx)
		again, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		r.Run(again)
		if loads != 1 {
			t.Error(loads, "loads")
		}
	})
}

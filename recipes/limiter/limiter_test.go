package limiter

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
	ctx := context.Background() // in production: the request's
	limit := New(2)
	var bytes atomic.Int64
	for _, file := range []string{"a", "bb", "ccc"} {
		err := limit.Go(ctx, func() { bytes.Add(int64(len(file))) })
		if err != nil {
			fmt.Println(err)
			break
		}
	}
	limit.Wait()
	fmt.Println(bytes.Load())
	// Output: 6
}

func TestAtMostN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(5)
		var running, most, done atomic.Int32
		f := func() {
			now := running.Add(1)
			for m := most.Load(); now > m; m = most.Load() {
				most.CompareAndSwap(m, now)
			}
			time.Sleep(time.Second)
			running.Add(-1)
			done.Add(1)
		}
		start := time.Now()
		for i := range 1000 {
			do := l.Go
			if i%10 == 0 {
				do = l.Do
			}
			if err := do(t.Context(), f); err != nil {
				t.Error(err)
			}
			if n := i + 1 - int(done.Load()); n > 5 {
				t.Fatal("Go has returned for", n, "that have not ended")
			}
		}
		l.Wait()
		if most.Load() != 5 || done.Load() != 1000 {
			t.Error("running", most.Load(), "done", done.Load())
		}
		if d := time.Since(start); d < 200*time.Second {
			t.Error("took", d)
		}
	})
}

// full returns a limiter of which the one slot is free after a second.
func full(t *testing.T) *Limiter {
	l := New(1)
	if err := l.Go(t.Context(), func() { time.Sleep(time.Second) }); err != nil {
		t.Error(err)
	}
	return l
}

func TestNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := full(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second-1)
		defer cancel()
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				do := l.Go
				if i%2 == 0 {
					do = l.Do
				}
				err := do(ctx, func() { t.Error("called") })
				if err != context.DeadlineExceeded {
					t.Error(err)
				}
			})
		}
		if l.TryGo(func() { t.Error("called") }) {
			t.Error("a slot that is taken")
		}
		all.Wait()
		start, called := time.Now(), false
		err := l.Do(t.Context(), func() { called = true })
		if err != nil || !called || time.Since(start) != 1 {
			t.Error(err, called, time.Since(start))
		}
		if !l.TryGo(func() {}) {
			t.Error("no slot")
		}
		l.Wait()
	})
}

func TestContextDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := New(1)
	for range 100 {
		for _, do := range []func(context.Context, func()) error{l.Go, l.Do} {
			if err := do(ctx, func() { t.Error("called") }); err != context.Canceled {
				t.Error(err)
			}
		}
	}
	l.Wait()
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		l := full(t)
		l.Wait()
		if d := time.Since(start); d != time.Second {
			t.Error("waited", d)
		}
		New(1).Wait()
	})
}

func TestPanic(t *testing.T) {
	l := New(1)
	for range 3 {
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					t.Error(v)
				}
			}()
			l.Do(t.Context(), func() { panic("boom") })
		}()
	}
	if !l.TryGo(func() {}) {
		t.Error("the slot is lost")
	}
	l.Wait()
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(2)
		for range 10 {
			if err := l.Go(t.Context(), runtime.Goexit); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		go l.Do(t.Context(), runtime.Goexit)
		l.Wait()
		synctest.Wait()
		if len(l.slots) != 0 {
			t.Error(len(l.slots), "slots lost")
		}
	})
}

func TestNested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		l.Do(ctx, func() {
			if l.TryGo(func() {}) {
				t.Error("two of one slot")
			}
			err := l.Go(ctx, func() { t.Error("called") })
			if err != context.DeadlineExceeded {
				t.Error(err)
			}
		})
	})
}

func TestBadArguments(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	New(0)
}

package debounce

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	changes := Debounce[string](10*time.Millisecond, time.Second)
	for _, file := range []string{"a.go", "b.go", "c.go"} {
		changes.Event(file)
	}
	changes.Run(ctx, func(_ context.Context, file string) {
		fmt.Println("reload, last change:", file)
		cancel()
	})
	// Output: reload, last change: c.go
}

// A call is when it began, since the start of the bubble, and with what.
type call struct {
	at time.Duration
	v  int
}

// run sends event i at times[i] and returns the calls, each of which takes so
// long.
func run(t *testing.T, tr *Trigger[int], took time.Duration, times ...time.Duration) (calls []call) {
	ctx, cancel := context.WithCancel(t.Context())
	start := time.Now()
	var running sync.WaitGroup
	running.Go(func() {
		err := tr.Run(ctx, func(_ context.Context, v int) {
			calls = append(calls, call{time.Since(start), v})
			time.Sleep(took)
		})
		if err != context.Canceled {
			t.Error(err)
		}
	})
	for i, at := range times {
		time.Sleep(at - time.Since(start))
		tr.Event(i)
	}
	time.Sleep(time.Hour)
	cancel()
	running.Wait()
	return calls
}

func expect(t *testing.T, got []call, want ...call) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

const s = time.Second

func TestDebounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, run(t, Debounce[int](2*s, 100*s), 0, 0, 1*s, 3*s-1, 8*s),
			call{5*s - 1, 2}, call{10 * s, 3})
		expect(t, run(t, Debounce[int](2*s, 100*s), 0, 0, 2*s+1),
			call{2 * s, 0}, call{4*s + 1, 1})
	})
}

func TestLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		for i := range 20 {
			times = append(times, time.Duration(i)*s)
		}
		expect(t, run(t, Debounce[int](2*s, 7*s+1), 0, times...),
			call{7*s + 1, 7}, call{15*s + 1, 15}, call{21 * s, 19})
	})
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, run(t, Throttle[int](3*s), 0, 0, 1*s, 2*s, 4*s, 20*s, 23*s),
			call{0, 0}, call{3 * s, 2}, call{6 * s, 3}, call{20 * s, 4},
			call{23 * s, 5})
	})
}

func TestLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expect(t, run(t, Throttle[int](1), 10*s, 0, 3*s, 4*s),
			call{0, 0}, call{10 * s, 2})
		expect(t, run(t, Debounce[int](s, s), 10*s, 0, 3*s, 11*s-1),
			call{1 * s, 0}, call{11 * s, 2})
	})
}

func TestOneAtATime(t *testing.T) {
	for _, tr := range []*Trigger[int]{Debounce[int](1, 1), Throttle[int](1)} {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		calls, last := 0, 0
		var running atomic.Int32
		all.Go(func() {
			tr.Run(ctx, func(_ context.Context, v int) {
				if running.Add(1) != 1 {
					t.Error("two at once")
				}
				calls++
				last = v
				runtime.Gosched()
				running.Add(-1)
			})
		})
		var senders sync.WaitGroup
		for range 1000 {
			senders.Go(func() {
				for range 10 {
					tr.Event(1)
				}
			})
		}
		senders.Wait()
		tr.Event(7)
		for pending := true; pending; _, pending = tr.wait() {
			runtime.Gosched()
		}
		cancel()
		all.Wait()
		if calls == 0 || calls > 10001 || last != 7 {
			t.Error(calls, "calls, the last with", last)
		}
	}
}

func TestEventNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := Debounce[int](s, s)
		for i := range 1000 {
			tr.Event(i) // no Run
		}
		ctx, cancel := context.WithCancel(t.Context())
		last := -1
		go tr.Run(ctx, func(ctx context.Context, v int) {
			last = v
			<-ctx.Done() // a call that hangs
		})
		time.Sleep(s)
		synctest.Wait()
		if last != 999 {
			t.Error("called with", last)
		}
		for i := range 1000 {
			tr.Event(i)
		}
		cancel()
		synctest.Wait()
		if v, ok := tr.Take(); v != 999 || !ok {
			t.Error(v, ok)
		}
	})
}

// Run looks once, and then at nothing but the next event.
func TestNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tr := Debounce[int](1, 1)
		turns := 0
		due := tr.due
		tr.due = func(a, b, c time.Time) time.Time { turns++; return due(a, b, c) }
		go tr.Run(ctx, func(context.Context, int) { t.Error("called") })
		time.Sleep(time.Hour)
		cancel()
		synctest.Wait()
		if turns != 1 {
			t.Error("woke up", turns, "times")
		}
	})
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), s)
		defer cancel()
		tr := Debounce[int](2*s, 2*s)
		tr.Event(7)
		start := time.Now()
		err := tr.Run(ctx, func(context.Context, int) { t.Error("called") })
		if err != context.DeadlineExceeded || time.Since(start) != s {
			t.Error(err, time.Since(start))
		}
		time.Sleep(10 * s)
		err = tr.Run(ctx, func(context.Context, int) { t.Error("called") })
		if err != context.DeadlineExceeded {
			t.Error("ctx done before:", err)
		}
		if v, ok := tr.Take(); v != 7 || !ok {
			t.Error("pending", v, ok)
		}
		if v, ok := tr.Take(); v != 0 || ok {
			t.Error("taken twice", v, ok)
		}
	})
}

func TestRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), s)
		defer cancel()
		tr := Debounce[int](2*s, 2*s)
		tr.Event(7)
		tr.Run(ctx, func(context.Context, int) { t.Error("called") })
		expect(t, run(t, tr, 0), call{1 * s, 7})
	})
}

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errBad := errors.New("bad")
		tr := Throttle[int](s)
		tr.Event(1)
		func() {
			defer func() {
				if v := recover(); v != errBad {
					t.Error(v)
				}
			}()
			tr.Run(t.Context(), func(context.Context, int) { panic(errBad) })
		}()
		if _, ok := tr.Take(); ok {
			t.Error("still pending")
		}
		tr.Event(2)
		expect(t, run(t, tr, 0), call{1 * s, 2})
	})
}

func TestBadArguments(t *testing.T) {
	for i, f := range []func(){
		func() { Debounce[int](0, 1) },
		func() { Debounce[int](2, 1) },
		func() { Throttle[int](0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic:", i)
				}
			}()
			f()
		}()
	}
}

package parallelmap

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	pages := []string{"/a", "/bb", "/ccc"}
	sizes, err := Map(context.Background(), 2, pages,
		func(_ context.Context, page string) (int, error) {
			return len(page), nil // in production: fetch it with ctx
		})
	fmt.Println(sizes, err)
	// Output: [2 3 4] <nil>
}

var errBad = errors.New("bad")

func items(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func square(_ context.Context, n int) (int, error) { return n * n, nil }

func TestNoItems(t *testing.T) {
	got, err := Map(t.Context(), 4, nil,
		func(context.Context, int) (int, error) { panic("called") })
	if got == nil || len(got) != 0 || err != nil {
		t.Error(got, err)
	}
}

func TestResultsBelongToItems(t *testing.T) {
	for _, n := range []int{1, 3, 1000} {
		got, err := Map(t.Context(), n, items(1000), square)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if v != i*i {
				t.Fatalf("n %d: results[%d] == %d", n, i, v)
			}
		}
	}
}

func TestAtMostNCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		start := time.Now()
		_, err := Map(t.Context(), 3, items(10),
			func(context.Context, int) (int, error) {
				now := running.Add(1)
				defer running.Add(-1)
				for m := most.Load(); now > m; m = most.Load() {
					most.CompareAndSwap(m, now)
				}
				time.Sleep(time.Second)
				return 0, nil
			})
		if most.Load() != 3 || err != nil {
			t.Error("running at once:", most.Load(), err)
		}
		if d := time.Since(start); d != 4*time.Second {
			t.Error("took", d)
		}
	})
}

func TestFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started, ended atomic.Int32
		got, err := Map(t.Context(), 4, items(100),
			func(ctx context.Context, n int) (int, error) {
				started.Add(1)
				defer ended.Add(1)
				if n == 2 {
					time.Sleep(time.Second)
					return 0, errBad
				}
				<-ctx.Done()
				time.Sleep(time.Minute) // slow to end
				return 0, ctx.Err()
			})
		if err != errBad || got != nil {
			t.Error(got, err)
		}
		if started.Load() != 4 || ended.Load() != 4 {
			t.Error("started", started.Load(), "ended", ended.Load())
		}
	})
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var started atomic.Int32
		time.AfterFunc(time.Second, func() { cancel(errBad) })
		got, err := Map(ctx, 2, items(100),
			func(ctx context.Context, _ int) (int, error) {
				started.Add(1)
				<-ctx.Done()
				return 0, ctx.Err()
			})
		if err != errBad || got != nil || started.Load() != 2 {
			t.Error(got, err, started.Load())
		}
		_, err = Map(ctx, 2, items(100), square)
		if err != errBad {
			t.Error("already done:", err)
		}
	})
}

func TestContextDoneAfterTheLastCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int32
	got, err := Map(ctx, 2, items(10),
		func(_ context.Context, n int) (int, error) {
			if calls.Add(1) == 10 {
				cancel()
			}
			return n, nil
		})
	if err != nil || !slices.Equal(got, items(10)) {
		t.Error(got, err)
	}
}

func explode(context.Context, int) (int, error) { panic(errBad) }

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Bool
		defer func() {
			p, ok := recover().(*PanicError)
			if !ok || p.Value != errBad ||
				!strings.Contains(p.Error(), ".explode(") {
				t.Error("panic:", p)
			}
			if !ended.Load() {
				t.Error("before the other call")
			}
		}()
		Map(t.Context(), 3, items(3),
			func(ctx context.Context, n int) (int, error) {
				switch n {
				case 0:
					time.Sleep(time.Millisecond)
					return 0, errors.New("an error comes first")
				case 1:
					time.Sleep(time.Second)
					return explode(ctx, n)
				}
				time.Sleep(time.Minute)
				ended.Store(true)
				return 0, nil
			})
		t.Error("no panic")
	})
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := Map(t.Context(), 2, items(10),
			func(_ context.Context, n int) (int, error) {
				if n == 3 {
					runtime.Goexit()
				}
				return n, nil
			})
		if err != ErrGoexit {
			t.Error(err)
		}
	})
}

func TestNoWorkers(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Map(t.Context(), 0, items(1), square)
}

func TestManyCallers(t *testing.T) {
	var callers sync.WaitGroup
	for range 1000 {
		callers.Go(func() {
			got, err := Map(t.Context(), 5, items(20), square)
			if err != nil || got[19] != 19*19 {
				t.Error(got, err)
			}
		})
	}
	callers.Wait()
}

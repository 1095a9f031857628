package ordered

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	lines := make(chan string, 3)
	lines <- "one"
	lines <- "three"
	lines <- "five"
	close(lines)
	length := func(_ context.Context, s string) (int, error) { return len(s), nil }
	for n, err := range Map(context.Background(), 2, lines, length) {
		fmt.Println(n, err)
	}
	// Output:
	// 3 <nil>
	// 5 <nil>
	// 4 <nil>
}

var errBad = errors.New("bad")

func numbers(n int) <-chan int {
	ch := make(chan int, n)
	for i := range n {
		ch <- i
	}
	close(ch)
	return ch
}

func same(_ context.Context, n int) (int, error) { return n, nil }

func TestEmptyInput(t *testing.T) {
	for v, err := range Map(t.Context(), 3, numbers(0), same) {
		t.Error(v, err)
	}
}

func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		next := 0
		for v, err := range Map(t.Context(), n, numbers(n),
			func(_ context.Context, v int) (int, error) {
				time.Sleep(time.Duration((n-v)%7) * time.Second)
				return v, nil
			}) {
			if v != next || err != nil {
				t.Fatal(v, err, "want", next)
			}
			next++
		}
		if next != n {
			t.Error("ended at", next)
		}
	})
}

func TestAtMostN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := numbers(100)
		yielded := 0
		for range Map(t.Context(), 4, in, same) {
			yielded++ // one is yielded now
			synctest.Wait()
			if taken := 100 - len(in); taken > yielded-1+4 {
				t.Fatal("taken", taken, "yielded", yielded)
			}
			time.Sleep(time.Second) // a slow loop
		}

		var running, most atomic.Int32
		for range Map(t.Context(), 4, numbers(100),
			func(_ context.Context, v int) (int, error) {
				now := running.Add(1)
				for m := most.Load(); now > m; m = most.Load() {
					most.CompareAndSwap(m, now)
				}
				time.Sleep(time.Duration(1+v%3) * time.Second)
				running.Add(-1)
				return v, nil
			}) {
		}
		if most.Load() != 4 {
			t.Error("running at once:", most.Load())
		}
	})
}

func TestAsSoonAs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := make(chan int)
		go func() {
			defer close(in)
			in <- 1
			in <- 2
			time.Sleep(time.Hour)
		}()
		start := time.Now()
		for v, err := range Map(t.Context(), 8, in,
			func(_ context.Context, v int) (int, error) {
				time.Sleep(time.Second)
				return v, nil
			}) {
			if d := time.Since(start); d != time.Second || err != nil {
				t.Error(v, err, "after", d)
			}
		}
	})
}

func TestError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		for v, err := range Map(t.Context(), 4, numbers(100),
			func(_ context.Context, v int) (int, error) {
				if v == 2 {
					return 0, errBad // long before the first result
				}
				time.Sleep(time.Second)
				return v, nil
			}) {
			got = append(got, fmt.Sprint(v, err))
		}
		if s := strings.Join(got, ", "); s != "0 <nil>, 1 <nil>, 0 bad" {
			t.Error(s)
		}
	})
}

func TestBreak(t *testing.T) {
	for _, how := range []string{"break", "panic"} {
		synctest.Test(t, func(t *testing.T) {
			var running atomic.Int32
			func() {
				defer func() { recover() }()
				for range Map(t.Context(), 4, numbers(100),
					func(ctx context.Context, v int) (int, error) {
						running.Add(1)
						defer running.Add(-1)
						if v == 0 {
							time.Sleep(time.Second)
							return 0, nil
						}
						<-ctx.Done()
						time.Sleep(time.Minute)
						return 0, ctx.Err()
					}) {
					if how == "panic" {
						panic(how)
					}
					break
				}
			}()
			if n := running.Load(); n != 0 {
				t.Error(how, "left", n, "calls")
			}
		})
	}
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errBad) })
		ends := 0
		for _, err := range Map(ctx, 4, make(chan int), same) {
			ends++
			if err != errBad {
				t.Error(err)
			}
		}
		in := numbers(100)
		for range 100 { // the choice of a select is random
			for _, err := range Map(ctx, 4, in, same) { // already done
				ends++
				if err != errBad {
					t.Error(err)
				}
			}
		}
		if ends != 101 || len(in) != 100 {
			t.Error(ends, len(in))
		}
	})
}

func explode(_ context.Context, v int) (int, error) {
	if v == 1 {
		panic(errBad)
	}
	return v, nil
}

func TestPanic(t *testing.T) {
	for _, breaks := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			seen := 0
			defer func() {
				p, ok := recover().(*PanicError)
				if !ok || p.Value != errBad || seen != 1 ||
					!strings.Contains(p.Error(), ".explode(") {
					t.Error("panic:", p, "seen:", seen)
				}
			}()
			for range Map(t.Context(), 2, numbers(100),
				func(ctx context.Context, v int) (int, error) {
					time.Sleep(time.Duration(1+v) * time.Second)
					return explode(ctx, v)
				}) {
				seen++
				if breaks {
					break
				}
			}
			t.Error("no panic")
		})
	}
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last error
		for _, err := range Map(t.Context(), 2, numbers(10),
			func(_ context.Context, v int) (int, error) {
				if v == 3 {
					runtime.Goexit()
				}
				return v, nil
			}) {
			last = err
		}
		if last != ErrGoexit {
			t.Error(last)
		}
	})
}

func TestNoWorkers(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Map(t.Context(), 0, numbers(1), same)
}

func TestManyCallers(t *testing.T) {
	var callers sync.WaitGroup
	for range 1000 {
		callers.Go(func() {
			next := 0
			for v, err := range Map(t.Context(), 5, numbers(20), same) {
				if v != next || err != nil {
					t.Error(v, err)
				}
				next++
			}
		})
	}
	callers.Wait()
}

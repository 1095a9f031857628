package firstof

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	stuck := func(ctx context.Context) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}
	down := func(context.Context) (string, error) {
		return "", errors.New("connection refused")
	}
	up := func(context.Context) (string, error) { return "42 EUR", nil }

	// In production: context.WithTimeout(r.Context(), 200*time.Millisecond),
	// and a stagger that nine of ten answers do not take.
	ctx := context.Background()
	fmt.Println(First(ctx, 0, stuck, down, up))
	fmt.Println(First(ctx, 0, down, down))
	// Output:
	// 42 EUR <nil>
	//  connection refused
	// connection refused
}

var errDown = errors.New("down")

// after returns a replica that answers its delay after so many seconds, and
// fails if they are odd.
func after(seconds int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if seconds%2 != 0 {
			return 0, errDown
		}
		return seconds, nil
	}
}

// untilTold returns a replica that answers when its ctx is done, and reports it.
func untilTold(told *atomic.Bool) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		<-ctx.Done()
		told.Store(true)
		return 0, ctx.Err()
	}
}

func want(t *testing.T, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestFirstGoodAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var told atomic.Bool
		v, err := First(t.Context(), 0,
			untilTold(&told), after(1), after(4), after(2))
		want(t, v, 2)
		want(t, err, nil)
		synctest.Wait()
		want(t, told.Load(), true)
		want(t, time.Since(start), 2*time.Second)
	})
}

func TestAllFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, err := First(t.Context(), 0, after(1), after(3), after(5))
		want(t, v, 0)
		want(t, err.Error(), "down\ndown\ndown")
		want(t, errors.Is(err, errDown), true)
	})
}

// An answer that is ready when ctx ends is in time.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 { // a select picks at random
			ctx, cancel := context.WithCancel(t.Context())
			ready := func(context.Context) (int, error) { return 1, nil }
			answers := 0
			for a := range Each(ctx, 0, ready, ready, ready, after(2)) {
				synctest.Wait() // the others are ready
				cancel()
				if a.Err == nil {
					answers++
				}
			}
			cancel()
			if answers != 3 {
				t.Fatal(answers, "answers")
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		start := time.Now()
		deaf := func(context.Context) (int, error) {
			time.Sleep(time.Hour)
			return 1, nil
		}
		v, err := First(ctx, 0, after(3), deaf)
		want(t, v, 0)
		want(t, errors.Is(err, errDown), true)
		want(t, errors.Is(err, context.DeadlineExceeded), true)
		want(t, time.Since(start), 4*time.Second)
		time.Sleep(time.Hour) // deaf ends
	})
}

// A thousand replicas that do not heed their ctx end with their calls.
func TestLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int64
		deaf := func(context.Context) (int, error) {
			time.Sleep(time.Hour)
			ended.Add(1)
			return 1, nil
		}
		replicas := slices.Repeat([]func(context.Context) (int, error){deaf}, 1000)
		replicas = append(replicas, after(2))
		start := time.Now()
		v, err := First(t.Context(), 0, replicas...)
		want(t, v, 2)
		want(t, err, nil)
		want(t, time.Since(start), 2*time.Second)
		time.Sleep(time.Hour)
		synctest.Wait()
		want(t, ended.Load(), int64(1000))
	})
}

func TestStagger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		counted := func(seconds int) func(context.Context) (int, error) {
			return func(ctx context.Context) (int, error) {
				asked.Add(1)
				return after(seconds)(ctx)
			}
		}
		start := time.Now()
		v, _ := First(t.Context(), 3*time.Second,
			counted(8), counted(4), counted(0), counted(0))
		want(t, v, 0) // replica 2, after 6 s
		want(t, time.Since(start), 6*time.Second)
		synctest.Wait()
		want(t, asked.Load(), int64(3))
		time.Sleep(time.Hour)
		want(t, asked.Load(), int64(3))

		// Those whose turn has not come do not stay until it does.
		before := runtime.NumGoroutine()
		First(t.Context(), time.Hour, after(2), after(0))
		for range 1_000_000 {
			if runtime.NumGoroutine() == before {
				return
			}
			runtime.Gosched()
		}
		t.Error("a goroutine waits for its turn")
	})
}

func TestBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var from []int
		var told atomic.Bool
		for a := range Each(t.Context(), 0,
			untilTold(&told), after(4), after(1)) {
			from = append(from, a.From)
			if len(from) == 2 {
				break
			}
		}
		want(t, fmt.Sprint(from), "[2 1]")
		synctest.Wait()
		want(t, told.Load(), true)
		want(t, time.Since(start), 4*time.Second)
	})
}

func TestSlowBody(t *testing.T) {
	for range 20 { // a select picks at random
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			var got []int
			for a := range Each(ctx, 0, after(0), after(2), after(4), after(3600)) {
				if a.Err == nil {
					got = append(got, a.Value)
				}
				time.Sleep(2500 * time.Millisecond)
			}
			want(t, fmt.Sprint(got), "[0 2 4]")
		})
	}
}

func TestGoexit(t *testing.T) {
	exit := func(context.Context) (int, error) { runtime.Goexit(); return 1, nil }
	for a := range Each(t.Context(), 0, exit) {
		want(t, a, Answer[int]{Err: ErrGoexit})
	}
}

func TestCtxDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		_, err := First(ctx, 0, func(context.Context) (int, error) {
			t.Error("asked")
			return 1, nil
		})
		want(t, errors.Is(err, context.Canceled), true)
	}
}

func TestNoReplicas(t *testing.T) {
	for a := range Each[int](t.Context(), 0) {
		t.Error(a)
	}
	_, err := First[int](t.Context(), 0)
	want(t, err, ErrNone)
}

package retry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	attempts := 0
	err := Retry(context.Background(), 5, time.Millisecond, 10*time.Millisecond,
		func(context.Context) error {
			if attempts++; attempts < 3 {
				return errors.New("connection refused")
			}
			return nil
		})
	fmt.Println(attempts, err)

	err = Retry(context.Background(), 5, time.Millisecond, 10*time.Millisecond,
		func(context.Context) error {
			return Permanent(errors.New("no such user"))
		})
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// no such user
}

var errBad = errors.New("bad")

func fail(context.Context) error { return errBad }

func TestSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, calls := time.Now(), 0
		err := Retry(t.Context(), 3, time.Hour, time.Hour,
			func(context.Context) error { calls++; return nil })
		if err != nil || calls != 1 || time.Since(start) != 0 {
			t.Error(err, calls, time.Since(start))
		}
	})
}

func TestAttemptsUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		var last time.Time
		err := Retry(t.Context(), 5, time.Second, time.Minute,
			func(context.Context) error {
				calls++
				last = time.Now()
				return fmt.Errorf("attempt %d", calls)
			})
		if err == nil || err.Error() != "attempt 5" || calls != 5 {
			t.Error(err, calls)
		}
		if d := time.Since(last); d != 0 {
			t.Error("waited after the last attempt:", d)
		}
	})
}

func TestContextDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Retry(ctx, 3, 1, 1, func(context.Context) error {
		t.Error("called")
		return nil
	})
	if err != context.Canceled {
		t.Error(err)
	}
}

func TestContextDoneWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(time.Nanosecond, cancel)
		calls := 0
		err := Retry(ctx, 1000, time.Hour, time.Hour,
			func(context.Context) error { calls++; return errBad })
		if !errors.Is(err, errBad) || !errors.Is(err, context.Canceled) || calls > 2 {
			t.Error(err, calls)
		}
		if d := time.Since(start); d != time.Nanosecond {
			t.Error("returned after", d)
		}
		cancelled, cancel2 := context.WithCancel(t.Context())
		calls = 0
		err = Retry(cancelled, 1000, 1, 1, func(context.Context) error {
			calls++
			cancel2() // as f fails
			return errBad
		})
		if !errors.Is(err, errBad) || !errors.Is(err, context.Canceled) ||
			calls != 1 {
			t.Error(err, calls)
		}
	})
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			start := time.Now()
			var last time.Time
			err := Retry(ctx, math.MaxInt, time.Hour, time.Hour,
				func(context.Context) error { last = time.Now(); return errBad })
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errBad) {
				t.Error(err)
			}
			if time.Now() != last {
				t.Error("a wait in vain:", time.Since(last), time.Since(start))
			}
			cancel()
		}
	})
}

func TestDeafFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := Retry(ctx, 9, 1, 1, func(context.Context) error {
			time.Sleep(time.Minute)
			return errBad
		})
		if d := time.Since(start); d != time.Minute || !errors.Is(err, errBad) ||
			!errors.Is(err, context.DeadlineExceeded) {
			t.Error(err, d)
		}
	})
}

func TestPermanent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		start := time.Now()
		err := Retry(t.Context(), 9, time.Hour, time.Hour,
			func(context.Context) error {
				calls++
				return fmt.Errorf("get: %w", Permanent(errBad))
			})
		if !errors.Is(err, errBad) || err.Error() != "get: bad" || calls != 1 ||
			time.Since(start) != 0 {
			t.Error(err, calls)
		}
		if Permanent(nil) != nil {
			t.Error("an error out of nothing")
		}
	})
}

// Waits are uniform below a limit that doubles, so of many runs the longest
// wait comes close to it, and the shortest close to zero.
func TestFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := []time.Duration{2, 4, 8, 16, 20, 20} // seconds
		longest := make([]time.Duration, len(limits))
		shortest := make([]time.Duration, len(limits))
		for i := range shortest {
			shortest[i] = time.Hour
		}
		for range 1000 {
			last, wait := time.Now(), -1
			Retry(t.Context(), len(limits)+1, 2*time.Second, 20*time.Second,
				func(context.Context) error {
					if wait >= 0 {
						d := time.Since(last)
						longest[wait] = max(longest[wait], d)
						shortest[wait] = min(shortest[wait], d)
					}
					last = time.Now()
					wait++
					return errBad
				})
		}
		for i, limit := range limits {
			limit *= time.Second
			if longest[i] > limit || longest[i] < limit*9/10 ||
				shortest[i] > limit/10 {
				t.Errorf("wait %d: from %v to %v, want 0 to %v",
					i, shortest[i], longest[i], limit)
			}
		}
	})
}

func TestNoOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(math.MaxInt64, cancel)
		calls := 0
		err := Retry(ctx, 1000, 1, math.MaxInt64, func(context.Context) error {
			calls++
			return errBad
		})
		if !errors.Is(err, errBad) || calls < 60 {
			t.Error(err, calls)
		}
		calls = 0
		Retry(t.Context(), 1000, 1, 1, func(context.Context) error {
			calls++
			return errBad
		})
		if calls != 1000 {
			t.Error(calls)
		}
	})
}

func TestPanic(t *testing.T) {
	defer func() {
		if v := recover(); v != errBad {
			t.Error(v)
		}
	}()
	ended := make(chan bool, 1)
	go func() {
		defer func() { ended <- true }()
		Retry(t.Context(), 3, 1, 1, func(context.Context) error {
			runtime.Goexit()
			return nil
		})
		ended <- false
	}()
	if !<-ended {
		t.Error("Goexit did not pass through")
	}
	Retry(t.Context(), 3, 1, 1, func(context.Context) error { panic(errBad) })
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][3]int{{0, 1, 1}, {1, 0, 1}, {1, 2, 1}, {1, -1, 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic:", args)
				}
			}()
			Retry(t.Context(), args[0], time.Duration(args[1]),
				time.Duration(args[2]), fail)
		}()
	}
}

// A thousand callers, all canceled in the middle: each returns at once.
func TestContextDoneWhileThousandWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				err := Retry(ctx, math.MaxInt, time.Second, time.Minute, fail)
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		time.Sleep(10 * time.Second)
		start := time.Now()
		cancel()
		callers.Wait()
		if d := time.Since(start); d != 0 {
			t.Error("took", d)
		}
	})
}

package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	// In production: context.WithTimeout(r.Context(), 200*time.Millisecond).
	ctx, cancel := context.WithCancel(context.Background())
	hung := make(chan struct{})
	price, err := Call(ctx, func(context.Context) (int, error) {
		cancel() // the deadline comes while the call hangs
		<-hung
		return 42, nil
	})
	fmt.Println(price, err)
	close(hung)
	// Output: 0 context canceled
}

var errBad = errors.New("bad")

func TestResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		v, err := Call(ctx, func(context.Context) (int, error) {
			time.Sleep(time.Second - 1)
			return 7, errBad
		})
		if v != 7 || err != errBad || time.Since(start) != time.Second-1 {
			t.Error(v, err, time.Since(start))
		}
	})
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		told := false
		v, err := Call(ctx, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			told = true
			time.Sleep(time.Hour)
			return 7, nil
		})
		if v != 0 || err != context.DeadlineExceeded ||
			time.Since(start) != time.Second {
			t.Error(v, err, time.Since(start))
		}
		synctest.Wait()
		if !told {
			t.Error("f did not get ctx")
		}
		time.Sleep(time.Hour) // lets f end
	})
}

// The bubble fails if the goroutine does not end.
func TestLateResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		returned := false
		_, err := Call(ctx, func(context.Context) (int, error) {
			time.Sleep(time.Second + 1)
			returned = true
			return 7, nil
		})
		if err != context.DeadlineExceeded {
			t.Error(err)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if !returned {
			t.Error("f did not go on")
		}
	})
}

func TestContextDoneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Call(ctx, func(context.Context) (int, error) {
			t.Error("called")
			return 7, nil
		})
		synctest.Wait()
		if err != context.Canceled {
			t.Error(err)
		}
	})
}

func explode(context.Context) (int, error) { panic(errBad) }

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			p, ok := recover().(*PanicError)
			if !ok || p.Value != errBad ||
				!strings.Contains(p.Error(), ".explode(") {
				t.Error("panic:", p)
			}
		}()
		_, err := Call(t.Context(), explode)
		t.Error("no panic", err)
	})
}

func TestLatePanic(t *testing.T) {
	if os.Getenv("CRASH") != "" {
		ctx, cancel := context.WithCancel(context.Background())
		returned := make(chan struct{})
		Call(ctx, func(context.Context) (int, error) {
			cancel()
			<-returned
			return explode(ctx)
		})
		close(returned)
		select {} // until the process ends
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=9s")
	cmd.Env = append(os.Environ(), "CRASH=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte(".explode(")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := Call(t.Context(), func(context.Context) (int, error) {
			runtime.Goexit()
			return 7, nil
		})
		if err != ErrGoexit {
			t.Error(err)
		}
	})
}

func TestManyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var running atomic.Int32
		var callers sync.WaitGroup
		for i := range 1000 {
			callers.Go(func() {
				d := time.Duration(i%3) * time.Second
				v, err := Call(ctx, func(context.Context) (int, error) {
					running.Add(1)
					time.Sleep(d)
					running.Add(-1)
					return i, nil
				})
				switch {
				case d < time.Second && (v != i || err != nil),
					d > time.Second && err != context.DeadlineExceeded:
					t.Error(d, v, err)
				}
			})
		}
		callers.Wait()
		if n := running.Load(); n < 333 {
			t.Error("calls that hang:", n)
		}
		time.Sleep(time.Minute) // the bubble fails if a goroutine stays
		if n := running.Load(); n != 0 {
			t.Error("calls that hang:", n)
		}
	})
}

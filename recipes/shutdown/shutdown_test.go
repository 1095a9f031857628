package shutdown

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
	ctx, cancel := context.WithCancel(context.Background())
	ctx = OnSignal(ctx, os.Interrupt)
	begun, hung := make(chan struct{}), make(chan struct{})
	queue := NewQueue(1, 10, func(ctx context.Context, job string) error {
		fmt.Println("begins", job)
		close(begun)
		<-hung // does not heed ctx, as many a driver does not
		return ctx.Err()
	})
	for _, job := range []string{"a", "b", "c"} {
		queue.Submit(job)
	}
	intake := func(context.Context) error { return nil } // server.Shutdown

	<-begun
	cancel() // in production, the signal comes
	<-ctx.Done()
	err := errors.Join(
		Within(time.Minute, "intake", intake),
		Within(time.Millisecond, "drain", queue.Drain),
		Within(time.Millisecond, "cancel", queue.Cancel))
	fmt.Println(err)
	fmt.Println(queue.Left(), "jobs lost")
	close(hung)
	// Output:
	// begins a
	// drain: context deadline exceeded
	// cancel: context deadline exceeded
	// 3 jobs lost
}

var errBad = errors.New("bad")

func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		step := func(name string, d time.Duration) error {
			return Within(time.Minute, name, func(context.Context) error {
				log = append(log, name)
				time.Sleep(d)
				log = append(log, name+" ended")
				return nil
			})
		}
		start := time.Now()
		err := errors.Join(step("a", time.Second), step("b", time.Minute-1))
		if s := strings.Join(log, ", "); s != "a, a ended, b, b ended" || err != nil {
			t.Error(s, err)
		}
		if d := time.Since(start); d != time.Second+time.Minute-1 {
			t.Error("took", d)
		}
	})
}

func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var told atomic.Bool
		err := Within(time.Second, "drain", func(ctx context.Context) error {
			<-ctx.Done()
			told.Store(true)
			time.Sleep(time.Hour)
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) ||
			!strings.HasPrefix(err.Error(), "drain: ") {
			t.Error(err)
		}
		if d := time.Since(start); d != time.Second {
			t.Error("took", d)
		}
		time.Sleep(time.Hour)
		if !told.Load() {
			t.Error("ctx has no deadline")
		}
	})
}

func TestFailedStep(t *testing.T) {
	ran := false
	err := errors.Join(
		Within(time.Minute, "a", func(context.Context) error { return errBad }),
		Within(time.Minute, "b", func(context.Context) error { ran = true; return nil }))
	if !errors.Is(err, errBad) || err.Error() != "a: bad" || !ran {
		t.Error(err, ran)
	}
}

// The child sends itself one signal, which it survives, and then another.
func TestSecondSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt itself there")
	}
	if os.Getenv("SIGNAL") != "" {
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		ctx := OnSignal(context.Background(), os.Interrupt)
		self.Signal(os.Interrupt)
		<-ctx.Done()
		fmt.Println("survived")
		for { // the first may not yet have its usual effect again
			self.Signal(os.Interrupt)
			runtime.Gosched()
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=9s")
	cmd.Env = append(os.Environ(), "SIGNAL=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("survived")) ||
		bytes.Contains(out, []byte("timed out")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// busy returns a queue with a job in hand and one that waits, which is full.
// The jobs end when free is closed or their ctx is done.
func busy(t *testing.T) (q *Queue[int], free chan struct{}) {
	free = make(chan struct{})
	q = NewQueue(1, 1, func(ctx context.Context, _ int) error {
		select {
		case <-free:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	for n := range 2 {
		if !q.Submit(n) {
			t.Error("not accepted")
		}
		synctest.Wait()
	}
	return q, free
}

func TestSubmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, free := busy(t)
		if q.Submit(2) {
			t.Error("accepted by a full queue")
		}
		close(free)
		synctest.Wait()
		if !q.Submit(3) {
			t.Error("refused by an empty queue")
		}
		q.Drain(t.Context())
		if q.Submit(4) {
			t.Error("accepted by a closed queue")
		}
		q.Cancel(t.Context())
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := 0
		q := NewQueue(1, 10, func(context.Context, int) error {
			time.Sleep(time.Second)
			done++
			return nil
		})
		for n := range 10 {
			q.Submit(n)
		}
		if err := q.Drain(t.Context()); err != nil || done != 10 || q.Left() != 0 {
			t.Error(err, done, q.Left())
		}
		q.Cancel(t.Context())
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := busy(t)
		if err := q.Cancel(t.Context()); err != nil || q.Left() != 2 {
			t.Error(err, q.Left())
		}

		begun := 0
		q = NewQueue(1, 10, func(ctx context.Context, _ int) error {
			begun++
			<-ctx.Done()
			return nil // done all the same
		})
		for n := range 10 {
			q.Submit(n)
		}
		synctest.Wait()
		q.Cancel(t.Context())
		if begun != 1 || q.Left() != 9 {
			t.Error("begun", begun, "left", q.Left())
		}
	})
}

// A thousand senders against a shutdown at any moment: no panic, and every
// accepted job is done or left.
func TestLeft(t *testing.T) {
	for round := range 20 {
		var accepted, done atomic.Int64
		var q *Queue[int]
		q = NewQueue(3, 1+round%4, func(ctx context.Context, _ int) error {
			if q.Left() < 1 {
				t.Error("the job in hand does not count")
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			done.Add(1)
			return nil
		})
		var all sync.WaitGroup
		for n := range 1000 {
			all.Go(func() {
				for range 3 {
					if q.Submit(n) && accepted.Add(1) == int64(20*round+1) {
						all.Go(func() { q.Cancel(context.Background()) })
					}
					if left := q.Left(); left < 0 || left > 3+4+1 {
						t.Error("left", left)
					}
				}
			})
		}
		all.Wait()
		q.Cancel(context.Background())
		if accepted.Load() != done.Load()+int64(q.Left()) {
			t.Fatal(accepted.Load(), done.Load(), q.Left())
		}
	}
	synctest.Test(t, func(t *testing.T) {
		q, free := busy(t)
		if q.Submit(2) || q.Left() != 2 {
			t.Error("left", q.Left())
		}
		close(free)
		synctest.Wait()
		if q.Left() != 0 {
			t.Error("left", q.Left())
		}
		q.Cancel(t.Context())
	})
}

func TestFailedJob(t *testing.T) {
	q := NewQueue(1, 1, func(context.Context, int) error { return errBad })
	q.Submit(1)
	q.Drain(t.Context())
	if q.Left() != 0 {
		t.Error("left", q.Left())
	}
	q.Cancel(t.Context())
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(2, 10, func(_ context.Context, n int) error {
			if n == 3 {
				runtime.Goexit()
			}
			return nil
		})
		for n := range 10 {
			q.Submit(n)
		}
		if err := q.Drain(t.Context()); err != nil || q.Left() != 1 {
			t.Error(err, q.Left())
		}
		q.Cancel(t.Context())
	})
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][2]int{{0, 1}, {1, 0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic:", args)
				}
			}()
			NewQueue(args[0], args[1],
				func(context.Context, int) error { return nil })
		}()
	}
}

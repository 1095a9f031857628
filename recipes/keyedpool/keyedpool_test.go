package keyedpool

import (
	"context"
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
	var mu sync.Mutex
	history := map[string][]string{}
	pool := New(4, 100, func(_ context.Context, account, event string) {
		mu.Lock()
		defer mu.Unlock()
		history[account] = append(history[account], event)
	}, func(account string, value any, stack []byte) {
		fmt.Printf("%s: %v\n%s", account, value, stack)
	})
	for _, event := range []string{"opened", "paid", "closed"} {
		for _, account := range []string{"alice", "bob"} {
			if err := pool.TrySubmit(account, event); err != nil {
				fmt.Println(err)
			}
		}
	}
	fmt.Println(pool.Shutdown(context.Background()))
	fmt.Println(history)
	// Output:
	// <nil>
	// map[alice:[opened paid closed] bob:[opened paid closed]]
}

func unexpected(t *testing.T) func(key int, value any, stack []byte) {
	return func(key int, value any, stack []byte) {
		t.Errorf("job of %d: %v\n%s", key, value, stack)
	}
}

func submit(t *testing.T, p *Pool[int, int], key, job int) {
	t.Helper()
	if err := p.TrySubmit(key, job); err != nil {
		t.Error(key, job, err)
	}
}

func shutdown(t *testing.T, p *Pool[int, int]) {
	t.Helper()
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// A thousand senders of 50 keys: the detector sees two jobs of a key at once.
func TestOrder(t *testing.T) {
	const keys = 50
	var next [keys]int
	var locks [keys]sync.Mutex
	var sent [keys]int
	p := New(8, 1<<20, func(_ context.Context, key, job int) {
		if next[key] != job {
			t.Errorf("key %d: job %d, want %d", key, job, next[key])
		}
		next[key] = job + 1
		if job%7 == 0 {
			runtime.Gosched()
		}
	}, unexpected(t))
	var senders sync.WaitGroup
	for i := range 1000 {
		senders.Go(func() {
			key := i % keys
			for range 20 {
				locks[key].Lock() // the order of a key is that of its sender
				submit(t, p, key, sent[key])
				sent[key]++
				locks[key].Unlock()
			}
		})
	}
	senders.Wait()
	shutdown(t, p)
	for key, n := range next {
		if n != sent[key] || n != 400 {
			t.Error("key", key, "did", n, "of", sent[key])
		}
	}
}

func TestParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var ended []string
		var mu sync.Mutex
		var running, most atomic.Int32
		p := New(2, 100, func(_ context.Context, key, job int) {
			now := running.Add(1)
			for m := most.Load(); now > m; m = most.Load() {
				most.CompareAndSwap(m, now)
			}
			time.Sleep(time.Second)
			running.Add(-1)
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, fmt.Sprint(key))
		}, unexpected(t))
		for job := range 4 {
			submit(t, p, 1, job) // has many jobs
		}
		synctest.Wait()
		submit(t, p, 2, 0)
		submit(t, p, 3, 0)
		synctest.Wait()
		shutdown(t, p)
		if d := time.Since(start); d != 4*time.Second || most.Load() != 2 {
			t.Error("took", d, "running", most.Load())
		}
		if s := strings.Join(ended, ""); strings.LastIndexAny(s, "23") > 3 {
			t.Error("keys took turns so:", s)
		}
	})
}

func TestIdleKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(8, 1000, func(context.Context, int, int) {}, unexpected(t))
		for key := range 1000 {
			submit(t, p, key, 0)
		}
		synctest.Wait()
		if len(p.queues) != 0 || p.room != 1000 {
			t.Error(len(p.queues), "entries, room for", p.room)
		}
		shutdown(t, p)
	})
}

// stuck returns a pool of one slot that is full: one job runs until free is
// closed or its ctx is done, another one waits.
func stuck(t *testing.T) (p *Pool[int, int], free chan struct{}, done *atomic.Int32) {
	free, done = make(chan struct{}), new(atomic.Int32)
	p = New(1, 2, func(ctx context.Context, _, _ int) {
		select {
		case <-free:
			done.Add(1)
		case <-ctx.Done():
		}
	}, unexpected(t))
	submit(t, p, 1, 0)
	submit(t, p, 2, 0)
	synctest.Wait()
	return p, free, done
}

func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, free, done := stuck(t)
		for key := range 4 {
			if err := p.TrySubmit(key, 1); err != ErrFull {
				t.Error(key, err)
			}
		}
		close(free)
		synctest.Wait()
		submit(t, p, 1, 1)
		submit(t, p, 1, 2)
		shutdown(t, p)
		if done.Load() != 4 {
			t.Error("did", done.Load())
		}
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, free, done := stuck(t)
		time.AfterFunc(time.Second, func() { close(free) })
		go func() {
			time.Sleep(time.Second / 2)
			if err := p.TrySubmit(1, 1); err != ErrClosed {
				t.Error(err)
			}
		}()
		shutdown(t, p)
		shutdown(t, p) // twice
		if done.Load() != 2 {
			t.Error("did", done.Load())
		}
		if err := p.TrySubmit(1, 1); err != ErrClosed {
			t.Error(err)
		}
	})
}

// A thousand senders against Shutdown at any moment: every accepted job is done.
func TestShutdownAmongSenders(t *testing.T) {
	for round := range 10 {
		var accepted, done atomic.Int64
		p := New(3, 100, func(context.Context, int, int) { done.Add(1) },
			unexpected(t))
		var senders sync.WaitGroup
		for i := range 1000 {
			senders.Go(func() {
				if p.TrySubmit(i%10, i) == nil &&
					accepted.Add(1) == int64(40*round+1) {
					shutdown(t, p)
				}
			})
		}
		senders.Wait()
		shutdown(t, p)
		if accepted.Load() != done.Load() {
			t.Error("accepted", accepted.Load(), "did", done.Load())
		}
	}
}

func TestShutdownDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, done := stuck(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := p.Shutdown(ctx)
		if err != context.DeadlineExceeded || time.Since(start) != time.Second {
			t.Error(err, time.Since(start))
		}
		shutdown(t, p) // their ctx is done
		if done.Load() != 0 {
			t.Error("did", done.Load())
		}
	})
}

func explode(context.Context, int, int) { panic("boom") }

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string // guarded by the one slot
		p := New(1, 10, func(ctx context.Context, key, job int) {
			if key == 1 && job == 1 {
				explode(ctx, key, job)
			}
			log = append(log, fmt.Sprint(key, job))
		}, func(key int, value any, stack []byte) {
			if key != 1 || value != "boom" ||
				!strings.Contains(string(stack), ".explode(") {
				t.Errorf("job of %d: %v\n%s", key, value, stack)
			}
			log = append(log, "panic")
		})
		for job := range 3 {
			submit(t, p, 1, job)
		}
		shutdown(t, p)
		if s := strings.Join(log, ", "); s != "1 0, panic, 1 2" {
			t.Error(s)
		}
	})
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done, failed := 0, 0
		p := New(1, 10, func(_ context.Context, _, job int) {
			if job == 1 {
				runtime.Goexit()
			}
			done++
		}, func(_ int, value any, _ []byte) {
			failed++
			if value != nil {
				t.Error(value)
			}
		})
		for job := range 3 {
			submit(t, p, 1, job)
		}
		shutdown(t, p)
		if done != 2 || failed != 1 {
			t.Error("done", done, "failed", failed)
		}
	})
}

func TestSubmitFromAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *Pool[int, int]
		done := 0
		p = New(1, 3, func(_ context.Context, key, job int) {
			done++
			if job == 0 {
				submit(t, p, key, 1)
				submit(t, p, key+1, 1)
				if err := p.TrySubmit(key, 2); err != ErrFull {
					t.Error(err)
				}
			}
		}, unexpected(t))
		submit(t, p, 1, 0)
		synctest.Wait()
		shutdown(t, p)
		if done != 3 {
			t.Error("did", done)
		}
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
			New(args[0], args[1], func(context.Context, int, int) {}, unexpected(t))
		}()
	}
}

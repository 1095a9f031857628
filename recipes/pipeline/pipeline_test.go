package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // ends the stages if the loop breaks

	p := New(ctx)
	words := Source(p, slices.Values([]string{"1", "2", "x", "4"}))
	numbers := Stage(p, words, 1,
		func(_ context.Context, s string) (int, error) { return strconv.Atoi(s) })
	squares := Stage(p, numbers, 4,
		func(_ context.Context, n int) (int, error) { return n * n, nil })
	for range squares {
	}
	fmt.Println(p.Wait())
	// Output: strconv.Atoi: parsing "x": invalid syntax
}

var errBad = errors.New("bad")

func same(_ context.Context, n int) (int, error) { return n, nil }

func count(limit int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for n := 0; n < limit && yield(n); n++ {
		}
	}
}

const endless = int(^uint(0) >> 1)

func TestNoInput(t *testing.T) {
	p := New(t.Context())
	out := Stage(p, Stage(p, Source(p, count(0)), 3, same), 2, same)
	for v := range out {
		t.Error(v)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func TestEveryValue(t *testing.T) {
	p := New(t.Context())
	out := Stage(p, Stage(p, Source(p, count(1000)), 1000, same), 8, same)
	seen := make([]int, 1000)
	for v := range out {
		seen[v]++
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	for v, n := range seen {
		if n != 1 {
			t.Fatal(v, "arrived", n, "times")
		}
	}
}

func TestFirstError(t *testing.T) {
	for bad := range 3 {
		synctest.Test(t, func(t *testing.T) {
			p := New(t.Context())
			out := Source(p, count(endless))
			for i := range 3 {
				out = Stage(p, out, 5, func(_ context.Context, n int) (int, error) {
					if i == bad && n >= 100 {
						return 0, fmt.Errorf("stage %d: %w", i, errBad)
					}
					return n, nil
				})
			}
			for range out {
			}
			err := p.Wait()
			want := fmt.Sprintf("stage %d: bad", bad)
			if err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
			if p.Context.Err() == nil {
				t.Error("context still alive")
			}
		})
	}
}

// An error ends the stages also while no reader is there to unblock them.
func TestFirstErrorWithoutReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context())
		a := Stage(p, Source(p, count(endless)), 3, same)
		var calls atomic.Int32
		Stage(p, a, 3, func(context.Context, int) (int, error) {
			if calls.Add(1) == 3 {
				return 0, errBad
			}
			return 0, nil
		})
		if err := p.Wait(); err != errBad {
			t.Error(err)
		}
	})
}

func TestOutputCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context())
		out := Stage(p, Source(p, count(2)), 2,
			func(_ context.Context, n int) (int, error) {
				time.Sleep(time.Second + time.Duration(n)*time.Minute) // heeds no ctx
				if n == 0 {
					return 0, errBad
				}
				return n, nil
			})
		start := time.Now()
		for range out {
		}
		if d := time.Since(start); d != time.Minute+time.Second {
			t.Error("closed after", d)
		}
		if err := p.Wait(); err != errBad {
			t.Error(err)
		}
	})
}

func TestSlowStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := New(ctx)
		made := 0
		source := Source(p, func(yield func(int) bool) {
			for made < 100 && yield(made) {
				made++
			}
		})
		first := Stage(p, source, 3, same)
		Stage(p, first, 2, func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		synctest.Wait()
		if made != 3+2 { // and the next one in the hand of the source
			t.Error("source is at", made)
		}
		cancel()
		p.Wait()
	})
}

func TestReaderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		p := New(ctx)
		out := Source(p, count(endless))
		for range 10 {
			out = Stage(p, out, 100, same)
		}
		for v := range out {
			if v > 500 {
				break
			}
		}
		cancel(errBad)
		if err := p.Wait(); err != errBad {
			t.Error(err)
		}
	})
}

func TestForeignInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := New(ctx)
		Stage(p, make(chan int), 10, same) // never closed
		synctest.Wait()
		cancel()
		if err := p.Wait(); err != context.Canceled {
			t.Error(err)
		}
	})
}

func TestSourceThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context())
		source := Source(p, func(yield func(int) bool) {
			if yield(1) {
				<-p.Context.Done()
			}
		})
		out := Stage(p, source, 1,
			func(context.Context, int) (int, error) { return 0, errBad })
		for range out {
			t.Error("a value in spite of the error")
		}
		if err := p.Wait(); err != errBad {
			t.Error(err)
		}
	})
}

func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context())
		uneven := func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(10-n%10) * time.Second)
			return n, nil
		}
		next := 0
		for v := range Stage(p, Source(p, count(100)), 1, uneven) {
			if v != next {
				t.Fatal(v, "want", next)
			}
			next++
		}
		if err := p.Wait(); err != nil || next != 100 {
			t.Error(err, next)
		}
	})
}

func TestPanic(t *testing.T) {
	if os.Getenv("CRASH") != "" {
		p := New(context.Background())
		Stage(p, Source(p, count(1)), 1,
			func(context.Context, int) (int, error) { panic("boom") })
		p.Wait()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "CRASH=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: boom")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context())
		out := Stage(p, Source(p, count(endless)), 2,
			func(_ context.Context, n int) (int, error) {
				if n == 10 {
					runtime.Goexit()
				}
				return n, nil
			})
		for range out {
		}
		if err := p.Wait(); err != ErrGoexit {
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
	Stage(New(t.Context()), make(chan int), 0, same)
}

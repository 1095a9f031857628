package batch

import (
	"context"
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
	rows := make(chan int) // from the handlers
	go func() {
		defer close(rows)
		for row := range 5 {
			rows <- row
		}
	}()
	const maxWait, grace = time.Minute, 5 * time.Second
	for ctx, batch := range By(context.Background(), rows, 2, maxWait, grace) {
		fmt.Println("INSERT", batch, ctx.Err()) // with ctx
	}
	// Output:
	// INSERT [0 1] <nil>
	// INSERT [2 3] <nil>
	// INSERT [4] <nil>
}

// A log has a line for each batch, with the time since it was made.
type log struct {
	start time.Time
	lines []string
}

func newLog() *log { return &log{start: time.Now()} }

func (l *log) add(batch []int) {
	l.lines = append(l.lines, fmt.Sprint(batch, time.Since(l.start)))
}

func (l *log) want(t *testing.T, lines ...string) {
	t.Helper()
	if !slices.Equal(l.lines, lines) {
		t.Errorf("got  %q\nwant %q", l.lines, lines)
	}
}

// send sends values, each after the pause before it, and closes ch.
func send(ch chan<- int, pauses ...time.Duration) {
	defer close(ch)
	for v, pause := range pauses {
		time.Sleep(pause)
		ch <- v
	}
}

func TestSizeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, l := make(chan int), newLog()
		go send(in, 0, 1, 1, 1, 1, 1, time.Second)
		for _, b := range By(t.Context(), in, 3, time.Hour, 0) {
			l.add(b)
		}
		l.want(t, "[0 1 2] 2ns", "[3 4 5] 5ns", "[6] 1.000000005s")
	})
}

func TestMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, l := make(chan int), newLog()
		// 1 comes just in time and 2 just too late.
		go send(in, time.Hour, time.Second-1, 2, time.Hour)
		for _, b := range By(t.Context(), in, 9, time.Second, 0) {
			l.add(b)
		}
		l.want(t, "[0 1] 1h0m1s", "[2] 1h0m2.000000001s",
			"[3] 2h0m1.000000001s")
	})
}

// A value that came while the body was busy does not wait anew.
func TestMaxWaitCountsTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, l := make(chan int, 9), newLog()
		in <- 0
		go func() {
			time.Sleep(1100 * time.Millisecond)
			in <- 1 // during the body, which takes 400 ms
			time.Sleep(850 * time.Millisecond)
			in <- 2
			time.Sleep(time.Minute)
			close(in)
		}()
		for _, b := range By(t.Context(), in, 9, time.Second, 0) {
			l.add(b)
			time.Sleep(400 * time.Millisecond)
		}
		l.want(t, "[0] 1s", "[1 2] 2s")
	})
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, l := make(chan int), newLog()
		go send(in, 1000*time.Hour)
		for _, b := range By(t.Context(), in, 9, time.Nanosecond, 0) {
			l.add(b)
		}
		l.want(t, "[0] 1000h0m0s")
	})
}

func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, l := make(chan int, 4), newLog()
		go send(in, 0, 0, 0, 0, 0, 0, 0, 0, 0, time.Hour)
		synctest.Wait() // the channel is full, and 4 waits
		for _, b := range By(t.Context(), in, 4, time.Second, 0) {
			l.add(b)
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		l.want(t, "[0 1 2 3] 0s", "[4 5 6 7] 1m0s", "[8] 2m0s", "[9] 1h1m0s")
	})
}

func TestClosed(t *testing.T) {
	in := make(chan int, 9)
	send(in, make([]time.Duration, 5)...)
	l := newLog()
	for _, b := range By(t.Context(), in, 3, time.Hour, 0) {
		l.lines = append(l.lines, fmt.Sprint(b))
	}
	l.want(t, "[0 1 2]", "[3 4]")
	for _, b := range By(t.Context(), in, 3, time.Hour, 0) {
		t.Error(b)
	}
}

func TestCtxDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		in, l := make(chan int, 9), newLog()
		go func() {
			time.Sleep(4 * time.Second)
			in <- 0
			in <- 1
			<-ctx.Done()
			in <- 2
		}()
		for _, b := range By(ctx, in, 9, time.Hour, 0) {
			l.add(b)
		}
		l.want(t, "[0 1] 5s")
		synctest.Wait()
		for _, b := range By(ctx, in, 9, time.Hour, 0) {
			t.Error(b)
		}
		if len(in) != 1 {
			t.Error(len(in), "values stayed")
		}
	})
}

func TestLastBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ctx, cancel := context.WithCancel(
			context.WithValue(t.Context(), key{}, "kept"))
		in := make(chan int)
		go func() {
			in <- 0
			cancel()
		}()
		start, batches := time.Now(), 0
		for write := range By(ctx, in, 9, time.Hour, time.Second) {
			batches++
			if err := write.Err(); err != nil {
				t.Error(err)
			}
			if write.Value(key{}) != "kept" {
				t.Error("the context has lost its values")
			}
			<-write.Done()
			if grace := time.Since(start); grace != time.Second {
				t.Error("done after", grace)
			}
		}
		if batches != 1 {
			t.Error(batches, "batches")
		}
	})
}

// The context ends with the loop, so that it keeps nothing alive.
func TestLastBatchContextEnds(t *testing.T) {
	in := make(chan int, 1)
	in <- 1
	for write := range By(t.Context(), in, 1, 0, time.Hour) {
		defer func() {
			if write.Err() == nil {
				t.Error("still open")
			}
		}()
		break
	}
}

func TestBreak(t *testing.T) {
	in := make(chan int, 9)
	send(in, make([]time.Duration, 5)...)
	for range By(t.Context(), in, 2, time.Hour, 0) {
		break
	}
	if len(in) != 3 {
		t.Error(len(in), "values stayed")
	}
}

// A thousand goroutines send, and three loops take batches.
func TestSeveralLoops(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4 * runtime.NumCPU()))
	const senders, each = 1000, 100
	in := make(chan int, 16)
	seen := make([]atomic.Int32, senders*each)
	var sending, looping sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				in <- s*each + i
			}
		})
	}
	for range 3 {
		looping.Go(func() {
			for _, b := range By(t.Context(), in, 7, time.Microsecond, 0) {
				if len(b) > 7 {
					t.Error(len(b))
				}
				for _, v := range b {
					seen[v].Add(1)
				}
			}
		})
	}
	sending.Wait()
	close(in)
	looping.Wait()
	for v := range seen {
		if n := seen[v].Load(); n != 1 {
			t.Fatal(v, "is in", n, "batches")
		}
	}
}

func TestRefuses(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	By(t.Context(), make(chan int), 0, 0, 0)
}

package fanout

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	metrics := New[string](1000)
	ctx := context.Background()
	file := metrics.Attach(ctx, 100,
		func(_ context.Context, batch []string, missed uint64) error {
			fmt.Println("file:", batch, missed)
			return nil
		})
	metrics.Record("requests 1")
	metrics.Record("requests 2")
	metrics.Close()
	metrics.Wait()
	written, failed, missed, _ := file.Counts()
	fmt.Println(written, failed, missed)
	// Output:
	// file: [requests 1 requests 2] 0
	// 2 0 0
}

// A log is a sink that keeps its batches, and takes so long for each.
type log struct {
	took    time.Duration
	batches [][]int
	missed  uint64
	err     error
}

func (l *log) write(ctx context.Context, batch []int, missed uint64) error {
	l.batches = append(l.batches, slices.Clone(batch))
	l.missed += missed
	select {
	case <-time.After(l.took):
	case <-ctx.Done():
	}
	return l.err
}

func record(t *testing.T, f *Fanout[int], from, to int) {
	t.Helper()
	start := time.Now()
	for v := from; v < to; v++ {
		if !f.Record(v) {
			t.Error("closed")
		}
	}
	if d := time.Since(start); d != 0 {
		t.Error("Record waited", d)
	}
}

func counts(t *testing.T, s *Sink[int], written, failed, missed uint64, pending int) {
	t.Helper()
	w, f, m, p := s.Counts()
	if w != written || f != failed || m != missed || p != pending {
		t.Errorf("%d written, %d failed, %d missed, %d pending, want %d %d %d %d",
			w, f, m, p, written, failed, missed, pending)
	}
}

func end(f *Fanout[int]) {
	f.Close()
	f.Wait()
}

func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := New[int](10)
		hung := log{took: time.Hour}
		f.Attach(ctx, 1, hung.write)
		record(t, f, 0, 1)
		synctest.Wait()
		record(t, f, 0, 1000)
		cancel()
		end(f)
		if f.Record(1) {
			t.Error("recorded after Close")
		}
	})
}

func TestSlowSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New[int](4)
		slow, fast := log{took: time.Second}, log{}
		a := f.Attach(t.Context(), 10, slow.write)
		b := f.Attach(t.Context(), 10, fast.write)
		for v := range 10 {
			record(t, f, v, v+1)
			synctest.Wait()
		}
		end(f)
		if s := fmt.Sprint(slow.batches, slow.missed); s != "[[0] [6 7 8 9]] 5" {
			t.Error(s)
		}
		counts(t, a, 5, 0, 5, 0)
		counts(t, b, 10, 0, 0, 0)
		if len(fast.batches) != 10 {
			t.Error(fast.batches)
		}
	})
}

func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New[int](100)
		var l log
		f.Attach(t.Context(), 3, l.write)
		record(t, f, 0, 7)
		end(f)
		if s := fmt.Sprint(l.batches); s != "[[0 1 2] [3 4 5] [6]]" {
			t.Error(s)
		}
	})
}

func TestError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New[int](100)
		l := log{err: errors.New("bad")}
		s := f.Attach(t.Context(), 3, l.write)
		record(t, f, 0, 5)
		synctest.Wait()
		l.err = nil
		record(t, f, 5, 7)
		start := time.Now()
		end(f)
		counts(t, s, 2, 5, 0, 0)
		if d := time.Since(start); d != 0 {
			t.Error("a backoff of", d)
		}
	})
}

func TestPanic(t *testing.T) {
	for _, goexit := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := New[int](100)
			var other log
			b := f.Attach(t.Context(), 2, other.write)
			a := f.Attach(t.Context(), 2,
				func(_ context.Context, batch []int, _ uint64) error {
					if batch[0] == 2 {
						if goexit {
							runtime.Goexit()
						}
						panic("boom")
					}
					return nil
				})
			record(t, f, 0, 6)
			end(f)
			counts(t, a, 4, 2, 0, 0)
			counts(t, b, 6, 0, 0, 0)
		})
	}
}

// A thousand goroutines record, and each sample is accounted for.
func TestCounts(t *testing.T) {
	f := New[int](64)
	good := f.Attach(t.Context(), 10, func(_ context.Context, batch []int, _ uint64) error {
		runtime.Gosched()
		return nil
	})
	bad := f.Attach(t.Context(), 10, func(_ context.Context, batch []int, _ uint64) error {
		if batch[0]%3 == 0 {
			return errors.New("bad")
		}
		return nil
	})
	var recorders sync.WaitGroup
	for i := range 1000 {
		recorders.Go(func() {
			for range 20 {
				f.Record(i)
			}
		})
	}
	recorders.Wait()
	end(f)
	for _, s := range []*Sink[int]{good, bad} {
		w, failed, m, p := s.Counts()
		if w+failed+m != 20_000 || p != 0 {
			t.Error(w, failed, m, p)
		}
	}
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New[int](100)
		l := log{took: time.Second}
		s := f.Attach(t.Context(), 1, l.write)
		record(t, f, 0, 5)
		start := time.Now()
		f.Close()
		f.Wait()
		counts(t, s, 5, 0, 0, 0)
		if d := time.Since(start); d != 5*time.Second {
			t.Error("waited", d)
		}
	})
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := New[int](100)
		l := log{took: time.Hour}
		s := f.Attach(ctx, 1, l.write)
		record(t, f, 0, 5)
		synctest.Wait()
		start := time.Now()
		cancel()
		f.Wait()
		if d := time.Since(start); d != 0 {
			t.Error("waited", d)
		}
		counts(t, s, 1, 0, 4, 0)
		f.Close()
	})
}

func TestNoSinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New[int](2)
		record(t, f, 0, 10)
		var l log
		s := f.Attach(t.Context(), 2, l.write)
		record(t, f, 10, 11)
		end(f)
		counts(t, s, 1, 0, 0, 0)
	})
}

func TestBadArguments(t *testing.T) {
	for i, f := range []func(){
		func() { New[int](0) },
		func() { New[int](1).Attach(t.Context(), 0, new(log).write) },
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

package logqueue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

// A stuckDisk takes nothing after its first writes, until it is mended.
type stuckDisk struct {
	bytes.Buffer
	first           int
	writing, mended chan struct{}
}

func newStuckDisk() *stuckDisk {
	return &stuckDisk{
		writing: make(chan struct{}, 100), mended: make(chan struct{}),
	}
}

func (d *stuckDisk) Write(p []byte) (int, error) {
	d.writing <- struct{}{}
	if d.first--; d.first < 0 {
		<-d.mended
	}
	return d.Buffer.Write(p)
}

func Example() {
	disk := newStuckDisk()
	q := New(disk, 4)
	q.Log("starting")
	<-disk.writing

	for i := range 10 { // returns at once, although the disk is stuck
		q.Log(fmt.Sprint("request ", i+1))
	}
	close(disk.mended)
	fmt.Println(q.Shutdown(context.Background()))
	fmt.Print(disk.String())
	// Output:
	// <nil>
	// starting
	// (6 lines missing)
	// request 7
	// request 8
	// request 9
	// request 10
}

func want(t *testing.T, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

var errDisk = errors.New("no space left on device")

// A fullDisk fails the writes of which the number, from 1, is in full.
type fullDisk struct {
	bytes.Buffer
	writes int
	full   func(write int) bool
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.writes++; d.full(d.writes) {
		return len(p) / 2, errDisk
	}
	return d.Buffer.Write(p)
}

func TestSlowOrStuckSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newStuckDisk()
		q := New(disk, 2)
		q.Log("1")
		synctest.Wait() // it is being written
		start := time.Now()
		for i := range 10_000 {
			want(t, q.Log(fmt.Sprint(i+2)), true)
		}
		want(t, time.Since(start), time.Duration(0))
		want(t, q.Missing(), uint64(9_998))
		close(disk.mended)
		want(t, q.Shutdown(t.Context()), nil)
		want(t, disk.String(), "1\n(9998 lines missing)\n10000\n10001\n")
	})
}

func TestFailingSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &fullDisk{full: func(n int) bool { return n == 2 || n == 3 }}
		q := New(disk, 8)
		for i := range 5 {
			q.Log(fmt.Sprint(i))
			synctest.Wait() // each line is a write
		}
		want(t, q.Shutdown(t.Context()), nil)
		want(t, disk.String(), "0\n(2 lines missing)\n3\n4\n")
		want(t, q.Missing(), uint64(2))
	})
}

func TestShutdown(t *testing.T) {
	for _, c := range []struct {
		full func(write int) bool
		err  string
		log  string
	}{
		{func(int) bool { return false }, "<nil>", "0\n1\n2\n"},
		{func(n int) bool { return n == 3 }, "<nil>",
			"0\n1\n(1 lines missing)\n"}, // by a write of its own
		{func(n int) bool { return n >= 3 },
			"1 lines missing and not reported: no space left on device", "0\n1\n"},
		{func(n int) bool { return true },
			"3 lines missing and not reported: no space left on device", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			disk := &fullDisk{full: c.full}
			q := New(disk, 8)
			for i := range 3 {
				q.Log(fmt.Sprint(i))
				synctest.Wait()
			}
			for range 2 {
				want(t, fmt.Sprint(q.Shutdown(t.Context())), c.err)
			}
			want(t, disk.String(), c.log)
		})
	}
}

func TestShutdownDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newStuckDisk()
		disk.first = 1
		q := New(disk, 2)
		q.Log("written")
		synctest.Wait()
		q.Log("in hand")
		synctest.Wait()
		for range 5 {
			q.Log("line")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := q.Shutdown(ctx)
		want(t, time.Since(start), time.Second)
		want(t, err.Error(), "3 lines left: context deadline exceeded")
		want(t, errors.Is(err, context.DeadlineExceeded), true)
		close(disk.mended)
		want(t, q.Shutdown(t.Context()), nil)
	})
}

func TestAfterShutdown(t *testing.T) {
	q := New(io.Discard, 1)
	want(t, q.Shutdown(t.Context()), nil)
	want(t, q.Log("late"), false)
	want(t, q.Missing(), uint64(0))
}

// A thousand goroutines log to a sink that fails every third write.
func TestAccounts(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4 * runtime.NumCPU()))
	for _, capacity := range []int{1, 64} {
		var mended atomic.Bool
		disk := &fullDisk{full: func(n int) bool {
			return n%3 == 0 && !mended.Load()
		}}
		q := New(disk, capacity)
		const senders, each = 1000, 40
		var all sync.WaitGroup
		for range senders {
			all.Go(func() {
				for range each {
					q.Log("line")
				}
			})
		}
		all.Wait()
		mended.Store(true)
		want(t, q.Shutdown(t.Context()), nil)

		lines, missing := 0, 0
		for text := range strings.Lines(disk.String()) {
			var n int
			if _, err := fmt.Sscanf(text, "(%d lines missing)", &n); err == nil {
				missing += n
			} else {
				want(t, text, "line\n")
				lines++
			}
		}
		want(t, lines+missing, senders*each)
		want(t, uint64(missing), q.Missing())
	}
}

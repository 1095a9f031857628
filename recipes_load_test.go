package chanx_test

// What the recipes promise must hold under load and while shutting down, too:
// an example shows one orderly run, and people copy them for the others.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// crowded runs the test with more threads than cores, so that goroutines are
// preempted at any place.
func crowded(t *testing.T) {
	old := runtime.GOMAXPROCS(4 * runtime.NumCPU())
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

// inParallel calls f in eight goroutines, each times.
func inParallel(each int, f func(i int)) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range each {
				f(i)
			}
		})
	}
	all.Wait()
}

// flakySink fails every third write until it is mended.
type flakySink struct {
	strings.Builder
	writes int
	mended atomic.Bool
}

func (s *flakySink) Write(p []byte) (int, error) {
	s.writes++
	if s.writes%3 == 0 && !s.mended.Load() {
		return 0, errors.New("disk full")
	}
	return s.Builder.Write(p)
}

// The stream accounts for every line: those that are in it, and those it says
// are missing.
func TestLogQueueUnderLoad(t *testing.T) {
	crowded(t)
	for _, capacity := range []int{1, 64} {
		sink := &flakySink{}
		q := newLineQueue(sink, capacity)
		const each = 13_000
		inParallel(each, func(int) { q.Log("line") })
		sink.mended.Store(true)
		q.Log("line") // carries the last report, if the last write failed
		require.NoError(t, q.Shutdown(t.Context()))

		lines, missing := uint64(0), uint64(0)
		for text := range strings.Lines(sink.String()) {
			var n uint64
			if _, err := fmt.Sscanf(text, "(%d lines missing)", &n); err == nil {
				missing += n
				continue
			}
			assert.Equal(t, "line\n", text)
			lines++
		}
		assert.Equal(t, q.written.Load(), lines)
		assert.Equal(t, q.Missing(), missing)
		assert.EqualValues(t, 8*each+1, lines+missing)
	}
}

// Shutdown does not wait for a sink that is stuck.
func TestLogQueueStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &stuckDisk{
			writing: make(chan struct{}, 1), mended: make(chan struct{}),
		}
		q := newLineQueue(disk, 4)
		q.Log("line")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, q.Shutdown(ctx), context.DeadlineExceeded)
		close(disk.mended)
		assert.NoError(t, q.Shutdown(t.Context()))
		assert.Equal(t, "line\n", disk.String())
	})
}

// Whatever is published last is read, and nothing is read out of order.
func TestLatestValueUnderLoad(t *testing.T) {
	crowded(t)
	const last = 100_000
	latest := chanx.NewRing[progress](1)
	go func() {
		defer latest.Close()
		for i := range last {
			latest.Send(progress{i + 1, last})
		}
	}()
	seen := 0
	paint(t.Context(), latest, func(p progress) {
		assert.Greater(t, p.Done, seen)
		seen = p.Done
	})
	assert.Equal(t, last, seen)
}

// A change made before a request is seen by a load that begins after it: once
// nothing moves any more, the last change is loaded.
func TestReloadSignalUnderLoad(t *testing.T) {
	crowded(t)
	synctest.Test(t, func(t *testing.T) {
		var version, loaded atomic.Int64
		r := newReloader(func(context.Context) error {
			loaded.Store(version.Load())
			return errors.New("must not stop it")
		}, func(error) {})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		for range 100 {
			inParallel(130, func(int) {
				version.Add(1)
				r.Request()
			})
			synctest.Wait()
			assert.Equal(t, version.Load(), loaded.Load())
		}
		cancel()
		assert.ErrorIs(t, <-ended, context.Canceled)
	})
}

// Each value is in one batch, however many goroutines make batches, and in
// order within what one of them gets.
func TestBatchUnderLoad(t *testing.T) {
	crowded(t)
	const total = 100_000
	ring := chanx.NewRing[int](64)
	var got atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			last := -1
			for b := range batches(t.Context(), ring, 7, time.Microsecond) {
				assert.LessOrEqual(t, len(b), 7)
				for _, v := range b {
					assert.Greater(t, v, last)
					last = v
				}
				got.Add(int64(len(b)))
			}
		})
	}
	for v := range total {
		ring.Send(v)
	}
	ring.Close()
	all.Wait()
	assert.EqualValues(t, total, got.Load()+int64(ring.Stats().Dropped))
}

// A batch is yielded when it is full or maxWait after its first value, not a
// nanosecond earlier or later, and what is in hand survives ctx.
func TestBatchTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := chanx.NewRing[int](64)
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		go func() {
			time.Sleep(time.Hour) // idle: no empty batches
			ring.Send(1)
			time.Sleep(time.Second - 1)
			ring.Send(2) // just in time
			time.Sleep(2 * time.Nanosecond)
			ring.Send(3)
			ring.Send(4)
			ring.Send(5)
			time.Sleep(time.Second)
			ring.Send(6)
			time.Sleep(time.Millisecond)
			cancel()
			ring.Send(7) // stays
		}()
		var got []string
		for b := range batches(ctx, ring, 3, time.Second) {
			got = append(got, fmt.Sprint(b, time.Since(start)-time.Hour))
		}
		assert.Equal(t, []string{
			"[1 2] 1s", "[3 4 5] 1.000000001s", "[6] 2.001000001s",
		}, got)
		assert.Equal(t, 1, ring.Len())
	})
}

// Breaking out of a batch leaves the rest where it is.
func TestBatchBreak(t *testing.T) {
	ring := chanx.NewRing[int](8)
	for v := range 5 {
		ring.Send(v)
	}
	for range batches(t.Context(), ring, 2, time.Hour) {
		break
	}
	assert.Equal(t, 3, ring.Len())
}

// What cannot work is refused before anything starts: a batch of none would
// spin.
func TestRecipesRefuse(t *testing.T) {
	ring := chanx.NewRing[int](1)
	for name, f := range map[string]func(){
		"no batch":   func() { batches(t.Context(), ring, 0, time.Second) },
		"no intake":  func() { newIntake(0) },
		"no lines":   func() { newLineQueue(io.Discard, 0) },
		"no backlog": func() { startConsumer(0, nil, chanx.RestartPolicy{}) },
	} {
		assert.Panics(t, f, name)
	}
}

// askers returns backends that answer after that many seconds.
func askers(seconds ...int) (backends []func(context.Context) (int, error)) {
	for _, s := range seconds {
		backends = append(backends, func(ctx context.Context) (int, error) {
			select {
			case <-time.After(time.Duration(s) * time.Second):
				return s, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		})
	}
	return backends
}

func TestFanInDeadline(t *testing.T) {
	for _, c := range []struct {
		backends []int
		want     []int
		took     time.Duration
	}{
		{nil, nil, 0},
		{[]int{2, 1}, []int{1, 2}, 2 * time.Second},
		{[]int{1, 9, 3}, []int{1, 3}, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			start := time.Now()
			var got []int
			for a := range askAll(ctx, askers(c.backends...)) {
				if a.Err == nil {
					got = append(got, a.Value)
				}
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.took, time.Since(start))
		})
	}
}

// An answer that comes while the loop body is busy is not lost, not even if
// the body is busy past the deadline.
func TestFanInSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var got []int
		for a := range askAll(ctx, askers(1, 2, 4, 3600)) {
			if a.Err == nil {
				got = append(got, a.Value)
			}
			time.Sleep(2500 * time.Millisecond)
		}
		assert.Equal(t, []int{1, 2, 4}, got)
	})
}

// The first answer wins, and the others are told to stop: the bubble would
// not end before they did.
func TestFanInBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for a := range askAll(t.Context(), askers(3600, 1)) {
			assert.Equal(t, answer[int]{1, 1, nil}, a)
			break
		}
		synctest.Wait()
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// Every 202 is a job that is done, and every other answer is one that is not.
func TestShedLoadUnderLoad(t *testing.T) {
	crowded(t)
	in := newIntake(4)
	var accepted, refused, did atomic.Int64
	var working sync.WaitGroup
	for range 2 {
		working.Go(func() {
			in.work(t.Context(), func(string) {
				if did.Add(1) == 1000 {
					in.close() // while others post
				}
			})
		})
	}
	inParallel(1000, func(int) {
		w := httptest.NewRecorder()
		in.ServeHTTP(w, httptest.NewRequest("POST", "/", http.NoBody))
		switch w.Code {
		case http.StatusAccepted:
			accepted.Add(1)
		case http.StatusServiceUnavailable:
			refused.Add(1)
		}
	})
	in.close()
	working.Wait()
	assert.Equal(t, accepted.Load(), did.Load())
	assert.EqualValues(t, 8000, accepted.Load()+refused.Load())
}

func TestShedLoadUnreadable(t *testing.T) {
	in := newIntake(1)
	for want, body := range map[int]io.Reader{
		http.StatusRequestEntityTooLarge: strings.NewReader(
			strings.Repeat("x", maxJob+1)),
		http.StatusBadRequest: io.MultiReader(strings.NewReader("half"),
			brokenReader{}),
	} {
		w := httptest.NewRecorder()
		in.ServeHTTP(w, httptest.NewRequest("POST", "/", body))
		assert.Equal(t, want, w.Code)
	}
	assert.Zero(t, in.jobs.Len())
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) {
	return 0, io.ErrUnexpectedEOF
}

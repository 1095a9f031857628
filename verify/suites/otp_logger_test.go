package suites

// erlang/otp, lib/kernel/test/logger_std_h_SUITE.erl: bad_input, write_failure,
// op_switch_to_sync_file, op_switch_to_drop_file, op_switch_to_flush_file,
// qlen_kill_new, mem_kill_new, restart_after, handler_requests_under_load; and
// logger_olp_SUITE.erl: idle_timer. The handler's sync mode is the policy Wait,
// its drop mode DropNewest, its flush mode DropOldest. limit_burst has no
// counterpart; the rotation cases are asked in package asynclog.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/asynclog"
)

// reel is a sink that keeps its records, and calls a function before each.
type reel struct {
	mu     sync.Mutex
	calls  int
	bytes  []byte
	before func(call int) error
}

func (r *reel) Write(p []byte) (int, error) {
	r.mu.Lock()
	call := r.calls
	r.calls++
	r.mu.Unlock()
	if r.before != nil {
		if err := r.before(call); err != nil {
			return 0, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes = append(r.bytes, p...)
	return len(p), nil
}

func (r *reel) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// lines returns the numbers of the records, in order, without the reports.
func (r *reel) lines(t *testing.T) (numbers []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range bytes.Lines(r.bytes) {
		var n int
		if k, _ := fmt.Sscanf(string(line), "line %d\n", &n); k == 1 {
			require.Equal(t, record(n), string(line), "torn")
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func record(n int) string { return fmt.Sprintf("line %d\n", n) }

func flood(t *testing.T, w *asynclog.Writer, n int) {
	for i := range n {
		_, err := w.Write([]byte(record(i)))
		require.NoError(t, err)
	}
}

// balanced demands that everything is accounted for, to the record.
func balanced(t *testing.T, w *asynclog.Writer, n int, got []int) {
	t.Helper()
	s := w.Stats()
	require.EqualValues(t, n, s.Accepted.Records)
	require.EqualValues(t, len(got), s.Written.Records)
	require.Equal(t, s.Accepted.Records, s.Written.Records+s.Dropped.Records)
	require.Zero(t, s.Buffered.Records)
	for i := 1; i < len(got); i++ {
		require.Greater(t, got[i], got[i-1], "out of order, or twice")
	}
}

const floods = 2_000

func TestOTPSwitchToSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &reel{before: func(int) error {
			time.Sleep(10 * time.Millisecond)
			return nil
		}}
		w := asynclog.New(sink, asynclog.Options{
			Budget: 1024, Full: asynclog.Wait, MaxWait: time.Minute,
		})
		flood(t, w, floods)
		require.NoError(t, w.Close())
		got := sink.lines(t)
		require.Len(t, got, floods)
		balanced(t, w, floods, got)
	})
}

// stuck is a sink that hangs in its first call until released.
func stuck() (sink *reel, release chan struct{}) {
	release = make(chan struct{})
	return &reel{before: func(call int) error {
		if call == 0 {
			<-release
		}
		return nil
	}}, release
}

func TestOTPSwitchToDropAndFlush(t *testing.T) {
	for name, full := range map[string]asynclog.FullPolicy{
		"drop": asynclog.DropNewest, "flush": asynclog.DropOldest,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink, release := stuck()
				w := asynclog.New(sink, asynclog.Options{Budget: 4096, Full: full})
				_, err := w.Write([]byte(record(0)))
				require.NoError(t, err)
				synctest.Wait() // the sink has it, and hangs
				start := time.Now()
				for i := 1; i < floods; i++ {
					_, err := w.Write([]byte(record(i)))
					require.NoError(t, err)
				}
				require.Zero(t, time.Since(start), "a caller had to wait")
				require.LessOrEqual(t, w.Stats().HighWater, 4096)
				close(release)
				require.NoError(t, w.Close())
				got := sink.lines(t)
				require.Greater(t, len(got), 50)
				require.Less(t, len(got), floods/2)
				balanced(t, w, floods, got)
				require.Zero(t, got[0])
				if full == asynclog.DropOldest {
					require.Equal(t, floods-1, got[len(got)-1], "the latest news")
					require.Equal(t, len(got)-2, got[len(got)-1]-got[1], "one gap")
				} else {
					require.Equal(t, len(got)-1, got[len(got)-1], "what led there")
				}
			})
		})
	}
}

// OTP kills a handler whose queue or memory grows too large. Here neither can:
// the memory is taken at the start, whatever is thrown at it.
func TestOTPMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const budget = 1 << 20
		sink, release := stuck()
		w := asynclog.New(sink, asynclog.Options{Budget: budget})
		flood(t, w, 1_000)
		before := heap()
		line := bytes.Repeat([]byte("x"), 1_000)
		for range 20_000 { // twenty times the budget
			_, err := w.Write(line)
			require.NoError(t, err)
		}
		require.Less(t, heap(), before+budget/4)
		require.LessOrEqual(t, w.Stats().HighWater, budget)
		close(release)
		require.NoError(t, w.Close())
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestOTPRestartAfter(t *testing.T) {
	for name, crash := range map[string]func(){
		"panic":  func() { panic("sink") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &reel{before: func(call int) error {
					if call == 1 || call == 3 {
						crash()
					}
					return nil
				}}
				w := asynclog.New(sink, asynclog.Options{Unbatched: true})
				flood(t, w, 10)
				require.NoError(t, w.Close())
				got := sink.lines(t)
				require.Len(t, got, 10)
				balanced(t, w, 10, got)
				require.EqualValues(t, 2, w.Stats().Restarts)
			})
		})
	}
}

func TestOTPWriteFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errDisk := errors.New("no space left")
		sink := &reel{before: func(call int) error {
			if call < 5 {
				return errDisk
			}
			return nil
		}}
		w := asynclog.New(sink, asynclog.Options{})
		flood(t, w, 10)
		time.Sleep(time.Hour)
		require.NoError(t, w.Close())
		got := sink.lines(t)
		require.Len(t, got, 10)
		balanced(t, w, 10, got)
		require.EqualValues(t, 5, w.Stats().SinkErrors)
		require.ErrorIs(t, w.Stats().LastError, errDisk)
	})
}

// During a flood Stats returns at once, and Flush when its records are written.
func TestOTPRequestsUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &reel{before: func(int) error {
			time.Sleep(time.Millisecond)
			return nil
		}}
		w := asynclog.New(sink, asynclog.Options{Budget: 4096})
		over := make(chan struct{})
		var producers sync.WaitGroup
		for p := range 4 {
			producers.Go(func() {
				for i := 0; ; i++ {
					if _, err := chanx.TryRecv(over); err == chanx.ErrClosed {
						return
					}
					_, _ = w.Write([]byte(record(p*1_000_000 + i)))
					time.Sleep(10 * time.Microsecond)
				}
			})
		}
		for range 50 {
			s := w.Stats()
			require.Equal(t, s.Accepted.Records,
				s.Written.Records+s.Dropped.Records+s.Buffered.Records)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.NoError(t, w.Flush(ctx))
			cancel()
		}
		close(over)
		producers.Wait()
		require.NoError(t, w.Close())
		require.NotZero(t, w.Stats().Dropped.Records)
	})
}

func TestOTPIdleTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &reel{}
		w := asynclog.New(sink, asynclog.Options{})
		flood(t, w, 3)
		time.Sleep(time.Second)
		calls := sink.count()
		require.Equal(t, []int{0, 1, 2}, sink.lines(t))
		time.Sleep(24 * time.Hour)
		require.Equal(t, calls, sink.count(), "an idle sink is called")
		require.Zero(t, w.Stats().Stalls)
		flood(t, w, 1)
		time.Sleep(time.Second)
		require.Equal(t, []int{0, 1, 2, 0}, sink.lines(t))
		require.NoError(t, w.Close())
	})
}

func TestOTPBadInput(t *testing.T) {
	require.Panics(t, func() { asynclog.New(nil, asynclog.Options{}) })
	for _, opts := range []asynclog.Options{
		{Budget: 1}, {Budget: -1}, {Full: 7}, {MaxWait: -1},
		{CloseTimeout: -1}, {Budget: 1024, Reserve: 1024},
	} {
		require.Panics(t, func() { asynclog.New(&reel{}, opts) }, "%+v", opts)
	}
	w := asynclog.New(&reel{}, asynclog.Options{})
	n, err := w.Write(nil)
	gives(t, 0, nil)(n, err)
	require.NoError(t, w.Close())
	n, err = w.Write([]byte("late\n"))
	gives(t, 0, chanx.ErrClosed)(n, err)
}

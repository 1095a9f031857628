package asynclog

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/internal/race"
)

// records is what each configuration of the flood tests writes in all. For a
// long run: go test ./asynclog -run Concurrent -records 20000000
var records = flag.Int("records", 120_000, "records per flood test")

// crowded runs the test with more processors than the machine has, so that a
// goroutine can be stopped anywhere.
func crowded(t *testing.T) {
	old := runtime.GOMAXPROCS(4 * runtime.NumCPU())
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

func TestConcurrentFloodIsAccountedForToTheRecord(t *testing.T) {
	crowded(t)
	for _, budget := range []int{400, 4096, 1 << 20} {
		for full := DropOldest; full <= Wait; full++ {
			for _, producers := range []int{2, 64} {
				name := fmt.Sprintf("%d/%d/%d", budget, full, producers)
				t.Run(name, func(t *testing.T) {
					flood(t, Options{Budget: budget, Full: full, Reserve: -1,
						Report: ReportJSON, CloseTimeout: time.Hour}, producers)
				})
			}
		}
	}
}

func flood(t *testing.T, opts Options, producers int) {
	n := *records / producers
	if race.Enabled || testing.Short() {
		n /= 10
	}
	s := &tape{do: partly(uint64(producers), nil)}
	w := New(s, opts)
	l := newLedger(producers)
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { // the law holds at every instant, not only at the end
		var last Stats
		for {
			st := w.Stats()
			lawful(t, st)
			assert.GreaterOrEqual(t, st.Written.Records, last.Written.Records)
			assert.LessOrEqual(t, st.HighWater, opts.Budget)
			last = st
			select {
			case <-stop:
				return
			default:
				runtime.Gosched()
			}
		}
	})
	l.flood(t, w, n, 0)
	close(stop)
	watch.Wait()
	require.NoError(t, w.Close())
	l.settle(t, w, []byte(s.String()))
	require.EqualValues(t, n*producers, w.Stats().Accepted.Records)
}

func TestConcurrentAThousandGoroutinesWriteWhileItIsClosed(t *testing.T) {
	crowded(t)
	for full := DropOldest; full <= Wait; full++ {
		for range 3 {
			s := &tape{}
			w := New(s, Options{Budget: 1 << 16, Full: full, Report: ReportJSON, CloseTimeout: time.Hour})
			l := newLedger(1000)
			var wg sync.WaitGroup
			var running atomic.Int64
			for p := range l.producers {
				wg.Go(func() {
					running.Add(1)
					for {
						if err := l.write(w, p); err != nil {
							assert.ErrorIs(t, err, chanx.ErrClosed)
							return
						}
						runtime.Gosched() // a Write does not: the others' turn
					}
				})
			}
			for running.Load() < 1000 {
				runtime.Gosched()
			}
			require.NoError(t, w.Close())
			wg.Wait()
			l.settle(t, w, []byte(s.String()))
			require.EqualValues(t, 1000, w.Stats().Refused.Records)
		}
	}
}

func TestConcurrentFlushCloseAndStatsAmongWrites(t *testing.T) {
	crowded(t)
	for round := range 200 {
		s := &tape{do: partly(uint64(round), nil)}
		w := New(s, Options{Budget: 2048, Report: ReportJSON, CloseTimeout: time.Hour})
		l := newLedger(4)
		var wg sync.WaitGroup
		for p := range l.producers {
			wg.Go(func() {
				for i := range 100 {
					if l.write(w, p) != nil {
						return
					}
					if i%10 == 0 {
						before := l.producers[p].accepted.Load()
						assert.NoError(t, w.Flush(t.Context()))
						st := w.Stats()
						assert.GreaterOrEqual(t, st.Written.Records+st.Dropped.Records, before)
					}
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				lawful(t, w.Stats())
				if round%2 == 0 {
					assert.NoError(t, w.Close())
				}
			})
		}
		wg.Wait()
		require.NoError(t, w.Close())
		l.settle(t, w, []byte(s.String()))
	}
}

func TestConcurrentASinkThatDoesEverythingWrong(t *testing.T) {
	crowded(t)
	errs := partly(3, errSink)
	s := &tape{do: func(call int, p []byte) (int, error) {
		switch call % 50 {
		case 7:
			panic(errSink)
		case 17:
			runtime.Goexit()
		case 27:
			time.Sleep(20 * time.Millisecond)
		}
		return errs(call, p)
	}}
	w := New(s, Options{Budget: 1 << 15, Report: ReportJSON, CloseTimeout: time.Minute,
		StallAfter: 10 * time.Millisecond})
	l := newLedger(8)
	l.flood(t, w, 100, 100*time.Microsecond)
	require.NoError(t, w.Close())
	l.settle(t, w, []byte(s.String()))
	st := w.Stats()
	t.Logf("%d sink errors, %d restarts, %d stalls", st.SinkErrors, st.Restarts, st.Stalls)
	require.NotZero(t, st.SinkErrors)
}

func TestConcurrentErrorsSurviveAFloodOfInfo(t *testing.T) {
	crowded(t)
	gate := make(hung)
	s := &tape{do: func(_ int, p []byte) (int, error) { return gate.Write(p) }}
	w := New(s, Options{Budget: 1 << 16, Report: ReportJSON, CloseTimeout: time.Hour})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 10_000 {
				_, _ = w.WriteLeveled(slog.LevelInfo, line190())
				if i%1000 == 0 {
					_, _ = w.WriteLeveled(slog.LevelError, []byte("an error\n"))
				}
			}
		})
	}
	wg.Wait()
	st := w.Stats()
	lawful(t, st)
	require.NotZero(t, st.DroppedByLevel.Info)
	require.Zero(t, st.DroppedByLevel.Error)
	close(gate)
	require.NoError(t, w.Close())
	require.Equal(t, 160, countOf(s.String(), "an error\n"))
}

func TestConcurrentShutdownsAgree(t *testing.T) {
	h := make(hung)
	defer close(h)
	w := New(h, Options{})
	_, _ = w.Write([]byte("stuck\n"))
	var results [8]error
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*10*time.Millisecond)
			defer cancel()
			results[i] = w.Shutdown(ctx)
		})
	}
	wg.Wait()
	for _, err := range results {
		var left *UnwrittenError
		require.True(t, errors.As(err, &left))
		require.Equal(t, results[0], err)
		require.Equal(t, Count{1, 6}, left.Left)
	}
}

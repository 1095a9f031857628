package asynclog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"io"
	"log"
	"log/slog"
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
	"example.com/chanx/internal/race"
)

var errSink = errors.New("no space left on device")

var jsonReports = Options{Report: ReportJSON}

// small is a Writer that is soon full.
func small(full FullPolicy) Options {
	return Options{Budget: 4096, Full: full, Reserve: -1, Report: ReportJSON}
}

func TestWriterWritesWhatWasAcceptedInOrder(t *testing.T) {
	s := &tape{}
	w := New(s, Options{})
	log.New(w, "", 0).Print("one")
	_, _ = io.WriteString(w, "two\n")
	n, err := w.Write([]byte("three\n"))
	require.NoError(t, err)
	require.Equal(t, 6, n)
	n, err = w.Write(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, w.Close())
	require.Equal(t, "one\ntwo\nthree\n", s.String())
	st := w.Stats()
	require.Equal(t, Count{3, 14}, st.Accepted, "an empty Write is no record")
	require.Equal(t, st.Accepted, st.Written)
	lawful(t, st)
}

func TestWriterCopiesItsArgument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{}
		w := New(s, Options{})
		p := []byte("mine\n")
		_, _ = w.Write(p)
		copy(p, "gone")
		require.NoError(t, w.Close())
		require.Equal(t, "mine\n", s.String())
	})
}

func TestNewPanicsAtTheDoor(t *testing.T) {
	for name, f := range map[string]func(){
		"asynclog: nil sink":              func() { New(nil, Options{}) },
		"asynclog: Budget of 255 bytes":   func() { New(io.Discard, Options{Budget: 255}) },
		"asynclog: Budget of -1 bytes":    func() { New(io.Discard, Options{Budget: -1}) },
		"asynclog: unknown FullPolicy(3)": func() { New(io.Discard, Options{Full: 3}) },
		"asynclog: MaxWait < 0":           func() { New(io.Discard, Options{MaxWait: -1}) },
		"asynclog: CloseTimeout < 0":      func() { New(io.Discard, Options{CloseTimeout: -1}) },
		"asynclog: Reserve takes all of the Budget": func() {
			New(io.Discard, Options{Budget: 1000, Reserve: 1000})
		},
		"asynclog: nil context": func() {
			w := New(io.Discard, Options{})
			defer w.Close()
			var none context.Context
			_ = w.Flush(none)
		},
	} {
		require.PanicsWithValue(t, name, f)
	}
	w := New(io.Discard, Options{})
	require.PanicsWithValue(t, "asynclog: nil context", func() {
		var none context.Context
		_ = w.Shutdown(none)
	})
	require.NoError(t, w.Close(), "the panic came before anything happened")
}

func TestWriterEveryBudgetFromTheSmallestOnWorks(t *testing.T) {
	for budget := minBudget; budget < 3000; budget += 111 {
		for full := DropOldest; full <= DropNewest; full++ {
			s := &tape{}
			w := New(s, Options{Budget: budget, Full: full, Report: ReportJSON})
			l := newLedger(1)
			wrote := 0
			for range 200 {
				if err := l.write(w, 0); err == nil {
					wrote++
				} else {
					require.ErrorIs(t, err, ErrTooLarge)
				}
			}
			require.NoError(t, w.Close())
			l.settle(t, w, []byte(s.String()))
			require.NotZero(t, wrote)
		}
	}
}

func TestWriterARecordThatCanNeverFitIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for full := DropOldest; full <= Wait; full++ {
			s := &tape{}
			w := New(s, Options{Budget: 8192, Full: full})
			n, err := w.Write(make([]byte, 8192))
			require.ErrorIs(t, err, ErrTooLarge)
			require.Zero(t, n)
			fits := bytes.Repeat([]byte("x"), 8192*3/5)
			_, err = w.Write(fits)
			require.NoError(t, err, full)
			require.NoError(t, w.Close())
			require.True(t, strings.HasSuffix(s.String(), "\n"+string(fits)))
			require.Contains(t, s.String(), "refused as too large: 1 records, 8192")
			st := w.Stats()
			require.Equal(t, Count{1, 8192}, st.Refused)
			require.EqualValues(t, 1, st.Accepted.Records)
			lawful(t, st)
		}
	})
}

func TestWriterThreeQuartersOfTheDefaultBudgetFit(t *testing.T) {
	for full := DropOldest; full <= Wait; full++ {
		s := &tape{}
		w := New(s, Options{Full: full, Budget: 1 << 20})
		_, err := w.Write(make([]byte, 700<<10))
		require.NoError(t, err, full)
		require.NoError(t, w.Close())
	}
}

func TestWriterWriteAfterCloseReturnsAnError(t *testing.T) {
	w := New(io.Discard, Options{})
	require.NoError(t, w.Close())
	for range 2 {
		n, err := w.Write([]byte("late\n"))
		require.ErrorIs(t, err, chanx.ErrClosed)
		require.Zero(t, n)
	}
	require.Equal(t, Count{2, 10}, w.Stats().Refused)
	require.NoError(t, w.Close(), "idempotent")
	require.NoError(t, w.Shutdown(context.Background()))
	require.NoError(t, w.Flush(context.Background()))
}

func TestWriterNoAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	line := line190()
	for _, stalled := range []bool{false, true} {
		for full := DropOldest; full <= DropNewest; full++ {
			h := make(hung)
			var sink io.Writer = h
			if !stalled {
				sink = io.Discard
			}
			w := New(sink, Options{Full: full, Budget: 1 << 16})
			for range 1000 {
				_, _ = w.Write(line)
			}
			n := testing.AllocsPerRun(1000, func() {
				_, _ = w.Write(line)
				_, _ = w.WriteLeveled(slog.LevelError, line)
			})
			// The worker's reports are not the callers'.
			if stalled {
				assert.Zero(t, n, "stalled, policy %d", full)
			} else {
				assert.Less(t, n, 1.0, "well, policy %d", full)
			}
			close(h)
			require.NoError(t, w.Close())
		}
	}
}

func TestWriterPartialWritesAreResumedExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(20) {
			s := &tape{do: partly(seed, errSink)}
			opts := Options{Report: ReportJSON, CloseTimeout: time.Hour,
				Unbatched: seed%5 == 0}
			w := New(s, opts)
			l := newLedger(1)
			for i := range 300 {
				require.NoError(t, l.write(w, 0))
				if i%40 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			require.NoError(t, w.Close())
			r := l.settle(t, w, []byte(s.String()))
			require.EqualValues(t, 300, r.records.Records)
			require.NotZero(t, w.Stats().SinkErrors)
		}
	})
}

func TestWriterASinkErrorKeepsTheBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var works atomic.Bool
		s := &tape{do: func(_ int, p []byte) (int, error) {
			if !works.Load() {
				return 0, errSink
			}
			return len(p), nil
		}}
		w := New(s, jsonReports)
		l := newLedger(1)
		for range 100 {
			require.NoError(t, l.write(w, 0))
		}
		time.Sleep(time.Hour)
		st := w.Stats()
		require.EqualValues(t, 100, st.Buffered.Records)
		require.ErrorIs(t, st.LastError, errSink)
		require.Len(t, st.Errors, keepErrors)
		// At most a second apart, so not fewer, and not a busy loop.
		require.InDelta(t, 3600, float64(st.SinkErrors), 20)
		works.Store(true)
		time.Sleep(maxPause)
		synctest.Wait()
		require.EqualValues(t, 100, w.Stats().Written.Records)
		require.NoError(t, w.Close())
		l.settle(t, w, []byte(s.String()))
	})
}

// A count that cannot be is a mistake in counting: the same bytes are not written
// forever.
func TestWriterSinkThatMiscounts(t *testing.T) {
	for name, n := range map[string]int{"too many": 1 << 30, "negative": -1, "none": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got bytes.Buffer
				sink := sinkFunc(func(p []byte) (int, error) {
					got.Write(p)
					return n, nil
				})
				w := New(sink, Options{Unbatched: true})
				start := time.Now()
				for i := range 20 {
					_, _ = w.Write(numbered(0, i))
				}
				require.NoError(t, w.Close())
				require.Zero(t, time.Since(start), "no pauses")
				require.Equal(t, 20, strings.Count(got.String(), "\n"))
				st := w.Stats()
				require.EqualValues(t, 20, st.Written.Records)
				require.EqualValues(t, 20, st.SinkErrors)
				require.ErrorIs(t, st.LastError, errMiscounted)
			})
		})
	}
}

// With an error, too many bytes are all of them, and fewer than none are none.
func TestWriterSinkThatMiscountsAndFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		sink := sinkFunc(func(p []byte) (int, error) {
			got = append(got, string(p))
			switch len(got) {
			case 1:
				return -5, errSink
			case 2:
				return 99, errSink
			}
			return len(p), nil
		})
		w := New(sink, Options{})
		_, _ = w.Write([]byte("a\n"))
		time.Sleep(time.Second)
		_, _ = w.Write([]byte("b\n"))
		require.NoError(t, w.Close())
		require.Equal(t, []string{"a\n", "a\n", "b\n"}, got)
	})
}

func TestWriterDropOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, small(DropOldest))
		l := newLedger(1)
		require.NoError(t, l.write(w, 0))
		synctest.Wait() // in the hands of the sink: not to be dropped
		for range 1000 {
			require.NoError(t, l.write(w, 0))
		}
		st := w.Stats()
		lawful(t, st)
		require.NotZero(t, st.Dropped.Records)
		require.LessOrEqual(t, st.Buffered.Bytes, uint64(4096))
		require.LessOrEqual(t, st.HighWater, 4096)
		close(gate)
		require.NoError(t, w.Close())
		r := l.settle(t, w, []byte(s.String()))
		require.Equal(t, "p0 n0", r.order[0])
		require.Equal(t, "report", r.order[1], "where it happened")
		require.Equal(t, "p0 n1000", r.order[len(r.order)-1], "the latest news")
		require.Equal(t, 1, r.reports)
	})
}

func TestWriterDropNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, small(DropNewest))
		l := newLedger(1)
		for range 1000 {
			require.NoError(t, l.write(w, 0))
		}
		lawful(t, w.Stats())
		close(gate)
		time.Sleep(reportEvery)
		synctest.Wait()
		require.Equal(t, w.Stats().Accepted,
			w.Stats().Written.plus(w.Stats().Dropped), "idle")
		require.True(t, strings.HasPrefix(lastLine(s.String()), "{"),
			"a loss is reported when idle, without another record")
		require.NoError(t, l.write(w, 0))
		require.NoError(t, w.Close())
		r := l.settle(t, w, []byte(s.String()))
		require.Equal(t, []string{"p0 n0", "p0 n1"}, r.order[:2])
		require.Equal(t, []string{"report", "p0 n1000"}, r.order[len(r.order)-2:])
	})
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

func TestWriterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(_ int, p []byte) (int, error) {
			time.Sleep(10 * time.Millisecond) // slow, but well
			return len(p), nil
		}}
		opts := small(Wait)
		opts.CloseTimeout = time.Hour
		w := New(s, opts)
		l := newLedger(8)
		l.flood(t, w, 200, 0)
		require.NoError(t, w.Close())
		r := l.settle(t, w, []byte(s.String()))
		require.EqualValues(t, 1600, r.records.Records, "every record is written")
	})
}

func TestWriterWaitIsBoundedAndPaidForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		opts := small(Wait)
		opts.MaxWait = 300 * time.Millisecond
		w := New(h, opts)
		l := newLedger(1)
		start := time.Now()
		for range 1000 {
			require.NoError(t, l.write(w, 0))
		}
		require.Equal(t, opts.MaxWait, time.Since(start))
		require.NotZero(t, w.Stats().Dropped.Records)
		close(h)
		synctest.Wait()
		require.False(t, w.hopeless, "the sink has taken something")
		require.NoError(t, w.Close())
	})
}

func TestWriterCloseWakesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		opts := small(Wait)
		opts.MaxWait = time.Hour
		w := New(h, opts)
		fill(w)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := w.Write(line190())
				assert.ErrorIs(t, err, chanx.ErrClosed)
			})
		}
		synctest.Wait()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := w.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		wg.Wait()
		require.Equal(t, time.Minute, time.Since(start))
		close(h)
	})
}

// fill writes lines until one more would not fit, and lets the sink hang with
// the first of them.
func fill(w *Writer) {
	line := line190()
	_, _ = w.Write(line)
	synctest.Wait()
	for w.buf.used+190 <= w.buf.limit {
		_, _ = w.Write(line)
	}
}

func TestWriterAHangingSinkStallsOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		told := &tape{}
		w := New(h, Options{Fallback: told})
		start := time.Now()
		for range 50_000 {
			_, err := w.Write(line190())
			require.NoError(t, err)
		}
		require.Zero(t, time.Since(start), "nobody has waited")
		time.Sleep(10*time.Second - time.Nanosecond)
		require.False(t, w.Stats().Stalled)
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		st := w.Stats()
		require.True(t, st.Stalled)
		require.EqualValues(t, 1, st.Stalls)
		require.Equal(t, chanx.StateStalled, w.Supervisor().Status()[0].State)
		require.Contains(t, told.String(), "stalled")
		start = time.Now()
		err := w.Close()
		require.Equal(t, 5*time.Second, time.Since(start))
		var left *UnwrittenError
		require.ErrorAs(t, err, &left)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		st = w.Stats()
		lawful(t, st)
		require.Equal(t, st.Buffered, left.Left)
		require.Zero(t, st.Written)
		require.Equal(t, err, w.Close(), "idempotent")
		require.Contains(t, told.String(), left.Left.String())
		close(h)
	})
}

func TestWriterFailingForLongIsAStallToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var works atomic.Bool
		s := &tape{do: func(_ int, p []byte) (int, error) {
			if !works.Load() {
				return 0, errSink
			}
			return len(p), nil
		}}
		w := New(s, Options{StallAfter: 3 * time.Second})
		time.Sleep(time.Hour)
		require.Zero(t, w.Stats().Stalls, "idle is well")
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(5 * time.Second)
		require.True(t, w.Stats().Stalled)
		works.Store(true)
		time.Sleep(2 * time.Second)
		require.False(t, w.Stats().Stalled)
		require.EqualValues(t, 1, w.Stats().Stalls)
		require.NoError(t, w.Close())
	})
}

func TestWriterASinkThatPanicsOrExitsIsCalledAgain(t *testing.T) {
	for name, crash := range map[string]func(){
		"panic":  func() { panic("sink") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := &tape{}
				s := &tape{do: func(call int, p []byte) (int, error) {
					if call%3 != 2 {
						crash()
					}
					return len(p), nil
				}}
				w := New(s, Options{CloseTimeout: time.Hour, Fallback: told})
				l := newLedger(1)
				for i := range 50 {
					require.NoError(t, l.write(w, 0))
					if i%10 == 0 {
						time.Sleep(time.Minute)
					}
				}
				require.NoError(t, w.Close())
				l.settle(t, w, []byte(s.String()))
				st := w.Stats()
				require.GreaterOrEqual(t, st.Restarts, uint64(10))
				require.Error(t, st.LastError)
				require.Contains(t, told.String(), "crashed")
			})
		})
	}
}

func TestWriterARecordTheSinkCannotStandIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poison := numbered(0, 5)
		s := &tape{do: func(_ int, p []byte) (int, error) {
			if bytes.Contains(p, poison) {
				panic("poison")
			}
			return len(p), nil
		}}
		w := New(s, Options{Report: ReportJSON, CloseTimeout: time.Hour})
		l := newLedger(1)
		for range 10 {
			require.NoError(t, l.write(w, 0))
		}
		require.NoError(t, w.Close())
		r := l.settle(t, w, []byte(s.String()))
		require.Equal(t, Count{1, uint64(len(poison))}, w.Stats().Dropped)
		require.Equal(t, []string{"p0 n4", "report", "p0 n6"}, r.order[4:7])
	})
}

func TestWriterFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(_ int, p []byte) (int, error) {
			time.Sleep(time.Second)
			return len(p), nil
		}}
		w := New(s, Options{Unbatched: true})
		for range 5 {
			_, _ = w.Write([]byte("abc\n"))
		}
		start := time.Now()
		require.NoError(t, w.Flush(t.Context()))
		require.Equal(t, 5*time.Second, time.Since(start))
		require.NoError(t, w.Flush(t.Context()), "nothing to wait for")

		for range 5 {
			_, _ = w.Write([]byte("abc\n"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		go func() { // what comes later is not waited for, nor counted
			time.Sleep(time.Second)
			for range 100 {
				_, _ = w.Write([]byte("later\n"))
			}
		}()
		err := w.Flush(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var left *UnwrittenError
		require.ErrorAs(t, err, &left)
		require.Equal(t, Count{3, 12}, left.Left, "one of them is in the sink")
		require.ErrorAs(t, w.Flush(ctx), &left, "already done")
		require.Equal(t, Count{103, 612}, left.Left)
		require.NoError(t, w.Flush(t.Context()))
		require.Zero(t, w.Stats().Buffered)
		require.Empty(t, w.buf.pending)
		require.NoError(t, w.Close())
	})
}

func TestWriterFlushIncludesLossesAndTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := heldTape()
		w := New(s, Options{Budget: 4096, Report: ReportJSON, Unbatched: true})
		_, _ = w.WriteLeveled(slog.LevelError, []byte("first\n"))
		synctest.Wait()
		for i := range 100 {
			_, _ = w.WriteLeveled(slog.LevelInfo, line190())
			if i == 50 {
				_, _ = w.WriteLeveled(slog.LevelError, []byte("bad\n"))
			}
		}
		done := make(chan error, 1)
		go func() { done <- w.Flush(t.Context()) }()
		synctest.Wait()
		require.Empty(t, done)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var left *UnwrittenError
		require.ErrorAs(t, w.Flush(ctx), &left)
		require.Equal(t, w.Stats().Buffered, left.Left)
		close(gate)
		require.NoError(t, <-done)
		out := s.String()
		require.Less(t, strings.Index(out, reportMessage), strings.Index(out, "bad\n"))
		require.Contains(t, out, `"info":`)
		require.NotContains(t, out, `"error":`)
		require.NoError(t, w.Close())
	})
}

func TestWriterShutdownCountsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The sink takes ten records and a half, and then fails.
		line := []byte("0123456789\n")
		taken := 0
		s := &tape{do: func(_ int, p []byte) (int, error) {
			n := min(len(p), 10*11+5-taken)
			taken += n
			return n, errSink
		}}
		w := New(s, Options{})
		for range 100 {
			_, _ = w.Write(line)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := w.Shutdown(ctx)
		var left *UnwrittenError
		require.ErrorAs(t, err, &left)
		require.ErrorIs(t, err, errSink, "and says what the sink had to say")
		require.Equal(t, Count{90, 990}, left.Left, "the half is not written")
		require.Equal(t, Count{10, 110}, w.Stats().Written)
		calls := s.count()
		time.Sleep(time.Hour)
		require.Equal(t, calls, s.count(), "the sink is not called again")
		require.ErrorAs(t, w.Flush(t.Context()), &left)
		require.ErrorIs(t, left.Err, chanx.ErrClosed)
		require.Equal(t, Count{90, 990}, left.Left)
	})
}

func TestWriterCloseWithASinkThatRecoversInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &tape{do: func(_ int, p []byte) (int, error) {
			if time.Since(start) < time.Minute {
				return 0, errSink
			}
			return len(p), nil
		}}
		w := New(s, Options{})
		_, _ = w.Write([]byte("kept\n"))
		time.Sleep(time.Minute - time.Second)
		require.NoError(t, w.Close())
		require.LessOrEqual(t, time.Since(start), time.Minute+5*minPause,
			"a Close does not wait through a long pause")
		require.Equal(t, "kept\n", s.String())
	})
}

func TestWriterASinkThatLogsIntoItsOwnWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		s := &tape{}
		s.do = func(call int, p []byte) (int, error) {
			if call > 1000 {
				panic("it loops")
			}
			_, _ = w.Write([]byte("sink: wrote\n"))
			return len(p), nil
		}
		w = New(s, jsonReports)
		for range 10 {
			_, _ = w.Write([]byte("hello\n"))
			time.Sleep(time.Second)
		}
		require.NoError(t, w.Flush(t.Context()))
		st := w.Stats()
		require.Less(t, s.count(), echoRounds+40)
		require.Equal(t, 10, strings.Count(s.String(), "hello"))
		require.NotZero(t, strings.Count(s.String(), "sink: wrote"))
		require.NotZero(t, st.Dropped.Records)
		lawful(t, st)
		require.NoError(t, w.Close())
	})
}

func TestWriterASinkThatClosesOrFlushesItsOwnWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		s := &tape{}
		s.do = func(call int, p []byte) (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if call == 0 {
				assert.Error(t, w.Flush(ctx))
			} else {
				assert.Error(t, w.Shutdown(ctx))
			}
			return len(p), nil
		}
		w = New(s, Options{})
		_, _ = w.Write([]byte("a\n"))
		time.Sleep(time.Minute)
		_, _ = w.Write([]byte("b\n"))
		time.Sleep(time.Minute)
		require.Error(t, w.Close())
		require.Equal(t, "a\nb\n", s.String())
		require.Zero(t, w.Stats().Buffered)
	})
}

func TestWriterReportFunctionsThatFail(t *testing.T) {
	for name, report := range map[string]func(Loss) []byte{
		"panic":  func(Loss) []byte { panic("report") },
		"goexit": func(Loss) []byte { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := make(hung)
				s := &tape{do: func(_ int, p []byte) (int, error) { return h.Write(p) }}
				opts := small(DropOldest)
				opts.Report = report
				w := New(s, opts)
				for range 100 {
					_, _ = w.Write(line190())
				}
				close(h)
				require.NoError(t, w.Close())
				require.Contains(t, s.String(), reportMessage, "ReportPlain instead")
				require.Equal(t, w.Stats().Dropped, w.buf.losses.told.Count)
			})
		})
	}
}

func TestWriterUnbatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		s := &tape{do: func(_ int, p []byte) (int, error) {
			got = append(got, string(p))
			return len(p), nil
		}}
		w := New(s, Options{Unbatched: true})
		for _, r := range []string{"a\n", "b\n", "c\n"} {
			_, _ = w.Write([]byte(r))
		}
		require.NoError(t, w.Close())
		require.Equal(t, []string{"a\n", "b\n", "c\n"}, got)
	})
}

func TestStatsAsAnExpvar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call == 0 {
				return 0, errSink
			}
			return len(p), nil
		}}
		w := New(s, Options{})
		_, _ = w.Write([]byte("abc\n"))
		require.NoError(t, w.Flush(t.Context()))
		var v struct {
			Accepted, Written struct{ Records, Bytes int }
			SinkErrors        int
			LastError         string
			Errors            []struct{ Err string }
		}
		f := expvar.Func(func() any { return w.Stats() })
		require.NoError(t, json.Unmarshal([]byte(f.String()), &v), f.String())
		require.Equal(t, 4, v.Written.Bytes)
		require.Equal(t, 1, v.SinkErrors)
		require.Equal(t, errSink.Error(), v.LastError)
		require.Equal(t, errSink.Error(), v.Errors[0].Err)
		require.NoError(t, w.Close())
	})
}

func TestOptionsDefaultsAndLimits(t *testing.T) {
	o := Options{}.checked()
	require.Equal(t, 4<<20, o.Budget)
	require.Equal(t, DropOldest, o.Full)
	require.Equal(t, time.Second, o.MaxWait)
	require.Equal(t, o.Budget/5, o.Reserve)
	require.Equal(t, slog.LevelError, o.ReserveLevel)
	require.Equal(t, 5*time.Second, o.CloseTimeout)
	require.Equal(t, 10*time.Second, o.StallAfter)
	require.NotNil(t, o.Report)
	require.Zero(t, Options{Reserve: -5}.checked().Reserve)
	require.Equal(t, 1, Options{Reserve: 1}.checked().Reserve)
	level := new(slog.LevelVar)
	o = Options{ReserveLevel: level}.checked()
	level.Set(slog.LevelError)
	require.Equal(t, slog.LevelInfo, o.ReserveLevel, "read once")
	for _, good := range []Options{
		{Budget: 256}, {Budget: 256 << 20}, {Reserve: 800, Budget: 1000},
		{Full: Wait}, {MaxWait: 1}, {CloseTimeout: 1}, {StallAfter: -1},
	} {
		require.NoError(t, good.Validate(), "%+v", good)
		require.NotPanics(t, func() { good.checked() }, "%+v", good)
	}
	for _, bad := range []Options{
		{Budget: 255}, {Budget: 256<<20 + 1}, {Reserve: 1000, Budget: 1000},
		{Reserve: 999, Budget: 1000}, {Reserve: 900, Budget: 1000, Full: Wait},
		{Full: Wait + 1}, {Full: -1}, {MaxWait: -1}, {CloseTimeout: -1},
	} {
		err := bad.Validate()
		require.Error(t, err, "%+v", bad)
		require.PanicsWithValue(t, err.Error(), func() { bad.checked() })
	}
}

// A Reserve that New accepts leaves room for a record.
func TestNewChecksWhatAReserveLeaves(t *testing.T) {
	for full := DropOldest; full <= Wait; full++ {
		for _, budget := range []int{256, 300, 1000, 5000, 1 << 20} {
			for _, left := range []int{1, 64, 100, 127, 128, 129, 200, 256} {
				opts := Options{Budget: budget, Reserve: budget - left, Full: full}
				if opts.Reserve == 0 {
					opts.Reserve = -1
				}
				room := newBuffer(budget, max(opts.Reserve, 0), full == DropOldest).
					largest(0)
				if room < minRoom {
					require.Panics(t, func() { opts.checked() }, "%+v", opts)
					continue
				}
				w := New(io.Discard, opts)
				_, err := w.Write(make([]byte, minRoom))
				require.NoError(t, err)
				require.NoError(t, w.Close())
			}
		}
	}
}

func TestWriterTheLargestRecordIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for full := DropOldest; full <= Wait; full++ {
			w := New(io.Discard, Options{Budget: 8192, Full: full})
			n := w.buf.largest(0)
			_, err := w.Write(make([]byte, n))
			require.NoError(t, err)
			synctest.Wait()
			_, err = w.Write(make([]byte, n+1))
			require.ErrorIs(t, err, ErrTooLarge)
			require.NoError(t, w.Close())
			require.Equal(t, Count{1, uint64(n)}, w.Stats().Written)
		}
	})
}

// Once Shutdown has given up, the worker ends at once, whatever pause it is in.
func TestWriterShutdownEndsTheWorkerAtOnce(t *testing.T) {
	for name, do := range map[string]func(int, []byte) (int, error){
		"fails":  func(int, []byte) (int, error) { return 0, errSink },
		"panics": func(int, []byte) (int, error) { panic("sink") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := New(&tape{do: do}, Options{})
				_, _ = w.Write([]byte("x\n"))
				time.Sleep(time.Second)
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				require.Error(t, w.Shutdown(ctx))
				synctest.Wait()
				select {
				case <-w.done:
				default:
					require.Fail(t, "it goes on")
				}
			})
		})
	}
}

// A loss is told before the rest of the batch with the record that crashed the
// sink, and that is not dropped for the crashes over the report.
func TestWriterAReportThatCrashesTheSinkCostsNoRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := 0
		s := &tape{do: func(_ int, p []byte) (int, error) {
			if p[0] == '{' {
				reports++
			}
			if bytes.Contains(p, []byte("poison")) || p[0] == '{' && reports < poisonous {
				panic("sink")
			}
			return len(p), nil
		}}
		w := New(s, Options{Report: ReportJSON, CloseTimeout: time.Hour})
		for _, p := range []string{"a\n", "poison\n", "b\n"} {
			_, _ = w.Write([]byte(p))
		}
		require.NoError(t, w.Close())
		require.Regexp(t, `^a\n\{.*\}\nb\n$`, s.String())
		require.Equal(t, Count{1, 7}, w.Stats().Dropped)
	})
}

// Not even for the report of a record that was dropped meanwhile.
func TestWriterTheSinkIsNotCalledAfterShutdownHasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &tape{do: func(int, []byte) (int, error) { panic("poison") }}
		w := New(s, Options{Report: func(Loss) []byte {
			<-release
			return []byte("lost\n")
		}})
		_, _ = w.Write([]byte("a\n"))
		time.Sleep(time.Minute) // it renders the report of the loss
		calls := s.count()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, w.Shutdown(ctx))
		close(release)
		synctest.Wait()
		require.Equal(t, calls, s.count())
	})
}

// What a report takes is a sign of life, like what a batch takes.
func TestWriterAReportTakenIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(_ int, p []byte) (int, error) {
			time.Sleep(6 * time.Second)
			return len(p), nil
		}}
		opts := small(DropOldest)
		opts.CloseTimeout = time.Hour
		w := New(s, opts)
		for range 100 {
			_, _ = w.Write(line190())
		}
		require.NoError(t, w.Close())
		require.Zero(t, w.Stats().Stalls)
		require.Contains(t, s.String(), reportMessage)
	})
}

// Only the loss of a record that crashed the sink is told at once: another one
// waits until the record that is half written is whole.
func TestWriterAReportDoesNotTearARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, poison, half := newLedger(2), numbered(0, 0), false
		var w *Writer
		s := &tape{do: func(_ int, p []byte) (int, error) {
			if bytes.Contains(p, poison) {
				panic("poison")
			}
			if p[0] == '{' || half {
				return len(p), nil
			}
			half = true
			done := make(chan struct{})
			go func() {
				for range 100 {
					assert.NoError(t, l.write(w, 1))
				}
				close(done)
			}()
			<-done
			return len(p) / 2, errSink
		}}
		w = New(s, small(DropOldest))
		for range 2 {
			require.NoError(t, l.write(w, 0))
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		require.NoError(t, w.Close())
		r := l.settle(t, w, []byte(s.String()))
		require.Equal(t, []string{"report", "p0 n1", "report"}, r.order[:3])
	})
}

// What a sink has taken of a record before it crashed over the rest stays
// there, on a line of its own.
func TestWriterARecordGivenUpHalfWaySpoilsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call == 0 {
				return 3, errSink
			}
			if bytes.Contains(p, []byte("son")) {
				panic("poison")
			}
			return len(p), nil
		}}
		w := New(s, Options{Report: ReportJSON, CloseTimeout: time.Hour})
		_, _ = w.Write([]byte("poison\n"))
		_, _ = w.Write([]byte("well\n"))
		require.NoError(t, w.Close())
		require.Regexp(t, `^poi\n\{.*\}\nwell\n$`, s.String())
		require.Equal(t, Count{1, 7}, w.Stats().Dropped)
	})
}

// Nor is it a sign of life that a report was refused.
func TestWriterAReportRefusedForLongIsAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		s := &tape{do: func(call int, p []byte) (int, error) {
			if p[0] == '{' {
				return 0, errSink
			}
			return h.Write(p)
		}}
		opts := small(DropOldest)
		opts.StallAfter = 3 * time.Second
		w := New(s, opts)
		for range 100 {
			_, _ = w.Write(line190())
		}
		close(h)
		time.Sleep(5 * time.Second)
		require.True(t, w.Stats().Stalled)
		require.Error(t, w.Close())
	})
}

// A sink that fails between two crashes has made no progress.
func TestStepErrorsBetweenTheCrashesDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crashes := 0
		s := &tape{do: func(call int, p []byte) (int, error) {
			switch {
			case !strings.HasPrefix(string(p), "poison"):
				return len(p), nil
			case call%2 == 0:
				return 0, errSink
			}
			crashes++
			panic("poison")
		}}
		w := New(s, small(DropOldest))
		_, _ = w.Write([]byte("poison\n"))
		require.NoError(t, w.Flush(t.Context()))
		require.Equal(t, poisonous, crashes)
		require.NoError(t, w.Close())
	})
}

func TestWriterAReportTakenInPartsIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(hung) // until the flood is over: something must be lost
		s := &tape{do: func(_ int, p []byte) (int, error) {
			<-gate
			return min(len(p), 50), nil
		}}
		w := New(s, small(DropOldest))
		l := newLedger(1)
		l.flood(t, w, 100, 0)
		close(gate)
		require.NoError(t, w.Close())
		require.NotZero(t, l.settle(t, w, []byte(s.String())).reports)
	})
}

func TestWriterOnlyTheFirstShutdownDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		h := make(hung)
		w := New(h, Options{})
		_, _ = w.Write([]byte("x\n"))
		first := w.Close()
		require.ErrorIs(t, first, context.DeadlineExceeded)
		require.Equal(t, first, w.Shutdown(cancelled))
		close(h)
		synctest.Wait()
		require.Equal(t, first, w.Close(), "though all was written in the end")

		w = New(io.Discard, Options{})
		require.NoError(t, w.Close())
		for range 20 { // whichever of two things it sees first
			require.NoError(t, w.Shutdown(cancelled))
		}
	})
}

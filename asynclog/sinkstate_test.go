package asynclog

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// closedOn returns what Close says of a sink that hangs, and lets go of it.
func closedOn(t *testing.T, w *Writer, h hung) error {
	t.Helper()
	defer close(h)
	var left *UnwrittenError
	require.ErrorAs(t, w.Close(), &left)
	return left.Sink
}

// failsThen is a sink whose first call fails and whose third hangs.
func failsThen(h hung, second func(p []byte) (int, error)) *tape {
	return &tape{do: func(call int, p []byte) (int, error) {
		switch call {
		case 0:
			return 0, errSink
		case 1:
			return second(p)
		}
		return h.Write(p)
	}}
}

// A stall leaves its time behind, like everything else that goes wrong.
func TestSinkStateKeepsAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{StallAfter: time.Second})
		defer w.Close()
		synctest.Wait()
		_, _ = w.Write([]byte("x\n"))
		start := time.Now()
		time.Sleep(2 * time.Second)
		close(h)
		time.Sleep(time.Hour)
		s := w.Stats()
		require.False(t, s.Stalled)
		require.Len(t, s.Errors, 1)
		require.ErrorIs(t, s.LastError, chanx.ErrStalled)
		require.WithinRange(t, s.Errors[0].At, start, start.Add(2*time.Second))
		require.Zero(t, s.StalledSince)
	})
}

// A sink that fails without end pushes its stall out of Errors, but the time
// when that was noticed stays.
func TestSinkStateStalledSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		w := New(s, Options{StallAfter: time.Second, CloseTimeout: time.Second})
		start := time.Now()
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(3 * time.Second)
		since := w.Stats().StalledSince
		require.WithinRange(t, since, start.Add(time.Second), start.Add(2*time.Second))
		time.Sleep(time.Hour)
		stats := w.Stats()
		require.Equal(t, since, stats.StalledSince)
		for _, e := range stats.Errors {
			require.Equal(t, errSink, e.Err)
		}
		_ = w.Close()
	})
}

// The sink's last error is not hidden by the stalls that follow from it,
// however many.
func TestSinkStateCurrentIsTheSinksOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call == 0 {
				return 0, errSink
			}
			return h.Write(p)
		}}
		w := New(s, Options{CloseTimeout: time.Second})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Second)
		for range 2 * keepErrors {
			w.observe(chanx.Event{Kind: chanx.EventStall,
				Exit: chanx.Exit{Err: chanx.ErrStalled}})
		}
		require.Equal(t, errSink, closedOn(t, w, h))
	})
}

func TestSinkStateAStallAloneIsNoErrorOfTheSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{StallAfter: time.Second})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(2 * time.Second)
		require.True(t, w.Stats().Stalled)
		require.NoError(t, closedOn(t, w, h))
	})
}

func TestSinkStateCurrentIsForgottenWithTheNextSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(failsThen(h, func(p []byte) (int, error) { return len(p), nil }),
			Options{})
		for range 2 {
			_, _ = w.Write([]byte("x\n"))
			time.Sleep(time.Second)
		}
		require.NoError(t, closedOn(t, w, h))
	})
}

// A panic has its stack in Stats and where it is unwrapped, but is one line
// wherever it is told.
func TestSinkStateAPanicIsToldOnOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := &tape{do: func(int, []byte) (int, error) { panic("sink") }}
		w := New(s, Options{Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Second)
		err := w.Close()
		var p *chanx.PanicError
		require.ErrorAs(t, err, &p)
		require.NotEmpty(t, p.Stack)
		require.NotContains(t, err.Error(), "\n")
		require.Contains(t, err.Error(), "panic: sink")
		synctest.Wait()
		require.Equal(t, "asynclog: the sink crashed: panic: sink\n",
			told.String()[:strings.Index(told.String(), "\n")+1])
		require.Equal(t, 3, strings.Count(told.String(), "\n"), told.String())
	})
}

func TestSinkStateKeepsTheLastErrorsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs []error
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call < keepErrors+3 {
				errs = append(errs, fmt.Errorf("error %d", call))
				return 0, errs[call]
			}
			return len(p), nil
		}}
		w := New(s, Options{})
		start := time.Now()
		_, _ = w.Write([]byte("x\n"))
		require.NoError(t, w.Flush(t.Context()))
		st := w.Stats()
		require.Len(t, st.Errors, keepErrors)
		for i, e := range st.Errors {
			require.Equal(t, errs[i+3], e.Err)
			require.True(t, e.At.After(start))
			start = e.At
		}
		require.Equal(t, errs[keepErrors+2], st.LastError)
		require.NoError(t, w.Close())
	})
}

// The pause between two calls doubles up to a second, and is short again once
// something was taken, and while somebody waits for the end.
func TestSinkStatePauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Time
		s := &tape{do: func(call int, p []byte) (int, error) {
			calls = append(calls, time.Now())
			switch {
			case call == 10:
				return 1, errSink
			case call == 14:
				return len(p), nil
			}
			return 0, errSink
		}}
		w := New(s, Options{CloseTimeout: 200 * time.Millisecond, StallAfter: -1})
		_, _ = w.Write([]byte("xyz\n"))
		time.Sleep(time.Minute)
		_, _ = w.Write([]byte("xyz\n"))
		time.Sleep(time.Minute)
		require.Error(t, w.Close())
		synctest.Wait() // Close has given up, and the worker ends by itself
		var pauses []time.Duration
		for i := range len(calls) - 1 {
			pauses = append(pauses, calls[i+1].Sub(calls[i])/time.Millisecond)
		}
		require.Equal(t, []time.Duration{10, 20, 40, 80, 160, 320, 640, 1000, 1000,
			1000, 10, 20, 40, 80}, pauses[:14])
		require.Equal(t, []time.Duration{10, 20, 40, 80}, pauses[15:19])
		n := len(pauses)
		require.Equal(t, []time.Duration{50, 50, 50}, pauses[n-3:])
	})
}

func TestSinkStateIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var does func(p []byte) (int, error)
		told := &tape{}
		opts := Options{Fallback: told, StallAfter: 2 * time.Second}
		opts.Report = func(Loss) []byte { panic("no\nreport") }
		w := New(&tape{do: func(_ int, p []byte) (int, error) { return does(p) }}, opts)
		write := func(d func(p []byte) (int, error), want ...string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			does = d
			before := told.String()
			_, _ = w.Write([]byte("x\n"))
			time.Sleep(time.Minute)
			got := strings.TrimPrefix(told.String(), before)
			require.Equal(t, strings.Join(want, ""), got)
		}
		well := func(p []byte) (int, error) { return len(p), nil }
		since := func() string { return time.Now().Add(time.Minute).Format(time.TimeOnly) }
		write(well)
		n := 0
		at := since()
		write(func(p []byte) (int, error) {
			if n++; n < 4 {
				return 0, errSink
			}
			return len(p), nil
		}, "asynclog: the sink fails: no space left on device\n",
			"asynclog: the sink works again, after 3 errors since "+at+
				" (2 more not shown)\n")
		write(func(p []byte) (int, error) {
			time.Sleep(15 * time.Second) // another line may be told by then
			return len(p), nil
		}, "asynclog: the sink has stalled: no progress for 2s\n",
			"asynclog: the sink makes progress again\n")
		_, err := w.Write(make([]byte, 5<<20))
		require.ErrorIs(t, err, ErrTooLarge)
		time.Sleep(time.Minute) // the panic of Report may be told before it
		synctest.Wait()
		require.Contains(t, told.String(), "too large")
		does = well
		w.mu.Lock()
		w.buf.drop([]byte("y\n"), newMark(2, classUnknown))
		w.mu.Unlock()
		require.NoError(t, w.Flush(t.Context()))
		synctest.Wait()
		require.Equal(t, "asynclog: Options.Report: panic: no; report",
			lastLine(told.String()))
		require.NoError(t, w.Close())
	})
}

// To ask what is to be done next is no call of the sink that went well.
func TestSinkStateAPauseIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		w := New(s, Options{Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		for range 100 {
			time.Sleep(time.Second)
			w.mu.Lock()
			require.EqualValues(t, w.sinkState.errors, w.sinkState.run)
			require.ErrorIs(t, w.sinkState.current, errSink)
			w.mu.Unlock()
		}
		require.NotContains(t, told.String(), "works again")
		require.ErrorIs(t, w.Close(), errSink)
	})
}

// A panic after an error is not the success that ends the trouble.
func TestSinkStateACrashIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(failsThen(h, func([]byte) (int, error) { panic("sink") }),
			Options{})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, w.sinkState.run)
		require.IsType(t, (*chanx.PanicError)(nil), closedOn(t, w, h))
	})
}

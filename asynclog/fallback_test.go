package asynclog

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFallback_is_rate_limited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{do: func(int, []byte) (int, error) { return 0, errSink }}
		told := &tape{}
		w := New(s, Options{Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		synctest.Wait()
		require.Contains(t, told.String(), errSink.Error(), "at once")
		time.Sleep(time.Hour)
		lines := strings.Count(told.String(), "\n")
		require.LessOrEqual(t, lines, 3600/10+1)
		require.GreaterOrEqual(t, lines, 3600/12)
		require.Contains(t, told.String(), "more not shown")
		require.Error(t, w.Close())
		require.Contains(t, lastLine(told.String()), "not written: 1 records, 2 bytes")
	})
}

func TestFallback_that_hangs_panics_or_exits_harms_nobody(t *testing.T) {
	h := make(hung)
	for name, f := range map[string]func(){
		"hangs": func() { <-h },
		"panic": func() { panic("fallback") },
		"exit":  runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h = make(hung)
				s := &tape{do: func(call int, p []byte) (int, error) {
					if call < 20 {
						return 0, errSink
					}
					return len(p), nil
				}}
				told := &tape{do: func(_ int, p []byte) (int, error) {
					f()
					return len(p), nil
				}}
				w := New(s, Options{Fallback: told})
				_, _ = w.Write([]byte("x\n"))
				time.Sleep(time.Minute)
				require.NoError(t, w.Close())
				require.Equal(t, "x\n", s.String())
				if name == "hangs" {
					require.Equal(t, 1, told.count(), "not called again")
				} else {
					require.Greater(t, told.count(), 1)
				}
				close(h)
			})
		})
	}
}

func TestFallback_close_waits_for_it_but_not_for_long(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		w := New(h, Options{Fallback: h, CloseTimeout: time.Second})
		_, _ = w.Write([]byte("x\n"))
		start := time.Now()
		require.Error(t, w.Close())
		require.Equal(t, 1100*time.Millisecond, time.Since(start))
		close(h)
	})
}

func TestFallback_gets_an_error_of_many_lines_on_one(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := &tape{do: func(call int, p []byte) (int, error) {
			return len(p), errors.Join(errSink, errSink)
		}}
		w := New(s, Options{Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		require.NoError(t, w.Close())
		synctest.Wait()
		require.Equal(t, fmt.Sprintf("asynclog: the sink fails: %v; %v\n",
			errSink, errSink), told.String())
	})
}

// What is not told because the last line has not been taken yet counts, too.
func TestFallback_counts_what_it_did_not_take(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		told := &tape{do: func(_ int, p []byte) (int, error) { return h.Write(p) }}
		f := newFallback(told)
		f.tell("one")
		time.Sleep(2 * tellEvery)
		f.tell("two")
		close(h)
		synctest.Wait()
		f.tell("three")
		synctest.Wait()
		require.Equal(t, "asynclog: one\nasynclog: three (1 more not shown)\n",
			told.String())
	})
}

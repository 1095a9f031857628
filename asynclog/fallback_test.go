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

func TestFallbackIsRateLimited(t *testing.T) {
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

// The result of Close is the last line about the sink, even if the worker
// reports the end of its last call after that. A record that is lost since is
// still told.
func TestFallbackEndsWithTheResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told, h := &tape{}, make(hung)
		defer close(h)
		w := New(h, Options{Fallback: told, CloseTimeout: time.Second})
		_, _ = w.Write([]byte("x\n"))
		require.Error(t, w.Close())
		w.fallback.tellState(func() string { return "the sink fails" })
		_, _ = w.Write([]byte("y\n"))
		time.Sleep(time.Hour)
		lines := strings.Split(told.String(), "\n")
		require.Contains(t, lines[len(lines)-3], "not written: 1 records")
		require.Contains(t, lines[len(lines)-2], "written after Close")
	})
}

func TestFallbackThatHangsPanicsOrExitsHarmsNobody(t *testing.T) {
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

func TestFallbackCloseWaitsForItButNotForLong(t *testing.T) {
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

func TestFallbackGetsAnErrorOfManyLinesOnOne(t *testing.T) {
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

// A line that was not told, because the last one was not taken yet or it was too
// early, is told when it can be, unless a later one takes its place.
func TestFallbackKeepsTheLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hung)
		told := &tape{do: func(_ int, p []byte) (int, error) { return h.Write(p) }}
		f := newFallback(told)
		f.say("one")
		time.Sleep(2 * tellEvery)
		state := func(line string) { f.tellState(func() string { return line }) }
		state("two")
		state("three")
		synctest.Wait()
		require.Zero(t, told.String(), "it hangs")
		close(h)
		synctest.Wait()
		require.Equal(t, "asynclog: one\nasynclog: three (1 more not shown)\n",
			told.String())
		state("four")
		time.Sleep(tellEvery - time.Nanosecond)
		synctest.Wait()
		require.Equal(t, "asynclog: three (1 more not shown)", lastLine(told.String()))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, "asynclog: four", lastLine(told.String()))
		f.say("five")
		f.finish(nil, time.Second)
		require.Equal(t, "asynclog: five", lastLine(told.String()), "before its time")
		start := time.Now()
		f.finish(nil, time.Second)
		require.Zero(t, time.Since(start))
		require.Equal(t, 4, strings.Count(told.String(), "\n"))
	})
}

// What is no state of the sink stays beside it, as far as there is room.
func TestFallbackHoldsAFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		f := newFallback(told)
		f.say("first")
		for i := range 3 {
			f.say(fmt.Sprint("lost ", i))
			f.tellState(func() string { return fmt.Sprint("state ", i) })
		}
		f.say("late")
		time.Sleep(tellEvery)
		synctest.Wait()
		require.Equal(t, "asynclog: first\nasynclog: lost 1\nasynclog: lost 2\n"+
			"asynclog: state 2\nasynclog: late (3 more not shown)\n", told.String())
	})
}

// A failure that was told is not the last word once the sink has recovered.
func TestFallbackTellsOfARecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call == 0 {
				return 0, errSink
			}
			return len(p), nil
		}}
		w := New(s, Options{Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		time.Sleep(tellEvery - time.Millisecond)
		require.Contains(t, lastLine(told.String()), "the sink fails")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.Contains(t, lastLine(told.String()), "works again")
		require.NoError(t, w.Close())
		require.NotContains(t, told.String(), "asynclog: asynclog:")
	})
}

// A Close does not leave the recovery untold, however early it is.
func TestFallbackTellsOfARecoveryBeforeClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		s := &tape{do: func(call int, p []byte) (int, error) {
			if call == 0 {
				return 0, errSink
			}
			return len(p), nil
		}}
		w := New(s, Options{Fallback: told})
		_, _ = w.Write([]byte("x\n"))
		require.NoError(t, w.Close())
		require.Contains(t, lastLine(told.String()), "works again")
	})
}

// A terminal must not be at the mercy of an error's text.
func TestFallbackEscapesControlCharacters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &tape{}
		f := newFallback(told)
		f.say("asynclog: a\r\x1b[31mb\x00\u0085\u202e\xff\nc\té")
		f.finish(nil, time.Second)
		require.Equal(t, `asynclog: a\r\x1b[31mb\x00\u0085\u202e?; c\té`+"\n",
			told.String())
		f.say(strings.Repeat("x", 1<<20))
		f.finish(nil, time.Second)
		require.Less(t, len(lastLine(told.String())), fallbackLine+100)
	})
}

// The error of a sink is made into text only for somebody.
func TestFallbackMakesNoTextForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		f := newFallback(&tape{})
		line := func() string { made++; return "x" }
		f.tell(line)
		f.tell(line)
		f.tell(line)
		synctest.Wait()
		require.Equal(t, 1, made)
		f = nil
		f.tell(line)
		f.finish(line, time.Second)
		require.Equal(t, 1, made)
	})
}

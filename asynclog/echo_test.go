package asynclog

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// deep calls f with so many frames between.
//
//go:noinline
func deep(frames int, f func()) int {
	if frames == 0 {
		f()
		return 0
	}
	return 1 + deep(frames-1, f)
}

func TestEcho_is_seen_from_any_depth_of_the_sink(t *testing.T) {
	// What is looked for may be at any place of the first 64 frames, and first
	// or last of them.
	all := []int{0, 130, 1000}
	for frames := 50; frames < 70; frames++ {
		all = append(all, frames)
	}
	for _, frames := range all {
		t.Run(fmt.Sprint(frames), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w *Writer
				s := &tape{}
				s.do = func(call int, p []byte) (int, error) {
					if call > 100 {
						panic("it loops")
					}
					deep(frames, func() { _, _ = w.Write([]byte("sink\n")) })
					return len(p), nil
				}
				w = New(s, Options{})
				_, _ = w.Write([]byte("hello\n"))
				synctest.Wait()
				require.Equal(t, "hello\nsink\n", s.String())
				require.EqualValues(t, 1, w.Stats().Dropped.Records)
				require.NoError(t, w.Close())
			})
		})
	}
}

// A Writer that feeds another one calls it from within a call of a sink, too,
// but that is no echo.
func TestEcho_is_not_what_another_writer_writes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		second := New(s, Options{})
		first := New(second, Options{})
		for n := range 20 {
			_, _ = first.Write(fmt.Appendf(nil, "%d\n", n))
			synctest.Wait() // the second one's sink has a line in hand
			if n > 0 {
				s.step()
			}
		}
		require.Zero(t, second.Stats().Dropped)
		require.NoError(t, first.Close())
		s.end(t, second)
		require.Equal(t, 20, strings.Count(s.String(), "\n"))
	})
}

// Whoever looks whether it is an echo does so without the lock.
func TestEcho_others_may_write_and_close_meanwhile(t *testing.T) {
	s, gate := heldTape()
	w := New(s, Options{})
	_, _ = w.Write([]byte("held\n"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				w.mu.Lock()
				_ = w.inCall()
				w.mu.Unlock()
				_, _ = w.Write([]byte("x\n"))
			}
		})
	}
	all.Wait()
	close(gate)
	require.NoError(t, w.Close())
	require.EqualValues(t, 16_001, w.Stats().Written.Records)
}

func TestEcho_looking_allocates_nothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	w := New(&tape{}, Options{})
	defer w.Close()
	deep(100, func() {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			w.mu.Lock()
			require.False(t, w.inCall())
			w.mu.Unlock()
		}))
	})
}

// A sink that tells about each call does so not for ever: also the second and
// the tenth time.
func TestEcho_each_batch_has_one(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		s := &tape{}
		s.do = func(call int, p []byte) (int, error) {
			_, _ = w.Write([]byte("sink\n"))
			return len(p), nil
		}
		w = New(s, Options{Full: DropNewest})
		for n := range 10 {
			_, _ = w.Write([]byte("hello\n"))
			synctest.Wait()
			require.Equal(t, n+1, strings.Count(s.String(), "hello\n"))
			// The loss is told with what comes next, not by itself; its
			// report is a call more.
			require.Equal(t, 2*n+1, strings.Count(s.String(), "sink\n"))
			require.Equal(t, n, strings.Count(s.String(), reportMessage))
		}
		require.NoError(t, w.Flush(t.Context()))
		require.Equal(t, 10, strings.Count(s.String(), reportMessage), "at a Flush")
		_, _ = w.Write([]byte("hello\n"))
		synctest.Wait()
		before := strings.Count(s.String(), reportMessage)
		require.NoError(t, w.Close())
		require.Equal(t, before+1, strings.Count(s.String(), reportMessage), "at Close")
		require.Equal(t, w.Stats().Dropped, w.buf.losses.told)
	})
}

// What another goroutine writes meanwhile will call the sink anyway, so the
// sink may write, too.
func TestEcho_is_not_what_finds_others_there(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		s := &tape{}
		s.do = func(call int, p []byte) (int, error) {
			if call == 1 { // with an echo in hand
				done := make(chan struct{})
				go func() {
					_, _ = w.Write([]byte("other\n"))
					close(done)
				}()
				<-done
			}
			if call < 2 {
				_, _ = w.Write([]byte("sink\n"))
			}
			return len(p), nil
		}
		w = New(s, Options{})
		_, _ = w.Write([]byte("hello\n"))
		synctest.Wait()
		require.Equal(t, "hello\nsink\nother\nsink\n", s.String())
		require.NoError(t, w.Close())
	})
}

// A loss that is to be told stays so when an echo is dropped, too.
func TestEcho_does_not_hide_another_loss(t *testing.T) {
	w := New(&tape{}, Options{})
	echo := func() {
		goid(&w.self)
		w.echoing = true
		require.True(t, w.echoes([]byte("x\n"), newMark(2, classUnknown)))
	}
	w.mu.Lock()
	echo()
	require.True(t, w.buf.losses.quiet)
	echo()
	require.True(t, w.buf.losses.quiet, "nothing else was lost")
	w.buf.losses.quiet = false
	echo()
	require.False(t, w.buf.losses.quiet)
	w.mu.Unlock()
	require.NoError(t, w.Close())
}

func TestEcho_goroutines_have_names(t *testing.T) {
	var a, b [goidLen]byte
	goid(&a)
	goid(&b)
	require.Equal(t, a, b)
	require.Regexp(t, `^goroutine [0-9]+ \[\x00+$`, string(a[:]))
	done := make(chan struct{})
	go func() {
		goid(&b)
		close(done)
	}()
	<-done
	require.NotEqual(t, a, b)
}

// In a flood the stack is looked at now and then, not for every batch, and
// from the next quiet moment on it is again.
func TestEcho_is_asked_for_seldom_in_a_flood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStepped()
		w := New(s, Options{})
		asked := 0
		for range 1000 {
			_, _ = w.Write([]byte("x\n"))
			synctest.Wait() // in the hands of the sink; nothing waits
			w.mu.Lock()
			if w.calling && w.unasked == 0 {
				asked++
			}
			w.mu.Unlock()
			_, _ = w.Write([]byte("x\n"))
			s.step()
		}
		require.Greater(t, asked, 10)
		require.Less(t, asked, 40)
		for w.Stats().Buffered.Records > 0 {
			s.step()
		}
		require.Zero(t, w.seldom+w.unasked)
		s.end(t, w)
	})
}

// A sink that feeds itself while others write is cut short when they stop.
func TestEcho_ends_after_a_flood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *Writer
		s := &tape{}
		const flood = 500 // calls, at each of which somebody else is first
		s.do = func(call int, p []byte) (int, error) {
			if call < flood {
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, _ = w.Write([]byte("other\n"))
				}()
				<-done
			}
			if call > 2*flood {
				panic("it loops")
			}
			_, _ = w.Write([]byte("sink\n"))
			return len(p), nil
		}
		w = New(s, Options{})
		_, _ = w.Write([]byte("hello\n"))
		synctest.Wait()
		require.Less(t, s.count(), flood+maxUnasked+5)
		require.NoError(t, w.Close())
	})
}

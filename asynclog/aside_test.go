package asynclog

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/race"
)

// A Write does not wait for a goroutine that has lost its processor with the
// lock in its hands.
func TestAsideWriteDoesNotWaitForTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{}
		w := New(s, Options{})
		synctest.Wait() // idle
		w.mu.Lock()
		for i := range 10 {
			n, err := w.Write(fmt.Appendf(nil, "%d\n", i))
			require.NoError(t, err)
			require.Equal(t, 2, n)
		}
		require.Zero(t, w.buf.accepted)
		w.unlock()
		w.mu.Lock() // and not w.lock, which would see them
		require.EqualValues(t, 10, w.buf.accepted.Records, "at once")
		w.mu.Unlock()
		synctest.Wait()
		require.Equal(t, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", s.String(),
			"and it has woken the worker")
		require.NoError(t, w.Close())
	})
}

// What comes next goes behind what is aside.
func TestAsideKeepsTheOrderOfAGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{}
		w := New(s, Options{})
		w.mu.Lock()
		_, _ = w.Write([]byte("1\n"))
		w.mu.Unlock() // and not w.unlock, which would see it
		_, _ = w.Write([]byte("2\n"))
		require.EqualValues(t, 2, w.Stats().Accepted.Records)
		require.NoError(t, w.Close())
		require.Equal(t, "1\n2\n", s.String())
	})
}

// It is bounded, with room for errors at last; then a Write waits for the lock.
func TestAsideIsBounded(t *testing.T) {
	var a aside
	line := line190()
	const limit = 50_000
	n := 0
	for a.add(line, newMark(190, classInfo), limit) {
		n++
	}
	size := int(a.newest.Load().size())
	require.Less(t, size, 300)
	require.Equal(t, limit/2/size, n)
	for a.add(line, newMark(190, classError)|urgent, limit) {
		n++
	}
	require.Equal(t, limit/size, n)
	for r := a.take(nil); r != nil; r = r.older {
		n--
	}
	require.Zero(t, n)
	require.Zero(t, a.bytes.Load())
	require.True(t, a.add(line, newMark(190, classInfo), limit))
}

// The limit includes the memory that a short record takes in addition to its
// bytes.
func TestAsideBoundsTheMemoryOfShortRecords(t *testing.T) {
	var a aside
	const limit = 1 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for a.add([]byte("\n"), newMark(1, classUnknown), limit) {
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(limit))
	runtime.KeepAlive(&a)
}

// A flood past a lock that is held again and again uses the same memory.
func TestAsideDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("sync.Pool drops things at random")
	}
	h := make(hung)
	w := New(h, Options{})
	line := line190()
	w.mu.Lock()
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		for range 10 {
			_, _ = w.Write(line)
		}
		w.fold()
		w.release()
		w.mu.Lock()
	}))
	w.unlock()
	close(h)
	require.NoError(t, w.Close())
}

// The memory of a long record is not kept.
func TestAsideFreesLongRecords(t *testing.T) {
	w := New(&tape{}, Options{})
	w.mu.Lock()
	_, _ = w.Write(bytes.Repeat([]byte("x"), maxSpare+1))
	_, _ = w.Write([]byte("short\n"))
	w.fold()
	require.Len(t, w.spent.p, len("short\n"))
	require.Nil(t, w.spent.older.p)
	require.Nil(t, w.spent.older.older)
	w.release()
	require.NoError(t, w.Close())
}

func TestAsideThatIsFullLosesNothing(t *testing.T) {
	s := &tape{}
	w := New(s, Options{Budget: 64 << 10})
	w.mu.Lock()
	done := make(chan struct{})
	const lines = 100 // of which the last ones wait
	go func() {
		defer close(done)
		for range lines {
			_, _ = w.Write(line190())
		}
	}()
	for w.mu.state.Load() < lockWaiter {
		runtime.Gosched()
	}
	w.unlock()
	<-done
	require.NoError(t, w.Close())
	require.EqualValues(t, lines, w.Stats().Written.Records)
}

// What is aside when Close begins is written; later a Write waits for the lock,
// and gets its error.
func TestAsideIsSealedByClose(t *testing.T) {
	s := &tape{}
	w := New(s, Options{})
	require.True(t, w.aside.add([]byte("x\n"), newMark(2, classUnknown), 1000))
	require.NoError(t, w.Close())
	require.Equal(t, "x\n", s.String())
	late := make(chan error)
	w.mu.Lock()
	go func() {
		_, err := w.Write([]byte("late\n"))
		late <- err
	}()
	for w.mu.state.Load() < lockWaiter {
		runtime.Gosched()
	}
	require.True(t, w.aside.isEmpty())
	w.unlock()
	require.Error(t, <-late)
	require.EqualValues(t, 1, w.Stats().Refused.Records)
}

// Under the policy Wait a Write waits for the lock as for room.
func TestAsideIsNotForThePolicyWait(t *testing.T) {
	w := New(&tape{}, Options{Full: Wait})
	w.mu.Lock()
	done := make(chan struct{})
	go func() {
		_, _ = w.Write([]byte("x\n"))
		close(done)
	}()
	for w.mu.state.Load() < lockWaiter {
		runtime.Gosched()
	}
	require.True(t, w.aside.isEmpty())
	w.mu.Unlock()
	<-done
	require.NoError(t, w.Close())
}

// Many goroutines, a lock that is held again and again for long, and every
// record is accounted for and in order.
func TestAsideUnderFire(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	s := &tape{}
	w := New(s, Options{Budget: 32 << 20, Reserve: -1, Report: ReportJSON})
	const producers, each = 16, 2000
	l := newLedger(producers)
	stop := make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			w.lock()
			for range 20 {
				runtime.Gosched()
			}
			w.unlock()
		}
	})
	l.flood(t, w, each, 0)
	close(stop)
	holder.Wait()
	require.NoError(t, w.Close())
	r := l.settle(t, w, []byte(s.String()))
	require.EqualValues(t, producers*each, r.records.Records+
		w.Stats().Dropped.Records)
}

func TestAsideCopiesItsArgument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tape{}
		w := New(s, Options{})
		w.mu.Lock()
		p := []byte("mine\n")
		_, _ = w.Write(p)
		copy(p, bytes.Repeat([]byte("x"), 5))
		w.unlock()
		time.Sleep(time.Second)
		require.Equal(t, "mine\n", s.String())
		require.NoError(t, w.Close())
	})
}

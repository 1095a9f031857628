package chanx

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine that waits for a lock whose holder sleeps is parked in the
// runtime, where it costs no processor time. The trace says so: a goroutine
// that pauses or yields is shown as running or runnable.
func TestLockParksWaiters(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		const waiters = 16
		var l lock
		inside := 0
		l.Lock()
		all := lockers(&l, waiters, &inside)
		require.Eventually(t, func() bool { return parked() == waiters },
			time.Minute, time.Millisecond, "GOMAXPROCS %d", procs)
		assert.Zero(t, inside, "entered while the lock is held")
		l.Unlock()
		all.Wait()
		assert.Equal(t, waiters, inside)
	}
}

// lockers starts goroutines that each count themselves once inside.
func lockers(l *lock, n int, inside *int) *sync.WaitGroup {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			l.Lock()
			defer l.Unlock()
			*inside++
		})
	}
	return &all
}

// parked returns how many goroutines are parked on a mutex in lock.wait.
func parked() (n int) {
	buf := make([]byte, 1<<20)
	dump := string(buf[:runtime.Stack(buf, true)])
	for stack := range strings.SplitSeq(dump, "\n\n") {
		header, rest, _ := strings.Cut(stack, "\n")
		if strings.Contains(header, "[sync.Mutex.Lock") &&
			strings.Contains(rest, "chanx.(*lock).wait") {
			n++
		}
	}
	return n
}

// TestLockKeepsOthersOut has a critical section that another goroutine would
// notice, on more processors than there are.
func TestLockKeepsOthersOut(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	const goroutines, each = 16, 20_000
	var l lock
	var all sync.WaitGroup
	count, inside := 0, false
	for range goroutines {
		all.Go(func() {
			for i := range each {
				l.Lock()
				if inside {
					t.Error("two inside")
				}
				inside = true
				if i%1000 == 0 {
					runtime.Gosched()
				}
				inside = false
				count++
				l.Unlock()
			}
		})
	}
	all.Wait()
	assert.Equal(t, goroutines*each, count)
	assert.True(t, l.TryLock(), "left locked")
}

// A lock that is free is taken during the pauses, before anything parks.
func TestLockIsTakenAfterAPause(t *testing.T) {
	var l lock
	l.wait()
	assert.False(t, l.TryLock())
}

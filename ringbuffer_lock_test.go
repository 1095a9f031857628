package chanx

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestLockLetsEveryWaiterIn holds the lock until one waiter has given up
// trying, leads the queue and claims the lock, and long enough for it to do so
// again.
func TestLockLetsEveryWaiterIn(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		inside := waitersAfter(t, procs, 64)
		assert.Equal(t, 64, inside, "GOMAXPROCS %d", procs)
	}
}

func waitersAfter(t *testing.T, procs, waiters int) (inside int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	var l lock
	l.Lock()
	all := wanted(&l, waiters, &inside)
	for l.held.Load() == 1 {
		runtime.Gosched()
	}
	for range 100 {
		runtime.Gosched()
	}
	assert.EqualValues(t, 1+claimed, l.held.Load())
	assert.Zero(t, inside, "someone came in beside the holder")
	l.Unlock()
	all.Wait()
	assert.True(t, l.queue.TryLock(), "the queue is not left")
	assert.Zero(t, l.held.Load())
	return inside
}

// wanted starts waiters that each count themselves once inside.
func wanted(l *lock, waiters int, inside *int) *sync.WaitGroup {
	var all sync.WaitGroup
	for range waiters {
		all.Go(func() {
			l.Lock()
			defer l.Unlock()
			*inside++
		})
	}
	return &all
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
	assert.Zero(t, l.held.Load())
}

// TestLockIsNotKept has one that comes back for the lock before anybody else
// has the processor: for those that only try, it is never free.
func TestLockIsNotKept(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const waiters = 3
	var l lock
	inside := 0
	l.Lock()
	all := wanted(&l, waiters, &inside)
	for inside < waiters {
		runtime.Gosched()
		l.Unlock()
		l.Lock()
	}
	l.Unlock()
	all.Wait()
	assert.Zero(t, l.held.Load(), "a claim is left")
}

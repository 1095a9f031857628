package asynclog

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockKeepsOthersOut(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run("", func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			const goroutines, each = 16, 10_000
			l := newLock()
			var all sync.WaitGroup
			count, inside := 0, false
			for g := range goroutines {
				all.Go(func() {
					for i := range each {
						if g%4 == 0 && !l.TryLock() || g%4 != 0 {
							l.Lock()
						}
						if inside {
							t.Error("two inside")
						}
						inside = true
						if i%1000 == 0 {
							runtime.Gosched() // as if it lost its processor
						}
						inside = false
						count++
						l.Unlock()
					}
				})
			}
			all.Wait()
			require.Equal(t, goroutines*each, count)
			require.Zero(t, l.state.Load(), "no holder, no waiter")
		})
	}
}

// Every waiter gets in, though each Unlock wakes but one.
func TestLockLetsEveryWaiterIn(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run("", func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			const waiters = 64
			l := newLock()
			l.Lock()
			inside := 0
			var all sync.WaitGroup
			for range waiters {
				all.Go(func() {
					l.Lock()
					inside++
					l.Unlock()
				})
			}
			for l.state.Load() < waiters*lockWaiter {
				runtime.Gosched()
			}
			require.False(t, l.TryLock())
			require.Zero(t, inside)
			l.Unlock()
			all.Wait()
			require.Equal(t, waiters, inside)
			require.Zero(t, l.state.Load())
		})
	}
}

package asynclog

import "sync/atomic"

// A lock is a mutex for sections of some fifty nanoseconds in a process with
// many more busy goroutines than processors. It must be made by newLock.
//
// A goroutine that finds it held pauses, for longer each time, and so nearly
// always gets in: the holder is late only if it has lost its processor. The
// pauses keep away from the lock, because to try it again and again takes its
// cache line from the holder. Nothing here yields: that puts a caller behind
// every goroutine that is ready to run, and with 1,024 busy ones the slowest
// call in a thousand took 110 ms. After the pauses a Write puts its record
// aside (see aside), and all others park.
//
// sync.Mutex behind the pauses is not enough. If a waiter has parked for a
// millisecond, which it has whenever the processors are busy, Unlock hands the
// mutex to it and yields its own processor, and every other caller parks, too,
// until the queue is empty. Under load it never is: in one of five runs with
// 1,024 busy goroutines one call in a hundred took 100 ms. Here Unlock only
// makes a waiter ready, which then tries like any other.
//
// The Ring of package chanx has a lock of the same kind. Packages here do not
// import each other's internals, and these lines are fewer than a package for
// both would need.
type lock struct {
	state  atomic.Int32  // 1 if held, and 2 for each waiter that parks
	wakeup chan struct{} // one token: the lock was free
}

const (
	lockHeld   = 1
	lockWaiter = 2

	// Turns of an empty loop, of which three take about a nanosecond. Pauses
	// double; the longest section is the worker's, of some five microseconds.
	//
	// With pauses of 1.3 µs in all, a flood whose sink hangs had a 99th
	// percentile of 2 µs instead of 4.9, but more records were put aside, and
	// the caller who moves them into the buffer pays: in three of four runs of
	// a busy service of 64 and 1,024 goroutines the longest call took 180 to
	// 270 ms, against at most 41 ms.
	firstPause = 1 << 5
	lastPause  = 1 << 13 // five microseconds in all
)

func newLock() lock { return lock{wakeup: make(chan struct{}, 1)} }

// Lock takes the lock.
func (l *lock) Lock() {
	if !l.state.CompareAndSwap(0, lockHeld) && !l.retry(0) {
		l.park()
	}
}

// TryLock takes the lock if it is free.
func (l *lock) TryLock() bool {
	s := l.state.Load()
	return s&lockHeld == 0 && l.state.CompareAndSwap(s, s+lockHeld)
}

// Unlock gives the lock back. It does not wait.
func (l *lock) Unlock() {
	if l.state.Add(-lockHeld) != 0 {
		l.wake()
	}
}

func (l *lock) wake() {
	if len(l.wakeup) == 0 {
		select {
		case l.wakeup <- struct{}{}:
		default:
		}
	}
}

// park counts itself as a waiter first, so that an Unlock that its tries have
// not seen leaves a token.
func (l *lock) park() {
	l.state.Add(lockWaiter)
	for !l.retry(lockWaiter) {
		<-l.wakeup
	}
}

// retry tries to take the lock between pauses, and gives up the place of a
// waiter with it.
func (l *lock) retry(place int32) bool {
	for pause := firstPause; pause <= lastPause; pause *= 2 {
		s := l.state.Load()
		if s&lockHeld == 0 && l.state.CompareAndSwap(s, s+lockHeld-place) {
			return true
		}
		for range pause {
		}
	}
	return false
}

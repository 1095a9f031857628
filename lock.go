package chanx

import "sync"

// A lock is a [sync.Mutex] for sections of a few nanoseconds. A goroutine that
// finds it held pauses, tries again, and parks after a handful of tries. The
// zero value is unlocked.
//
// Each step has a reason:
//
//   - A plain sync.Mutex parks almost at once, so a flood by more senders than
//     processors switches goroutines on nearly every call: 260 ns a Send with 64
//     senders, and 17 with the pauses.
//   - A goroutine that yields instead of pausing goes to the end of the run
//     queue. An earlier lock did: with 64 senders the slowest call in a thousand
//     took 1.5 ms, with 1,024 up to 50 ms. Worse, goroutines that yield in turn
//     keep the processor busy, and a holder that the operating system has
//     descheduled does not get it back: 28 s were measured between an
//     idle-priority holder and one other sender on one CPU.
//   - If the lock is still held after the pauses, its holder has lost its
//     processor. Only parking gives a processor back to that holder.
//
// The Lock and TryLock of the embedded mutex are the uncontended path.
type lock struct{ sync.Mutex }

// tries is how often a goroutine pauses before it parks: about 4 µs in total.
const tries = 8

func (l *lock) Lock() {
	if !l.TryLock() {
		l.wait()
	}
}

// wait locks l, which the caller has found held. Hot callers have the two lines
// of Lock written out, since the compiler inlines TryLock but not Lock, and a
// call is a tenth of a Send.
func (l *lock) wait() {
	for range tries {
		pause()
		if l.TryLock() {
			return
		}
	}
	l.Mutex.Lock()
}

// pause takes about half a microsecond on a processor of 2020 to 2026, the time
// of some thirty sections. It assumes that the holder is running and that a
// section takes nanoseconds; otherwise it wastes time, at most tries times this.
//
// A loop without memory access leaves the cache line of the lock, and most of a
// shared core, to the holder. With 500 iterations and two or more senders a Send
// takes 24 ns instead of 17, because the lock changes processors more often;
// 4,000 double the slowest call in a hundred; counts growing from 64 to 2,048
// take 35 ns. The compiler keeps an empty loop; BenchmarkFullSend would show if
// it did not.
func pause() {
	for range 2000 {
	}
}

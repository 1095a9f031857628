package chanx

import "sync"

// A lock is a [sync.Mutex] for sections of a few nanoseconds. A goroutine that
// finds it held pauses, tries again, and parks after a handful of tries. The
// zero value is unlocked.
//
// Each step has a reason:
//
//   - A bare sync.Mutex parks almost at once, so a flood by more senders than
//     processors changes goroutines on nearly every call: 260 ns a Send with 64
//     senders, and 17 with the pauses.
//   - A goroutine that yields instead of pausing goes to the end of the run
//     queue. The lock before this one did: with 64 senders its slowest call in
//     a thousand took 1.5 ms, with 1,024 up to 50 ms. Worse, goroutines that
//     yield in turn keep the processor busy, and a holder that the operating
//     system has descheduled does not get it back: 28 s were measured between
//     an idle-priority holder and one other sender on one CPU.
//   - A goroutine that still finds the lock held after the pauses has to do
//     with a holder that lost its processor. Parking is the only step that
//     gives the processor to that holder.
//
// The Lock and TryLock of the embedded mutex are the uncontended path.
type lock struct{ sync.Mutex }

// tries is how often a goroutine pauses before it parks: about 4 µs in all.
const tries = 8

func (l *lock) Lock() {
	if !l.TryLock() {
		l.wait()
	}
}

// wait locks l, which the caller has found held. Hot callers write the two
// lines of Lock out, since the compiler inlines TryLock but not Lock: a call is
// a tenth of a Send.
func (l *lock) wait() {
	for range tries {
		pause()
		if l.TryLock() {
			return
		}
	}
	l.Mutex.Lock()
}

// pause keeps the goroutine off the lock for about half a microsecond on a
// processor of 2020 to 2026, the time of some thirty sections. It assumes that
// the holder is running and that a section takes nanoseconds; if that is wrong,
// only time is lost, at most tries times this.
//
// A loop without memory access leaves the cache line of the lock, and most of a
// shared core, to the holder. 500 turns cost 24 ns a Send instead of 17 with
// two senders and more, because the lock changes processors more often; 4,000
// turns double the slowest call in a hundred; turns growing from 64 to 2,048
// cost 35 ns. The compiler keeps an empty loop; the allocation test of the
// package would not notice if it did not, BenchmarkFullSend would.
func pause() {
	for range 2000 {
	}
}

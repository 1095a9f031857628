package asynclog

import (
	"math/rand/v2"
	"time"

	"example.com/chanx"
)

// The worker is one goroutine among all those that log. If they keep the
// processors busy, and there are more of them than processors, its turns are
// rare: the scheduler stops a goroutine every ten milliseconds, and one that is
// ready then waits behind all the others. A flood fills the buffer many times
// over meanwhile. Two rules bring the worker its turn.
//
// The first costs callers nothing. A goroutine that is woken runs next on the
// processor that woke it, before all that wait. So, while records are lost, the
// worker goes to sleep after a large batch, and the next Write wakes it: it has
// its turn when that caller's time is up, however many others there are. Only a
// long call of the sink would still cost it the processor: see pieceBytes.
//
// The second is a rule for callers: in a flood, one Write in yieldEvery at most
// gives up its processor, after it has let go of the lock. It is a flood if so
// many calls came within floodTime and yieldBytes were lost. A caller that
// yields is gone for as long as all others run, a third of a second with 64
// busy goroutines, so a service that does anything but log never yields. One
// call in 2,000 does not show in the 99.9th percentile. Up to yieldJitter more
// calls go between, at random: with 2,000 exactly, goroutines that do something
// else after every hundredth line yielded in the same line of each hundred, and
// one in a thousand of those lines took 4 ms with 64 goroutines and 150 ms with
// 1,024. Now it takes 5 µs.
const (
	restTime   = 100 * time.Microsecond // at most, in case no Write comes
	restBytes  = 256 << 10              // in a turn, before it is worth a wake-up
	yieldEvery = 2000
	yieldBytes = 16 << 10
	floodTime  = 2 * time.Millisecond
	maxYields  = 2000 // until the sink takes something: it may be stuck

	yieldJitter = 1024
)

// shallRest reports whether the worker is to wait for a wake-up although there
// are records. The caller holds mu.
func (w *Writer) shallRest() bool {
	if w.turn < restBytes || w.buf.starved == 0 || w.closed {
		return false
	}
	w.turn = 0
	w.idle = true
	return true
}

// shallYield decides for a Write, once enough bytes are lost. The caller holds
// mu.
func (w *Writer) shallYield() bool {
	n := w.buf.accepted.Records
	if n < w.nextYield {
		return false
	}
	w.nextYield = n + yieldEvery + rand.Uint64N(yieldJitter)
	w.buf.starved = 1
	before := w.lastYield
	w.lastYield = time.Now()
	if w.lastYield.Sub(before) > floodTime || w.yields >= maxYields {
		return false
	}
	w.yields++
	return true
}

// nudge wakes the worker if wake says that it is idle. The caller does not hold
// mu, or the worker would find it held.
func (w *Writer) nudge(wake bool) {
	if wake {
		chanx.TrySend(w.wake, struct{}{})
	}
}

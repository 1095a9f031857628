package chanx

// To copy this file: take trysend.go and timeout.go along.

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull reports that a ring had no room and the operation does not evict.
var ErrFull = errors.New("chanx: full")

// A Ring is a bounded queue whose senders never wait: when it is full,
// [Ring.Send] evicts the oldest value. It must be made by [NewRing] or
// [NewRingFunc]; the zero value panics when it is sent to, waited for or closed.
// A Ring must not be copied.
//
// Any number of goroutines may send, receive, close and look. Every method is
// one atomic step (linearizable): values come out in the order they went in, a
// value is evicted only if the ring is full at that instant, and
//
//	Sent == Received + Dropped + Len
//
// holds in every [Ring.Stats]. Slots that were received or evicted are zeroed,
// so the ring keeps nothing alive for the garbage collector. No method
// allocates, except for the one timer of a [Ring.RecvTimeout] that waits.
//
// It is an array under a lock. That costs less than a channel, which is the
// same under the runtime's own lock and has waiting senders to care for:
// on a full ring Send takes two fifths or less of evict-and-retry on a channel,
// and it cannot evict too much. Most of that is the lock itself, taken and given
// back. A pump goroutine between two channels, as in
// eapache/channels and floatdrop/ringchan, costs ten times as much and loses
// count.
type Ring[T any] struct {
	onDrop func(T)

	// ready holds a token, or is closed. Whoever leaves a value in the ring
	// sees to it, under mu, that there is a token; whoever takes the token
	// then looks into the ring, and so passes it on if values are left. A
	// receiver that gives up while waiting has not taken the token. This is
	// what keeps two receivers from losing a wake-up, and what lets Ready be
	// used in a select beside blocked calls of Recv.
	ready chan struct{}

	mu       lock
	buf      []T
	head     int // index of the oldest value
	n        int // number of values
	closed   bool
	sent     uint64
	received uint64
	dropped  uint64
	high     int
}

// RingStats is one consistent snapshot of a [Ring]:
// Sent == Received + Dropped + Len, always.
type RingStats struct {
	Sent      uint64 // values stored; a refused one is still the caller's
	Received  uint64 // values handed to receivers
	Dropped   uint64 // values evicted by Send
	Len       int    // values in the ring now
	Cap       int    // values it can hold
	HighWater int    // largest Len there ever was
}

// NewRing returns an empty ring for up to capacity values. It panics if
// capacity < 1. The memory is taken at once: capacity times the size of a T.
func NewRing[T any](capacity int) *Ring[T] {
	return NewRingFunc[T](capacity, nil)
}

// NewRingFunc is [NewRing] with a function that is given each evicted value,
// exactly once, to count it, to release it or to send it elsewhere. It runs on
// the goroutine of the sender whose value took the place, after that value is
// in, with no lock held: it may call the ring, and what it spends is the
// sender's time. Calls by concurrent senders are concurrent and in no fixed
// order. If it panics, the panic is the sender's, and the ring is intact. A
// nil onDrop is NewRing.
func NewRingFunc[T any](capacity int, onDrop func(T)) *Ring[T] {
	if capacity < 1 {
		panic("chanx: ring capacity < 1")
	}
	return &Ring[T]{
		onDrop: onDrop,
		ready:  make(chan struct{}, 1),
		buf:    make([]T, capacity),
	}
}

// Send stores v and reports whether it did: false only after [Ring.Close],
// with v still the caller's. It never waits; if the ring is full it evicts the
// oldest value, which is counted in RingStats.Dropped and given to onDrop.
func (r *Ring[T]) Send(v T) bool {
	r.mustBeMade()
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return false
	}
	if r.n < len(r.buf) {
		r.push(v)
		r.mu.Unlock()
		return true
	}
	if r.onDrop == nil { // which saves a copy
		r.replace(v)
		r.mu.Unlock()
		return true
	}
	old := r.buf[r.head]
	r.replace(v)
	r.mu.Unlock()
	r.onDrop(old)
	return true
}

// TrySend stores v if there is room. It never waits and never evicts:
// [ErrFull] on a full ring, [ErrClosed] after Close, with v still the
// caller's.
func (r *Ring[T]) TrySend(v T) error {
	r.mustBeMade()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return ErrClosed
	case r.n == len(r.buf):
		return ErrFull
	}
	r.push(v)
	return nil
}

// TryRecv takes the oldest value if there is one. The value is the zero value
// unless the error is nil: [ErrEmpty] while the ring is open, [ErrClosed] once
// it is closed and drained.
func (r *Ring[T]) TryRecv() (v T, err error) {
	r.mu.Lock()
	if r.n == 0 {
		err = r.emptyErr()
		r.mu.Unlock()
		return v, err
	}
	v = r.buf[r.head]
	r.pop()
	r.mu.Unlock()
	return v, nil
}

// Recv takes the oldest value, waiting for one until ctx is done. The value is
// the zero value unless the error is nil.
//
//   - ctx already done: ctx.Err(); takes nothing, even if values are there.
//   - a value arriving and ctx done at the same moment: either; after
//     ctx.Err() the value is still in the ring.
//   - closed: the values still there, then [ErrClosed], also when the ring is
//     closed while waiting.
//   - nil ctx: panics.
//
// Waiting allocates nothing.
func (r *Ring[T]) Recv(ctx context.Context) (T, error) {
	if err := r.contextErr(ctx); err != nil {
		var zero T
		return zero, err
	}
	for {
		v, err := r.TryRecv()
		if err != ErrEmpty {
			return v, err
		}
		if err := r.wait(ctx); err != nil {
			return v, err
		}
	}
}

// RecvTimeout takes the oldest value, waiting for one at most d. The value is
// the zero value unless the error is nil: [ErrTimeout] or [ErrClosed].
//
//   - a value there: taken at once, whatever d is.
//   - d <= 0: tries once, as TryRecv, with ErrTimeout for ErrEmpty.
//   - a value arriving and time over at the same moment: the value.
//
// Waiting allocates its timer, as the function [RecvTimeout], and like that
// yields the processor once before it does and counts d from then.
func (r *Ring[T]) RecvTimeout(d time.Duration) (T, error) {
	v, err := r.TryRecv()
	if err != ErrEmpty {
		return v, err
	}
	if d <= 0 {
		return v, ErrTimeout
	}
	return r.recvWait(d)
}

// RecvBatch takes up to len(dst) of the oldest values in one step, waiting for
// the first one until ctx is done, and returns how many it has put into dst.
// The errors are those of [Ring.Recv], with 0. It never waits for more than
// one value. An empty dst takes nothing and returns 0 without waiting, and nil
// unless ctx is done or the ring closed and drained.
//
// It is one lock and one copy for the whole batch: with 256 values of 8 bytes,
// less than a nanosecond for each, under a tenth of a channel receive.
func (r *Ring[T]) RecvBatch(ctx context.Context, dst []T) (int, error) {
	if err := r.contextErr(ctx); err != nil {
		return 0, err
	}
	for {
		n, err := r.take(dst)
		if err != ErrEmpty {
			return n, err
		}
		if len(dst) == 0 {
			return 0, nil
		}
		if err := r.wait(ctx); err != nil {
			return 0, err
		}
	}
}

// All returns an iterator that receives values until the ring is closed and
// drained, or ctx is done; ctx.Err() tells which. Values that are there when
// ctx is done stay in the ring, as does what follows after a break. Several
// goroutines may iterate; each value goes to one of them. A nil ctx panics.
func (r *Ring[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := r.Recv(ctx)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Ready returns a channel for use in a select: it is readable whenever a value
// may be waiting, and for ever after Close. It is always the same channel.
//
//	select {
//	case <-ring.Ready():
//		v, err := ring.TryRecv() // ErrEmpty: another receiver was faster
//	case <-ctx.Done():
//	}
//
// What it gives is a token, and there is one. Whoever takes it must then
// receive from the ring, once is enough; if values are left, that puts the
// token back for the next one, as does a receive refused by a ctx that is
// done. Taking it and not looking leaves other waiting receivers asleep until
// the next Send.
func (r *Ring[T]) Ready() <-chan struct{} { return r.ready }

// Close ends sending: from now on Send returns false and TrySend ErrClosed.
// Values in the ring stay receivable; after them receivers get [ErrClosed].
// Every waiting receiver wakes up. Calling it again does nothing, and unlike a
// channel, a ring may be closed while others send.
func (r *Ring[T]) Close() {
	r.mustBeMade()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		close(r.ready)
	}
}

// Len returns the number of values in the ring at this moment.
func (r *Ring[T]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// Cap returns the number of values the ring can hold.
func (r *Ring[T]) Cap() int { return len(r.buf) }

// Stats returns all the counts as they were at one instant, at the cost of one
// uncontended lock.
func (r *Ring[T]) Stats() RingStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return RingStats{
		Sent:      r.sent,
		Received:  r.received,
		Dropped:   r.dropped,
		Len:       r.n,
		Cap:       len(r.buf),
		HighWater: r.high,
	}
}

// mustBeMade stands before what a Ring that nobody made would do in silence:
// be full at length 0, and wait for ever on its nil channel. It must come
// before the lock, which a panic would leave locked.
func (r *Ring[T]) mustBeMade() {
	if r.ready == nil {
		panic("chanx: Ring not made by NewRing")
	}
}

// contextErr refuses a ctx that is done. Its caller may have come with the
// token from Ready and will now not look into the ring: the token goes back,
// or the other receivers would sleep beside a value.
func (r *Ring[T]) contextErr(ctx context.Context) error {
	err := contextErr(ctx)
	if err != nil {
		r.mu.Lock()
		if r.n > 0 {
			r.signal()
		}
		r.mu.Unlock()
	}
	return err
}

// wait returns nil when there may be something to receive. The caller has then
// taken the token, and must look into the ring before it does anything else:
// looking at ctx first would lose a wake-up.
func (r *Ring[T]) wait(ctx context.Context) error {
	r.mustBeMade()
	done := ctx.Done()
	if done == nil {
		<-r.ready // a receive parks faster than a select that has one case
		return nil
	}
	select {
	case <-r.ready:
		return nil
	case <-done:
		return ctx.Err()
	}
}

func (r *Ring[T]) recvWait(d time.Duration) (T, error) {
	r.mustBeMade()
	runtime.Gosched()
	v, err := r.TryRecv()
	if err != ErrEmpty {
		return v, err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	for over := false; err == ErrEmpty && !over; {
		select {
		case <-r.ready:
		case <-t.C:
			over = true
		}
		v, err = r.TryRecv()
	}
	if err == ErrEmpty {
		err = ErrTimeout
	}
	return v, err
}

// The methods below are called with mu held.

// signal puts the token out, unless it is. Its length is a plain load: a full
// select for every value would be a third of the cost of Send.
func (r *Ring[T]) signal() {
	if len(r.ready) == 0 && !r.closed {
		select {
		case r.ready <- struct{}{}:
		default:
		}
	}
}

// push stores v in a ring that has room.
func (r *Ring[T]) push(v T) {
	i := r.head + r.n
	if i >= len(r.buf) { // a division for the remainder costs more
		i -= len(r.buf)
	}
	r.buf[i] = v
	r.n++
	r.sent++
	r.high = max(r.high, r.n)
	r.signal()
}

// replace stores v in a full ring, in place of the oldest value.
func (r *Ring[T]) replace(v T) {
	r.buf[r.head] = v
	r.advance(1)
	r.sent++
	r.dropped++
	r.signal()
}

// pop counts the oldest value as received and zeroes its slot, from which the
// caller has copied it: to return it would copy large values once more.
func (r *Ring[T]) pop() {
	var zero T
	r.buf[r.head] = zero
	r.advance(1)
	r.n--
	r.received++
	if r.n > 0 {
		r.signal()
	}
}

func (r *Ring[T]) advance(n int) {
	r.head += n
	if r.head >= len(r.buf) {
		r.head -= len(r.buf)
	}
}

func (r *Ring[T]) emptyErr() error {
	if r.closed {
		return ErrClosed
	}
	return ErrEmpty
}

// take locks mu itself. It is the batch form of TryRecv.
func (r *Ring[T]) take(dst []T) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == 0 {
		return 0, r.emptyErr()
	}
	n := min(len(dst), r.n)
	for got := 0; got < n; { // twice, where the values wrap around
		part := r.buf[r.head:min(r.head+n-got, len(r.buf))]
		got += copy(dst[got:], part)
		clear(part)
		r.advance(len(part))
	}
	r.n -= n
	r.received += uint64(n)
	if r.n > 0 {
		r.signal()
	}
	return n, nil
}

// A lock is a mutex for sections of a few nanoseconds, whose losers keep away
// for a while. Its zero value is free.
//
// sync.Mutex parks them: as soon as more goroutines send than there are
// processors, nearly every Send of a flood costs a change of goroutines, and
// after a millisecond the lock is handed from one to the next, so that all of
// them do. With 64 senders that is 260 ns for 38 here, and with two and a
// receiver 130 for 47. To try the mutex again and again instead, thirty times
// before each of three yields, takes 70 with 64; but the tries get in the way of
// whoever holds it (two senders: 51 for 33), and TryLock takes 3 ns more than
// this when nobody else is there. Pauses of a quarter of the length are
// twice as slow for the same reason. Waiters that park and are woken by Unlock
// are no faster, and Unlock must then know of them.
type lock struct {
	// held is 1 if somebody holds the lock, and 2 more if the first of the
	// queue claims it. With an atomic.Bool Lock is not inlined.
	held  atomic.Uint32
	queue sync.Mutex // of those that have tried in vain
}

const claimed = 2

func (l *lock) Lock() {
	if !l.held.CompareAndSwap(0, 1) {
		l.wait()
	}
}

// Unlock leaves a claim as it is. It costs what a Store would, which would let
// an Unlock without its Lock pass unseen; this one leaves no lock to be had.
func (l *lock) Unlock() { l.held.Add(^uint32(0)) }

// wait may find that the holder has lost its processor, and then must not keep
// another one from it: after a few tries it yields between them, and only the
// first of the queue tries at all. The queue is fair, and its first one is
// overtaken for a few tries only: then it claims the lock, and nobody else can
// take it when it is given back. To claim it by the clock, as sync.Mutex does,
// would fail where time is fake.
func (l *lock) wait() {
	for range 4 {
		if l.retry(0) {
			return
		}
	}
	runtime.Gosched()
	l.queue.Lock()
	free := uint32(0)
	for try := 1; !l.retry(free); try++ {
		if try == 16 {
			free = claimed
			l.held.Add(claimed)
		}
		runtime.Gosched()
	}
	l.queue.Unlock()
}

// retry tries after a pause of about a microsecond, the time of dozens of
// sections: the holder has the cache line of the lock to itself meanwhile, and
// a processor that shares its core with this one nearly all of the core.
func (l *lock) retry(free uint32) bool {
	for range 2000 {
	}
	return l.held.Load() == free && l.held.CompareAndSwap(free, 1)
}

package chanx

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"time"
	"unsafe"
)

// ErrFull reports that a ring is full and the operation does not evict.
var ErrFull = errors.New("chanx: full")

// A Ring is a bounded queue whose senders never wait: when it is full,
// [Ring.Send] evicts the oldest value. All methods may be called by any number
// of goroutines. A Ring must be made by [NewRing] or [NewRingFunc]: every method
// of the zero value panics. It must not be copied.
//
// Every method is one atomic step (linearizable): values come out in the order
// they went in, a value is evicted only if the ring is full at that instant,
// and
//
//	Sent == Received + Dropped + Len
//
// holds in every [Ring.Stats]. Received and evicted slots are zeroed, so the
// ring keeps nothing alive for the garbage collector.
//
// A Ring is an array under a lock that is held for nanoseconds, except by a
// large [Ring.RecvBatch]. A sender that finds the lock held pauses a few times,
// for 4 µs in total, and then parks until it is released. One evicting Send in
// 4,096 yields the processor after the unlock, so that a flood does not starve
// receivers. No lock is held while a method of a ctx or onDrop runs.
//
// No method allocates, except for the timer of a [Ring.RecvTimeout] that waits,
// the channel made by the first [Ring.Ready], an iterator of [Ring.All] that is
// kept in a variable, and values of more than 128 KiB. A ctx of the context
// package allocates its Done channel when a goroutine first waits for it.
//
// On a full ring Send takes less than half the time of evict-and-retry on a
// channel, and never evicts too much. A value for a parked receiver takes 1.2
// times as long as on a channel. A pump goroutine between two channels, as in
// eapache/channels and floatdrop/ringchan, costs ten times as much as a Ring
// and miscounts.
type Ring[T any] struct {
	onDrop func(T)

	// wakeup holds a token while receivers may find a value or the end. The
	// invariant that prevents lost wake-ups: while the ring holds values or is
	// closed, the token is in the channel, or a receiver has taken it and is
	// about to look, or the goroutine that is to send it is between its unlock
	// and its wake. A receiver that took the token looks before it does
	// anything else, and passes the token on if values remain. A receiver that
	// gives up has not taken it.
	//
	// The token is sent after the unlock: a receiver woken inside the section
	// finds the lock held (1.4 times a channel's hand-off instead of 1.2).
	// Hence it may be sent after Close, and the channel is never closed. Close
	// wakes one receiver, and each wakes the next.
	wakeup chan struct{}

	mu       lock
	buf      []T
	head     int // index of the oldest value
	n        int // number of values
	closed   bool
	ready    chan struct{} // made by the first Ready
	sent     uint64
	received uint64
	dropped  uint64
	high     int

	// Two rings allocated in sequence must not share a cache line: in a size
	// class of 112 bytes they do, and with a ring and a core for each of two
	// senders a Send takes 22.8 ns instead of 6.3.
	_ [16]byte
}

// turn is the number of evictions after which a Send yields. The runtime would
// otherwise deschedule a flooding goroutine while it holds the lock, and the
// others would park in sequence: the slowest call in a thousand of 64 senders
// then takes 0.5 ms instead of 3 µs. One in 1,024 adds the yield to the slowest
// calls in a thousand. Yielding after sends that evict nothing, or after
// receives, takes turns from a receiver that keeps up: 1 instead of 16 million
// values a second.
const turn = 4096

// RingStats is one consistent snapshot of a [Ring]:
// Sent == Received + Dropped + Len, always.
type RingStats struct {
	Sent      uint64 // values stored; a refused value is not counted
	Received  uint64 // values handed to receivers
	Dropped   uint64 // values evicted by Send
	Len       int    // values in the ring now
	Cap       int    // values it can hold
	HighWater int    // largest Len so far
}

// NewRing returns an empty ring for up to capacity values. It panics if
// capacity < 1 or if no address space could hold that many. The memory is
// allocated at once: capacity times the size of a T, and a cache line more if
// that is below 512 bytes.
func NewRing[T any](capacity int) *Ring[T] {
	return NewRingFunc[T](capacity, nil)
}

// NewRingFunc returns a ring as [NewRing] does, and calls onDrop exactly once
// with each evicted value: to count it, to release it, or to send it elsewhere.
//
//   - onDrop runs on the goroutine of the evicting sender, after the new value
//     is in the ring, with no lock held. The sender waits for it.
//   - Calls by concurrent senders are concurrent and in no fixed order.
//   - onDrop may call the ring. If it sends to the same full ring, that Send
//     evicts too and calls onDrop again: it recurses until the stack overflows,
//     unless onDrop stops sending.
//   - If onDrop panics, Send panics, and the ring is intact.
//   - A nil onDrop is not called.
func NewRingFunc[T any](capacity int, onDrop func(T)) *Ring[T] {
	if capacity < 1 {
		panic("chanx: ring capacity < 1")
	}
	return &Ring[T]{
		onDrop: onDrop,
		wakeup: make(chan struct{}, 1),
		buf:    makeSlots[T](capacity, "ring"),
	}
}

// makeSlots returns the slots of a ring or a broadcast. Few slots get a cache
// line more than they need: two rings of one slot, allocated in sequence and
// used on two cores, otherwise share the line of their slots, and a Send takes
// 40 ns instead of 14.
func makeSlots[T any](capacity int, of string) []T {
	defer func() {
		if recover() != nil { // a runtime error about makeslice
			panic("chanx: " + of + " capacity out of range")
		}
	}()
	const line = 64
	room := capacity
	if size := int(unsafe.Sizeof(*new(T))); size > 0 && capacity < 512/size {
		room += (line-1)/size + 1
	}
	return make([]T, capacity, room)
}

// Send stores v and reports whether it did: false only after [Ring.Close], and v
// is then still the caller's. It never waits: if the ring is full it evicts the
// oldest value, counts it in RingStats.Dropped and passes it to onDrop.
func (r *Ring[T]) Send(v T) bool {
	r.mustBeMade()
	if r.onDrop != nil {
		return r.sendFunc(v)
	}
	if !r.mu.TryLock() { // r.mu.Lock() is not inlined
		r.mu.wait()
	}
	if r.closed {
		r.mu.Unlock()
		return false
	}
	yield := false
	if r.n < len(r.buf) {
		r.buf[r.push()] = v
	} else {
		r.buf[r.replace()] = v
		yield = r.dropped%turn == 0
	}
	if r.ready != nil {
		r.signal()
	}
	r.mu.Unlock()
	if len(r.wakeup) == 0 { // a failing wake would be a third of the cost
		r.wake()
	}
	if yield {
		runtime.Gosched()
	}
	return true
}

// sendFunc is Send with onDrop. It is separate so that Send does not copy the
// values it evicts.
func (r *Ring[T]) sendFunc(v T) bool {
	var old T // allocated before the lock, if it is too large for the stack
	evicted, yield := false, false
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return false
	}
	if r.n < len(r.buf) {
		r.buf[r.push()] = v
	} else {
		old, evicted = r.buf[r.head], true
		r.buf[r.replace()] = v
		yield = r.dropped%turn == 0
	}
	r.unlock()
	if yield {
		runtime.Gosched()
	}
	if evicted {
		r.onDrop(old)
	}
	return true
}

// TrySend stores v if there is room. It never waits and never evicts: it
// returns [ErrFull] on a full ring and [ErrClosed] after Close, and v is then
// still the caller's.
func (r *Ring[T]) TrySend(v T) error {
	r.mustBeMade()
	r.mu.Lock()
	defer r.unlock()
	switch {
	case r.closed:
		return ErrClosed
	case r.n == len(r.buf):
		return ErrFull
	}
	r.buf[r.push()] = v
	return nil
}

// TryRecv takes the oldest value, if any, without waiting. The value is the zero
// value unless the error is nil: [ErrEmpty] while the ring is open, [ErrClosed]
// once it is closed and drained.
func (r *Ring[T]) TryRecv() (T, error) {
	r.mustBeMade()
	return r.receive(false)
}

// Recv takes the oldest value, waiting for one until ctx is done. The value is
// the zero value unless the error is nil.
//
//   - ctx already done: ctx.Err(); takes nothing, even if there are values.
//   - a value arriving and ctx done at the same moment: either; after
//     ctx.Err() the value is still in the ring.
//   - closed: the remaining values, then [ErrClosed], also when the ring is
//     closed while Recv waits.
//   - nil ctx: panics.
//
// A value sent to an empty ring wakes a waiting receiver. Unlike on a channel it
// is not handed over: if a TryRecv, RecvTimeout or RecvBatch takes the value
// first, the receiver continues to wait.
func (r *Ring[T]) Recv(ctx context.Context) (v T, err error) {
	r.mustBeMade()
	if err := refusal(ctx, r.putBack); err != nil {
		return v, err
	}
	woken := false
	if len(r.wakeup) == 0 { // nothing to receive: looking would take the lock
		if err := r.park(ctx); err != nil {
			return v, err
		}
		woken = true
	}
	for {
		if v, err = r.receive(woken); err != ErrEmpty {
			return v, err
		}
		if err := r.park(ctx); err != nil {
			return v, err
		}
		woken = true
	}
}

// RecvTimeout takes the oldest value, waiting for one at most d. The value is
// the zero value unless the error is nil: [ErrTimeout] or [ErrClosed].
//
//   - a value in the ring: taken at once, whatever d is.
//   - d <= 0: tries once, as TryRecv, with ErrTimeout for ErrEmpty.
//   - a value arriving and the time over at the same moment: the value.
//
// Like the function [RecvTimeout], a call that waits yields the processor once
// before it counts d, and allocates one timer.
func (r *Ring[T]) RecvTimeout(d time.Duration) (T, error) {
	v, err := r.TryRecv()
	if err != ErrEmpty {
		return v, err
	}
	if d <= 0 {
		return v, ErrTimeout
	}
	return r.recvTimeout(d)
}

// RecvBatch takes up to len(dst) of the oldest values in one step, waiting for
// the first one until ctx is done. It returns the number of values stored in
// dst. The errors are those of [Ring.Recv], with 0. It never waits for more than
// one value. With an empty dst it takes nothing and returns 0 without waiting,
// and nil unless ctx is done or the ring is closed and drained.
//
// A batch takes the lock once: with 256 values of 8 bytes, less than a
// nanosecond for each value, under a tenth of a channel receive. The values are
// copied under the lock, which senders may wait for: 256 values of 8 bytes hold
// it for 0.1 µs, 65,536 for 50 µs, and longer if the memory of dst is touched
// for the first time.
func (r *Ring[T]) RecvBatch(ctx context.Context, dst []T) (int, error) {
	r.mustBeMade()
	if err := refusal(ctx, r.putBack); err != nil {
		return 0, err
	}
	for {
		n, err := r.take(dst)
		if err != ErrEmpty || len(dst) == 0 {
			if err == ErrEmpty {
				err = nil
			}
			return n, err
		}
		if err := r.park(ctx); err != nil {
			return 0, err
		}
	}
}

// All returns an iterator that receives values until the ring is closed and
// drained, or ctx is done; ctx.Err() tells which. Values in the ring when ctx
// is done stay there, as do the values that follow a break. Several goroutines
// may iterate; each value goes to one of them. A nil ctx panics when the
// iteration begins.
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

// Ready returns a channel for use in a select. It is readable whenever the ring
// may hold a value, and always after Close. Every call returns the same channel,
// made by the first.
//
//	select {
//	case <-ring.Ready():
//		v, err := ring.TryRecv() // ErrEmpty: another receiver was faster
//	case <-ctx.Done():
//	}
//
// The channel holds at most one token. A goroutine that takes it must then
// receive from the ring at least once; if values remain, the receive puts the
// token back for the next goroutine, as does a receive that returns the error of
// a done ctx. Otherwise other goroutines that select on Ready stay blocked until
// the next Send or receive. Recv, RecvTimeout and RecvBatch use a separate
// signal and are not affected.
func (r *Ring[T]) Ready() <-chan struct{} {
	r.mustBeMade()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready == nil {
		r.ready = make(chan struct{}, 1)
		if r.closed {
			close(r.ready)
		}
		r.signal()
	}
	return r.ready
}

// Close ends sending: afterwards Send returns false and TrySend [ErrClosed].
// Values in the ring stay receivable; after them receivers get ErrClosed. Every
// waiting receiver wakes up, one after the other. Calling Close again does
// nothing. Unlike a channel, a ring may be closed while others send.
func (r *Ring[T]) Close() {
	r.mustBeMade()
	r.mu.Lock()
	first, ready := !r.closed, r.ready
	r.closed = true
	r.unlock()
	// No send follows the close: signal looks at closed, under mu.
	if first && ready != nil {
		close(ready)
	}
}

// Len returns the number of values in the ring at this moment.
func (r *Ring[T]) Len() int {
	r.mustBeMade()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// Cap returns the number of values the ring can hold.
func (r *Ring[T]) Cap() int {
	r.mustBeMade()
	return len(r.buf)
}

// Stats returns all the counts as they were at one instant, at the cost of one
// uncontended lock.
func (r *Ring[T]) Stats() RingStats {
	r.mustBeMade()
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

// mustBeMade panics for a Ring that was not made by NewRing, which would
// otherwise be full at length 0 and wait on a nil channel. It is called before
// the lock is taken, which a panic would leave locked.
func (r *Ring[T]) mustBeMade() {
	if r.wakeup == nil {
		panic("chanx: Ring not made by NewRing")
	}
}

// refusal returns the error of a ctx that is done, and panics for a nil ctx. In
// both cases it first calls putBack: the goroutine may have taken the token of
// Ready and does not receive now.
func refusal(ctx context.Context, putBack func()) error {
	if ctx == nil {
		putBack()
	}
	err := contextErr(ctx)
	if err != nil {
		putBack()
	}
	return err
}

// putBack puts the token of Ready back if there is a value.
func (r *Ring[T]) putBack() {
	r.mu.Lock()
	r.unlock()
}

// park waits for the token or for ctx. After nil the caller has taken the token
// and must look into the ring before it does anything else: looking at ctx first
// would lose a wake-up.
func (r *Ring[T]) park(ctx context.Context) error {
	done := ctx.Done()
	if done == nil {
		<-r.wakeup // a receive parks faster than a select with one case
		return nil
	}
	select {
	case <-r.wakeup:
		return nil
	case <-done:
		return doneErr(ctx)
	}
}

// receive takes the oldest value. If woken, the caller has taken the token, and
// receive passes it on.
func (r *Ring[T]) receive(woken bool) (v T, err error) {
	if !r.mu.TryLock() { // r.mu.Lock() is not inlined
		r.mu.wait()
	}
	if r.n > 0 {
		v = r.buf[r.head]
		r.pop()
		if r.ready != nil {
			r.signal()
		}
	} else {
		err = r.emptyErr()
	}
	wake := woken && (r.n > 0 || r.closed)
	r.mu.Unlock()
	if wake {
		r.wake()
	}
	return v, err
}

func (r *Ring[T]) recvTimeout(d time.Duration) (T, error) {
	runtime.Gosched()
	v, err := r.receive(false)
	if err != ErrEmpty {
		return v, err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	for err == ErrEmpty {
		select {
		case <-r.wakeup:
			v, err = r.receive(true)
		case <-t.C:
			if v, err = r.receive(false); err == ErrEmpty {
				return v, ErrTimeout
			}
		}
	}
	return v, err
}

// wake sends the token, unless the channel holds it.
func (r *Ring[T]) wake() {
	select {
	case r.wakeup <- struct{}{}:
	default:
	}
}

// unlock releases mu, and wakes a receiver if there is a value or the end. Send
// and receive have it written out for speed.
func (r *Ring[T]) unlock() {
	if r.ready != nil {
		r.signal()
	}
	wake := r.n > 0 || r.closed
	r.mu.Unlock()
	if wake {
		r.wake()
	}
}

// The methods below are called with mu held.

// signal sends the token of Ready if there is a value, unless the channel holds
// it. The length is a plain load: a select for every value would be a third of
// the cost of Send.
func (r *Ring[T]) signal() {
	if r.n > 0 && len(r.ready) == 0 && !r.closed {
		select {
		case r.ready <- struct{}{}:
		default:
		}
	}
}

// push counts a value for a ring that has room and returns its slot. Passing the
// value in would copy it once more, and allocate the copy above 64 KiB.
func (r *Ring[T]) push() (slot int) {
	slot = r.head - (len(r.buf) - r.n) // head + n may overflow
	if slot < 0 {                      // a division for the remainder costs more
		slot += len(r.buf)
	}
	r.n++
	r.sent++
	r.high = max(r.high, r.n)
	return slot
}

// replace counts a value that replaces the oldest of a full ring, and returns
// its slot.
func (r *Ring[T]) replace() (slot int) {
	slot = r.head
	r.advance(1)
	r.sent++
	r.dropped++
	return slot
}

// pop counts the oldest value, which the caller has copied, as received and
// zeroes its slot. Assigning a zero value would allocate it above 128 KiB, under
// the lock.
func (r *Ring[T]) pop() {
	clear(r.buf[r.head : r.head+1])
	r.advance(1)
	r.n--
	r.received++
}

func (r *Ring[T]) advance(n int) {
	r.head -= len(r.buf) - n // head + n may overflow
	if r.head < 0 {
		r.head += len(r.buf)
	}
}

func (r *Ring[T]) emptyErr() error {
	if r.closed {
		return ErrClosed
	}
	return ErrEmpty
}

// take is the batch form of receive. It locks mu itself.
func (r *Ring[T]) take(dst []T) (int, error) {
	r.mu.Lock()
	defer r.unlock()
	if r.n == 0 {
		return 0, r.emptyErr()
	}
	n := min(len(dst), r.n)
	for got := 0; got < n; { // twice, where the values wrap around
		part := r.buf[r.head:]
		part = part[:min(n-got, len(part))]
		got += copy(dst[got:], part)
		clear(part)
		r.advance(len(part))
	}
	r.n -= n
	r.received += uint64(n)
	return n, nil
}

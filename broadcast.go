package chanx

import (
	"context"
	"iter"
	"runtime"
	"time"
)

// A Broadcast sends each value to any number of subscriptions and waits for
// none of them. It holds the last values sent, up to its capacity, in one buffer
// for all subscriptions; each [Subscription] has its own position. A
// subscription that falls behind by more than the capacity misses the oldest
// values, learns how many, and slows down neither the sender nor another
// subscription. A Broadcast must be made by [NewBroadcast]: every method of the
// zero value panics. It must not be copied.
//
// All methods may be called by any number of goroutines. Every method is one
// atomic step (linearizable), and each subscription receives values in the order
// they were sent.
//
// With capacity 1 and Subscribe(1) it is a cell with the latest value: a new
// reader sees the current value at once, and then the newest value each time it
// looks. The design, one buffer and a lag reported to the receiver, is that of
// tokio's broadcast and watch channels.
//
// Send costs the same with no subscription and with a thousand, as long as none
// is waiting; waking a waiting one costs about 0.1 µs, and up to 1 µs with a
// thousand that receive concurrently. Receivers are woken after the lock is
// released, selects on Ready under it, sixteen at a time. No lock is held while
// a method of a ctx runs. One Send in 4,096 yields the processor.
//
// No method allocates, except Subscribe, the first Ready of a subscription, the
// timer of a RecvTimeout that waits, an iterator of All that is kept in a
// variable, and values of more than 128 KiB.
type Broadcast[T any] struct {
	mu     lock
	buf    []T
	sent   uint64 // values sent; the position of the next one
	n      int    // values held: those at positions sent-n to sent-1
	next   int    // slot of the next value
	closed bool
	subs   int

	// waiters are the subscriptions that a Send must wake, in order of arrival:
	// those that have received every value and have a parked goroutine or a
	// Ready channel. A subscription is in the list once.
	waiters list[T]

	_ [40]byte // see the end of Ring
}

// BroadcastStats is one consistent snapshot of a [Broadcast].
type BroadcastStats struct {
	Sent        uint64 // values sent
	Len         int    // values held now, for replay and for slow subscriptions
	Cap         int    // values it can hold
	Subscribers int    // subscriptions made and not closed
}

// NewBroadcast returns a Broadcast that holds the last capacity values. It
// panics if capacity < 1 or if no address space could hold that many. The memory
// is allocated at once: capacity times the size of a T.
func NewBroadcast[T any](capacity int) *Broadcast[T] {
	if capacity < 1 {
		panic("chanx: broadcast capacity < 1")
	}
	return &Broadcast[T]{buf: makeSlots[T](capacity, "broadcast")}
}

// Send sends v to every subscription and reports whether it did: false only
// after [Broadcast.Close]. It never waits: if the buffer is full, v replaces the
// oldest value, which subscriptions that have not received it miss. Without a
// subscription v is held for replay.
func (b *Broadcast[T]) Send(v T) bool {
	b.mustBeMade()
	if !b.mu.TryLock() { // b.mu.Lock() is not inlined
		b.mu.wait()
	}
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.buf[b.next] = v
	if b.next++; b.next == len(b.buf) {
		b.next = 0
	}
	if b.n < len(b.buf) {
		b.n++
	}
	b.sent++
	sent, wake := b.sent, b.waiters.first != nil
	b.mu.Unlock()
	if wake {
		b.wake(sent)
	}
	if sent%turn == 0 { // see turn
		runtime.Gosched()
	}
	return true
}

// Subscribe returns a subscription that receives the last replay values still
// held, then every value sent afterwards. With a replay above Len it receives
// all Len values; with 0 it begins with the next value. After Close it receives
// the replayed values, then [ErrClosed]. A replay < 0 panics.
//
// The Broadcast keeps no reference to a subscription that does not wait: if it
// is dropped without Close, it is garbage, but stays counted in
// BroadcastStats.Subscribers. After a call of Ready, a subscription that has
// received everything counts as waiting, and is kept until the next Send.
func (b *Broadcast[T]) Subscribe(replay int) *Subscription[T] {
	b.mustBeMade()
	if replay < 0 {
		panic("chanx: replay < 0")
	}
	s := &Subscription[T]{b: b, wakeup: make(chan struct{}, 1)}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.start = b.sent - uint64(min(replay, b.n))
	s.pos = s.start
	b.subs++
	return s
}

// Close ends sending: afterwards Send returns false. The values held stay
// receivable by every subscription, including new ones; after them receivers get
// [ErrClosed]. Every waiting receiver wakes up. Calling Close again does
// nothing.
func (b *Broadcast[T]) Close() {
	b.mustBeMade()
	b.mu.Lock()
	b.closed = true
	sent := b.sent
	b.mu.Unlock()
	b.wake(sent)
}

// Len returns the number of values held at this moment.
func (b *Broadcast[T]) Len() int {
	b.mustBeMade()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// Cap returns the number of values that can be held.
func (b *Broadcast[T]) Cap() int {
	b.mustBeMade()
	return len(b.buf)
}

// Stats returns all the counts as they were at one instant.
func (b *Broadcast[T]) Stats() BroadcastStats {
	b.mustBeMade()
	b.mu.Lock()
	defer b.mu.Unlock()
	return BroadcastStats{
		Sent:        b.sent,
		Len:         b.n,
		Cap:         len(b.buf),
		Subscribers: b.subs,
	}
}

func (b *Broadcast[T]) mustBeMade() {
	if b.buf == nil {
		panic("chanx: Broadcast not made by NewBroadcast")
	}
}

// wake wakes the subscriptions that have waited since before the value at
// sent-1, a few at a time, so that the lock is not held while goroutines are
// made ready. A subscription that has begun to wait again waits for a later
// value.
func (b *Broadcast[T]) wake(sent uint64) {
	var parked [16]*Subscription[T]
	for told := len(parked); told == len(parked); {
		told = 0
		n := 0
		b.mu.Lock()
		for told < len(parked) && b.waiters.first != nil &&
			(b.closed || b.waiters.first.since < sent) {
			s := b.waiters.first
			b.waiters.remove(s)
			told++
			if s.mustWait() {
				b.waiters.add(s, b.sent) // it has received, and waits again
				continue
			}
			s.signal()
			if s.waiting > 0 {
				parked[n] = s
				n++
			}
		}
		b.mu.Unlock()
		for _, s := range parked[:n] {
			s.wake()
		}
	}
}

// A Subscription receives the values of a [Broadcast]. It is made by
// [Broadcast.Subscribe]: every method of the zero value panics. Any number of
// goroutines may use it; each value goes to one of them.
//
// Each receive also returns missed: the number of values lost immediately before
// the one it returns, because the subscription was behind by more than the
// capacity. The count is exact, and each loss is reported once, where it
// happened.
type Subscription[T any] struct {
	b *Broadcast[T]

	// wakeup holds a token for one of the waiting goroutines. It differs from
	// Ring.wakeup in that a token is sent only while goroutines wait.
	wakeup chan struct{}

	// The fields below are guarded by b.mu.

	start, pos uint64 // positions of the first value offered, and of the next
	received   uint64
	closed     bool
	ended      uint64        // b.sent at Close
	ready      chan struct{} // made by the first Ready
	readyEnded bool          // ready is closed
	waiting    int           // goroutines parked, or about to be

	// In b.waiters:
	queued     bool
	since      uint64 // b.sent when it was queued
	prev, next *Subscription[T]

	_ [16]byte // see the end of Ring
}

// SubscriptionStats is one consistent snapshot of a [Subscription]:
// Offered == Received + Missed + Len, always.
type SubscriptionStats struct {
	Offered  uint64 // values replayed, and sent since Subscribe
	Received uint64 // values handed to receivers
	Missed   uint64 // values lost, reported or not; after Close also those not received
	Len      int    // values it can receive now
}

// TryRecv takes the next value, if any, without waiting. The errors are
// [ErrEmpty] while more values may be sent, and [ErrClosed] once the
// subscription is closed, or the Broadcast is closed and every value held was
// received. With an error the value is the zero value and missed is 0.
func (s *Subscription[T]) TryRecv() (v T, missed uint64, err error) {
	s.lock()
	v, missed, err = s.take()
	s.unlock(false)
	return v, missed, err
}

// Recv takes the next value, waiting for one until ctx is done. The errors are
// ctx.Err() and [ErrClosed].
//
//   - ctx already done: ctx.Err(); takes nothing, even if there are values.
//   - a value arriving and ctx done at the same moment: either; after
//     ctx.Err() the value is still to be received.
//   - closed while waiting: ErrClosed.
//   - nil ctx: panics.
//
// Waiting allocates nothing.
func (s *Subscription[T]) Recv(ctx context.Context) (v T, missed uint64, err error) {
	if err := refusal(ctx, s.putBack); err != nil {
		return v, 0, err
	}
	v, missed, err = s.TryRecv()
	if err != ErrEmpty {
		return v, missed, err
	}
	v, missed, err = receiveUntil(s, ctx.Done())
	if err == ErrEmpty {
		err = doneErr(ctx)
	}
	return v, missed, err
}

// RecvTimeout takes the next value, waiting for one at most d. The errors are
// [ErrTimeout] and [ErrClosed].
//
//   - a value available: taken at once, whatever d is.
//   - d <= 0: tries once, as TryRecv, with ErrTimeout for ErrEmpty.
//   - a value arriving and the time over at the same moment: the value.
//
// Like the function [RecvTimeout], a call that waits yields the processor once
// before it counts d, and allocates one timer.
func (s *Subscription[T]) RecvTimeout(d time.Duration) (v T, missed uint64, err error) {
	v, missed, err = s.TryRecv()
	if err != ErrEmpty {
		return v, missed, err
	}
	if d <= 0 {
		return v, 0, ErrTimeout
	}
	return s.recvTimeout(d)
}

// RecvBatch takes up to len(dst) of the next values in one step, waiting for
// the first one until ctx is done. It returns the number of values stored in
// dst, and the number lost immediately before dst[0]; a batch has no gap inside.
// The errors are those of Recv, with 0. With an empty dst it takes nothing and
// returns 0 without waiting.
func (s *Subscription[T]) RecvBatch(ctx context.Context, dst []T) (n int, missed uint64, err error) {
	if err := refusal(ctx, s.putBack); err != nil {
		return 0, 0, err
	}
	s.lock()
	n, missed, err = s.takeBatch(dst)
	s.unlock(false)
	switch {
	case err != ErrEmpty:
		return n, missed, err
	case len(dst) == 0:
		return 0, 0, nil
	}
	done := ctx.Done() // foreign code: called without the lock
	s.lock()
	for woken := true; ; woken = wait(s, done) {
		n, missed, err = s.takeBatch(dst)
		if err != ErrEmpty || !woken {
			break
		}
	}
	s.unlock(true)
	if err == ErrEmpty {
		err = doneErr(ctx)
	}
	return n, missed, err
}

// All returns an iterator over the values, each with the number of values lost
// immediately before it. It ends when Recv returns an error; ctx.Err() tells
// whether that was ctx. A break takes nothing more. A nil ctx panics when the
// iteration begins.
func (s *Subscription[T]) All(ctx context.Context) iter.Seq2[T, uint64] {
	return func(yield func(T, uint64) bool) {
		for {
			v, missed, err := s.Recv(ctx)
			if err != nil || !yield(v, missed) {
				return
			}
		}
	}
}

// Ready returns a channel for use in a select. It is readable whenever there may
// be a value, and always once TryRecv returns [ErrClosed]. Every call returns
// the same channel, made by the first. The rules for its token are those of
// [Ring.Ready]: a goroutine that takes it must then receive.
func (s *Subscription[T]) Ready() <-chan struct{} {
	s.lock()
	if s.ready == nil {
		s.ready = make(chan struct{}, 1)
	}
	s.unlock(false)
	return s.ready
}

// Close ends the subscription: its receivers, including waiting ones, get
// [ErrClosed], and values not received count as missed. Calling Close again does
// nothing.
func (s *Subscription[T]) Close() {
	s.lock()
	if !s.closed {
		s.closed = true
		s.ended = s.b.sent
		s.b.subs--
	}
	s.unlock(true)
}

// Stats returns all the counts as they were at one instant.
func (s *Subscription[T]) Stats() SubscriptionStats {
	s.lock()
	defer s.b.mu.Unlock()
	end, n := s.b.sent, s.available()
	if s.closed {
		end = s.ended
	}
	offered := end - s.start
	return SubscriptionStats{
		Offered:  offered,
		Received: s.received,
		Missed:   offered - s.received - uint64(n),
		Len:      n,
	}
}

// putBack puts the token of Ready back if there is a value: see refusal.
func (s *Subscription[T]) putBack() {
	s.lock()
	s.unlock(false)
}

func (s *Subscription[T]) recvTimeout(d time.Duration) (v T, missed uint64, err error) {
	runtime.Gosched()
	t := time.NewTimer(d)
	defer t.Stop()
	v, missed, err = receiveUntil(s, t.C)
	if err == ErrEmpty {
		err = ErrTimeout
	}
	return v, missed, err
}

// receiveUntil takes the next value, waiting for one until over is readable. It
// then returns ErrEmpty.
func receiveUntil[T, E any](s *Subscription[T], over <-chan E) (v T, missed uint64, err error) {
	s.lock()
	for woken := true; ; woken = wait(s, over) {
		v, missed, err = s.take()
		if err != ErrEmpty || !woken {
			break
		}
	}
	s.unlock(true)
	return v, missed, err
}

func (s *Subscription[T]) lock() {
	if s.b == nil {
		panic("chanx: Subscription not made by Subscribe")
	}
	if !s.b.mu.TryLock() { // s.b.mu.Lock() is not inlined
		s.b.mu.wait()
	}
}

// wake sends the token, unless the channel holds it.
func (s *Subscription[T]) wake() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

// The functions below are called with b.mu held. wait and unlock release it;
// wait takes it again, as sync.Cond.Wait does.

// available returns the number of values that can be received.
func (s *Subscription[T]) available() int {
	if s.closed {
		return 0
	}
	return int(min(s.b.sent-s.pos, uint64(s.b.n)))
}

// skip moves the position past the values that are no longer held, and returns
// their number.
func (s *Subscription[T]) skip(available int) (missed uint64) {
	oldest := s.b.sent - uint64(available)
	missed = oldest - s.pos
	s.pos = oldest
	return missed
}

func (s *Subscription[T]) take() (v T, missed uint64, err error) {
	n := s.available()
	if n == 0 {
		return v, 0, s.emptyErr()
	}
	missed = s.skip(n)
	v = s.b.buf[s.b.slot(n)]
	s.pos++
	s.received++
	return v, missed, nil
}

func (s *Subscription[T]) takeBatch(dst []T) (n int, missed uint64, err error) {
	held := s.available()
	if held == 0 {
		return 0, 0, s.emptyErr()
	}
	if n = min(len(dst), held); n == 0 {
		return 0, 0, nil // missed is reported with a value
	}
	missed = s.skip(held)
	first := s.b.slot(held)
	got := copy(dst[:n], s.b.buf[first:])
	copy(dst[got:n], s.b.buf)
	s.pos += uint64(n)
	s.received += uint64(n)
	return n, missed, nil
}

// slot returns the slot of the n-th value from the end.
func (b *Broadcast[T]) slot(n int) int {
	i := b.next - n
	if i < 0 {
		i += len(b.buf)
	}
	return i
}

// mustWait reports whether a receive would find neither a value nor the end.
func (s *Subscription[T]) mustWait() bool {
	return s.available() == 0 && s.emptyErr() == ErrEmpty
}

func (s *Subscription[T]) emptyErr() error {
	if s.closed || s.b.closed {
		return ErrClosed
	}
	return ErrEmpty
}

// wait parks until there may be a value, or over is readable. It reports whether
// it was woken for a value.
func wait[T, E any](s *Subscription[T], over <-chan E) (woken bool) {
	s.waiting++
	s.b.waiters.add(s, s.b.sent)
	s.b.mu.Unlock()
	if over == nil {
		<-s.wakeup // a receive parks faster than a select with one case
		woken = true
	} else {
		select {
		case <-s.wakeup:
			woken = true
		case <-over:
		}
	}
	s.b.mu.Lock()
	s.waiting--
	return woken
}

// unlock releases b.mu. The goroutines that wait for s, and the channel of Ready,
// are woken before, after, or by the next Send.
func (s *Subscription[T]) unlock(pass bool) {
	s.signal()
	wake := false
	switch {
	case !s.mustWait():
		wake = pass && s.waiting > 0
	case s.waiting > 0 || s.ready != nil:
		s.b.waiters.add(s, s.b.sent)
	}
	if s.queued && s.waiting == 0 && (s.ready == nil || s.readyEnded) {
		s.b.waiters.remove(s) // nothing to wake: keep nothing alive
	}
	s.b.mu.Unlock()
	if wake {
		s.wake()
	}
}

// signal sends the token of Ready if there is a value, and closes the channel at
// the end.
func (s *Subscription[T]) signal() {
	if s.ready == nil || s.readyEnded {
		return
	}
	switch {
	case s.available() > 0:
		select {
		case s.ready <- struct{}{}:
		default:
		}
	case s.emptyErr() == ErrClosed:
		s.readyEnded = true
		close(s.ready)
	}
}

// list is an intrusive doubly linked list of subscriptions.
type list[T any] struct{ first, last *Subscription[T] }

// add appends s, unless it is in the list.
func (l *list[T]) add(s *Subscription[T], since uint64) {
	if s.queued {
		return
	}
	s.queued, s.since = true, since
	s.prev = l.last
	if l.last == nil {
		l.first = s
	} else {
		l.last.next = s
	}
	l.last = s
}

// remove removes s from the list that it is in.
func (l *list[T]) remove(s *Subscription[T]) {
	if s.prev == nil {
		l.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.queued, s.prev, s.next = false, nil, nil
}

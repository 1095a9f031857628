package chanx

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A goroutine that waits for a lock whose holder sleeps is parked in the
// runtime, where it costs no processor time. The dump shows it: a goroutine
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

// Operations that have Lock written out wait for the lock as well.
func TestOperationsWaitForTheLock(t *testing.T) {
	r, b := NewRing[int](1), NewBroadcast[int](1)
	s := b.Subscribe(0)
	for name, op := range map[string]struct {
		l  *lock
		do func()
	}{
		"Ring.Send":            {&r.mu, func() { r.Send(1) }},
		"Ring.TryRecv":         {&r.mu, func() { _, _ = r.TryRecv() }},
		"Broadcast.Send":       {&b.mu, func() { b.Send(1) }},
		"Subscription.TryRecv": {&b.mu, func() { _, _, _ = s.TryRecv() }},
	} {
		done := make(chan struct{})
		op.l.Lock()
		go func() { op.do(); close(done) }()
		require.Eventually(t, func() bool { return parked() == 1 },
			time.Minute, time.Millisecond, name)
		op.l.Unlock()
		<-done
	}
}

// Objects that goroutines write to millions of times a second fill whole cache
// lines, so that two made one after the other share none.
func TestHotObjectsShareNoLine(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) == 4 {
		t.Skip("the padding is for 64 bits")
	}
	for name, size := range map[string]uintptr{
		"Ring":         unsafe.Sizeof(Ring[int]{}),
		"Broadcast":    unsafe.Sizeof(Broadcast[int]{}),
		"Subscription": unsafe.Sizeof(Subscription[int]{}),
		"pulse":        unsafe.Sizeof(pulse{}),
		"workerRun":    unsafe.Sizeof(workerRun{}),
	} {
		assert.Zero(t, size%64, "%s has %d bytes", name, size)
	}
}

// Neighbors in memory share no cache line: neither the slots of small rings,
// whatever their number, nor those of rings of values of no size, which have
// none.
func TestRingSlotsShareNoLine(t *testing.T) {
	for _, capacity := range []int{1, 3, 7, 8, 63, 64, 1024} {
		owner := make(map[uintptr]int)
		for i := range 100 {
			buf := makeSlots[int32](capacity, "ring")
			first := uintptr(unsafe.Pointer(unsafe.SliceData(buf))) / 64
			last := uintptr(unsafe.Pointer(&buf[capacity-1])) / 64
			for line := first; line <= last; line++ {
				other, taken := owner[line]
				assert.False(t, taken && other != i, "capacity %d", capacity)
				owner[line] = i
			}
			defer func() { _ = buf[0] }() // keeps it where it is
		}
	}
	assert.Len(t, makeSlots[struct{}](3, "ring"), 3)
}

// A receiver that took the token, and leaves values behind, wakes the next one.
// Two values under one token need an unlucky moment: both sent while the token
// lies there, between one receiver's look and its wait. So they are put into
// the ring by hand.
func TestRingTokenIsPassedOn(t *testing.T) {
	for name, take := range map[string]func(r *Ring[int]){
		"receive": func(r *Ring[int]) { _, _ = r.receive(true) },
		"take":    func(r *Ring[int]) { _, _ = r.take(make([]int, 1)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			r := NewRing[int](2)
			got := make(chan error)
			go func() {
				_, err := r.Recv(ctx)
				got <- err
			}()
			synctest.Wait()
			r.buf[r.push()] = 1
			r.buf[r.push()] = 2
			take(r)
			assert.NoError(t, <-got, name)
		})
	}
}

// Positions do not overflow, which takes more than half as many values as an
// int can count: values of no size, or bytes where an int has 32 bits.
func TestRingPositionsDoNotOverflow(t *testing.T) {
	const most = math.MaxInt
	for _, head := range []int{0, 1, most/2 + 2, most - 1} {
		r := NewRing[struct{}](most)
		r.head, r.n, r.sent = head, most/2+2, most/2+2
		assert.True(t, r.Send(struct{}{}))
		assert.NoError(t, r.TrySend(struct{}{}))
		_, err := r.TryRecv()
		assert.NoError(t, err)
		dst := make([]struct{}, most)
		n, err := r.RecvBatch(t.Context(), dst)
		assert.NoError(t, err)
		assert.Equal(t, most/2+3, n)
		assert.Zero(t, r.Len())
		assert.True(t, r.Send(struct{}{}))
		_, err = r.TryRecv()
		assert.NoError(t, err)

		r.n, r.sent = most, 2*most
		r.Send(struct{}{})
		assert.EqualValues(t, 1, r.Stats().Dropped)
	}
}

// storeOnly is the first half of Send: v is stored, and no subscription has
// been told. It returns the argument of wake, which is the second half.
func (b *Broadcast[T]) storeOnly(v T) (sent uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf[b.next] = v
	b.next = (b.next + 1) % len(b.buf)
	b.n = min(b.n+1, len(b.buf))
	b.sent++
	return b.sent
}

// A value that is received before its Send has announced it must not cost the
// subscription the announcement of the next one.
func TestBroadcastReceivedBeforeAnnounced(t *testing.T) {
	for name, take := range map[string]func(s *Subscription[int]){
		"TryRecv":       func(s *Subscription[int]) { s.TryRecv() },
		"TryRecv twice": func(s *Subscription[int]) { s.TryRecv(); s.TryRecv() },
		"RecvBatch": func(s *Subscription[int]) {
			s.RecvBatch(t.Context(), make([]int, 2))
		},
	} {
		b := NewBroadcast[int](4)
		s := b.Subscribe(0)
		ready := s.Ready()
		sent := b.storeOnly(1)
		take(s)
		b.wake(sent)
		assert.Empty(t, ready, "%s: there is nothing to receive", name)
		b.Send(2)
		if assert.Len(t, ready, 1, name) {
			<-ready
		}
		s.TryRecv()
		b.Close()
		select {
		case _, open := <-ready:
			assert.False(t, open, name)
		default:
			assert.Fail(t, "the end is not announced", name)
		}
	}
}

// All subscriptions are told, however many there are, and none stays queued.
func TestBroadcastTellsAll(t *testing.T) {
	b := NewBroadcast[int](4)
	var all []<-chan struct{}
	for range 100 {
		all = append(all, b.Subscribe(0).Ready())
	}
	b.Send(1)
	for _, ready := range all {
		assert.Len(t, ready, 1)
	}
	assert.Nil(t, b.waiters.first, "none is kept")
	assert.Nil(t, b.waiters.last)
}

// A closed subscription is not kept, wherever in the queue it was.
func TestBroadcastForgetsTheClosed(t *testing.T) {
	for at := range 3 {
		b := NewBroadcast[int](1)
		subs := []*Subscription[int]{b.Subscribe(0), b.Subscribe(0), b.Subscribe(0)}
		for _, s := range subs {
			s.Ready()
		}
		for i := range subs { // beginning at the front, the middle, the end
			subs[(at+i)%3].Close()
		}
		assert.Nil(t, b.waiters.first, at)
		assert.Nil(t, b.waiters.last, at)
		s := b.Subscribe(0)
		ready := s.Ready()
		b.Send(1)
		assert.Len(t, ready, 1, at)
	}
}

// One that joins after the last has left is told, and so are the others.
func TestBroadcastTellsThoseBeforeTheClosed(t *testing.T) {
	b := NewBroadcast[int](1)
	first, last := b.Subscribe(0), b.Subscribe(0)
	told := []<-chan struct{}{first.Ready()}
	last.Ready()
	last.Close()
	told = append(told, b.Subscribe(0).Ready())
	b.Send(1)
	for _, ready := range told {
		assert.Len(t, ready, 1)
	}
}

// probeContext calls a function in each of its methods.
type probeContext struct {
	context.Context
	done, err func()
}

func (c probeContext) Done() <-chan struct{} { c.done(); return c.Context.Done() }
func (c probeContext) Err() error            { c.err(); return c.Context.Err() }

// A context is foreign code: no lock is held while it is asked, so one that
// blocks delays its own receiver only, and one that panics leaves no lock held
// and no subscription queued.
func TestContextsRunWithoutLock(t *testing.T) {
	r, b := NewRing[int](2), NewBroadcast[int](2)
	s := b.Subscribe(0)
	receives := map[string]func(ctx context.Context){
		"Ring.Recv":              func(ctx context.Context) { r.Recv(ctx) },
		"Ring.RecvBatch":         func(ctx context.Context) { r.RecvBatch(ctx, make([]int, 1)) },
		"Subscription.Recv":      func(ctx context.Context) { s.Recv(ctx) },
		"Subscription.RecvBatch": func(ctx context.Context) { s.RecvBatch(ctx, make([]int, 1)) },
	}
	for name, receive := range receives {
		asked := 0
		ctx, cancel := context.WithCancel(t.Context())
		probe := func() {
			asked++
			for _, l := range []*lock{&r.mu, &b.mu} {
				if assert.True(t, l.TryLock(), name) {
					l.Unlock()
				}
			}
		}
		receive(probeContext{ctx, func() { probe(); cancel() }, probe})
		assert.GreaterOrEqual(t, asked, 3, "%s: Err, Done, Err", name)

		calls := 0
		fail := func() {
			if calls++; calls == 3 {
				panic(name)
			}
		}
		done, cancel := context.WithCancel(t.Context())
		assert.PanicsWithValue(t, name, func() {
			receive(probeContext{done, func() { fail(); cancel() }, fail})
		})
		assert.PanicsWithValue(t, name, func() {
			receive(probeContext{t.Context(), func() { panic(name) }, func() {}})
		})
		assert.Zero(t, s.waiting, name)
		assert.Nil(t, b.waiters.first, name)
		r.Send(1)
		b.Send(1)
		receive(t.Context())
		r.TryRecv()
		s.TryRecv()
	}
}

package chanx

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

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

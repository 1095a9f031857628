// Package pubsub sends events to all subscribers of a topic, and waits for none
// of them.
//
// When to use it: several parts of a program react to the same events, come and
// go while it runs, and may be slower than the events come.
//
// When not: every subscriber must get every event; give each a queue and let
// the publisher wait. The receivers are other processes; use a broker. One
// topic only; use chanx.Broadcast itself. Only the latest value matters; use
// the recipe watch.
//
// Without it: a subscriber that has stopped receiving blocks the publisher, and
// with it all others and its own unsubscribing (cskr/pubsub#6):
//
//	b.mu.Lock() // Unsubscribe waits for it
//	for _, ch := range b.subscribers[topic] {
//		ch <- event
//	}
//	b.mu.Unlock()
//
// Edge cases:
//   - slow subscriber: loses its own oldest events, learns with the next one
//     how many, and holds up nothing else.
//   - order: kept for each topic.
//   - topic without subscribers: costs nothing, and its events are dropped.
//   - unsubscribe: nothing is received once Close of a subscription has
//     returned, whatever is published meanwhile. Twice is fine.
//   - publish from a subscriber: does not deadlock, nor does unsubscribing.
//   - late subscriber: gets the events published afterwards.
//   - close: each subscriber receives the events held for it, then the end;
//     Publish returns false.
//   - subscribe after close: receives the end at once.
//   - bad arguments: capacity < 1 panics.
//
// Subscribers share the event: what a pointer in it points to must not be
// modified.
//
// Search: publish subscribe, pub/sub, pubsub, event bus, broadcast, observer,
// topics, notify all, one to many.
package pubsub

import (
	"sync"

	"example.com/chanx"
)

// A Bus has topics. New makes one.
type Bus[T any] struct {
	capacity int
	mu       sync.RWMutex // guards the rest; never held while one waits
	topics   map[string]*topic[T]
	closed   bool
}

type topic[T any] struct {
	events      *chanx.Broadcast[T]
	subscribers int
}

// New returns a bus that holds the last capacity events of each topic for the
// subscribers that are behind.
func New[T any](capacity int) *Bus[T] {
	chanx.NewBroadcast[T](capacity) // panics if capacity < 1
	return &Bus[T]{capacity: capacity, topics: map[string]*topic[T]{}}
}

// Publish sends v to the subscribers of name. It returns false after Close.
func (b *Bus[T]) Publish(name string, v T) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if t := b.topics[name]; t != nil && !b.closed {
		t.events.Send(v)
	}
	return !b.closed
}

// A Subscription receives the events of a topic until it is closed.
type Subscription[T any] struct {
	*chanx.Subscription[T]
	unsubscribe func()
}

// Close ends the subscription.
func (s Subscription[T]) Close() { s.unsubscribe() }

// Subscribe returns a subscription to the events of name from now on.
func (b *Bus[T]) Subscribe(name string) Subscription[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.topics[name]
	if t == nil {
		t = &topic[T]{events: chanx.NewBroadcast[T](b.capacity)}
		b.topics[name] = t
	}
	if b.closed {
		t.events.Close()
	}
	t.subscribers++
	s := t.events.Subscribe(0)
	return Subscription[T]{s, sync.OnceFunc(func() {
		s.Close()
		b.mu.Lock()
		defer b.mu.Unlock()
		if t.subscribers--; t.subscribers == 0 {
			delete(b.topics, name)
		}
	})}
}

// Close ends all topics.
func (b *Bus[T]) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, t := range b.topics {
		t.events.Close()
	}
}

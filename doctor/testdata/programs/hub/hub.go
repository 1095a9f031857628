// Package hub has a broadcaster that sends to its subscribers under a lock,
// and a generic queue.
package hub

import "sync"

// Hub sends what is published to all subscribers.
type Hub struct {
	mu   sync.Mutex
	subs []chan int
}

// Subscribe adds a subscriber.
func (h *Hub) Subscribe() <-chan int {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := make(chan int)
	h.subs = append(h.subs, c)
	return c
}

// Publish holds the lock while it sends.
func (h *Hub) Publish(v int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.subs {
		c <- v
	}
}

// Len asks for the lock as well.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// Queue is a channel with methods.
type Queue[T any] struct{ c chan T }

// NewQueue starts a consumer that ends after one value.
func NewQueue[T any](consume func(T)) *Queue[T] {
	q := &Queue[T]{c: make(chan T)}
	go q.loop(consume)
	return q
}

func (q *Queue[T]) loop(consume func(T)) { consume(<-q.c) }

// Push waits for the consumer.
func (q *Queue[T]) Push(v T) { q.c <- v }

// Cache locks in a method that calls another that locks.
type Cache struct {
	mu sync.Mutex
	m  map[string]int
}

// Get locks.
func (c *Cache) Get(k string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[k]
}

// Double locks and calls Get.
func (c *Cache) Double(k string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return 2 * c.Get(k)
}

// Leak locks and, on the path that nobody tested, returns without unlocking.
func (c *Cache) Leak(fail bool) {
	c.mu.Lock()
	if fail {
		return
	}
	c.mu.Unlock()
}

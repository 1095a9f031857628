// Package loud has the shapes that the other packages lack.
package loud

import (
	"context"
	"sync"
)

func work() error { return nil }

// unreasoned is a finding with a comment that gives no reason.
type unreasoned struct{ ch chan int }

func (u *unreasoned) put(v int) { u.ch <- v }

func newUnreasoned() *unreasoned {
	u := &unreasoned{make(chan int)}
	go func() {
		for range u.ch {
			if work() != nil {
				return //chanx:ignore // want `counts only with a reason`
			}
		}
	}()
	return u
}

// grouped: the consumer is run by a helper, and receives in a function that it
// calls.
type grouped struct {
	wg sync.WaitGroup
	ch chan int
}

func (g *grouped) Go(f func()) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		f()
	}()
}

func (g *grouped) next() int { return <-g.ch }

func (g *grouped) run() {
	for {
		g.next()
		if work() != nil {
			return // want `lost consumer: channel ch .* reached from`
		}
	}
}

func (g *grouped) put(v int)    { g.ch <- v }
func (g *grouped) Handle(v int) { g.put(v) }

func newGrouped() *grouped {
	g := &grouped{ch: make(chan int)}
	g.Go(g.run)
	return g
}

// Results are received after the wait.
func Results(xs []int) (all []int) {
	ch := make(chan int, 10)
	var wg sync.WaitGroup
	for _, x := range xs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ch <- x // want `deadlock: this send on channel ch .* Wait`
		}()
	}
	wg.Wait()
	close(ch)
	for x := range ch {
		all = append(all, x)
	}
	return all
}

// cache sends events while it holds the lock that its listener takes.
type cache struct {
	mu     sync.RWMutex
	events chan string
}

func (c *cache) set(k string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events <- k // want `deadlock: .* holds a mutex`
}

func (c *cache) size() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return 1
}

func (c *cache) listen() {
	for range c.events {
		c.size()
	}
}

func newCache() *cache {
	c := &cache{events: make(chan string, 8)}
	go c.listen()
	return c
}

// Produce asks before the send.
func Produce(ctx context.Context, ch chan int) {
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		default:
			ch <- i // want `the select asks whether to stop before`
		}
	}
}

// ProduceLate does something else first: there is no fix.
func ProduceLate(done chan struct{}, ch chan int) {
	for i := 0; ; i++ {
		select {
		case _, ok := <-done:
			_ = ok
			return
		default:
			work()
			ch <- i // want `the select asks whether to stop before`
		}
	}
}

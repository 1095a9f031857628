package quiet

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// replies are sent to channels that came with the requests, with room.
type replies struct{ waiting map[int]chan int }

func (r *replies) answer(requests chan chan int) {
	for ch := range requests {
		ch <- 1
	}
}

func (r *replies) all() {
	for _, ch := range r.waiting {
		ch <- 1
	}
}

func (r *replies) ask(requests chan chan int) int {
	ch := make(chan int, 1)
	r.waiting[1] = ch
	requests <- ch
	return <-ch
}

// polls looks at the channel besides its loop.
type polls struct{ ch chan int }

func (p *polls) put(v int) { p.ch <- v }

func (p *polls) run() {
	for v := range p.ch {
		if v > 0 {
			p.flush()
		}
	}
}

func (p *polls) flush() {
	for {
		select {
		case <-p.ch:
		default:
			return
		}
	}
}

func newPolls() *polls {
	p := &polls{make(chan int)}
	go p.run()
	return p
}

// labels leaves the loop of a select, and of a select in a default.
func labels(done chan struct{}, ch chan int, quit chan int) {
outer:
	for {
		select {
		case <-done:
			break outer
		case <-quit:
		default:
			if len(ch) < cap(ch) {
				ch <- 1
			}
		}
	}
	for {
		select {
		case v := <-ch:
			_ = v
		default:
			return
		}
	}
}

// ready has a done case that falls out of the select.
func ready(done chan struct{}, ch chan int) {
	select {
	case <-done:
	default:
		ch <- 1
	}
}

// reader shares its lock with readers: neither waits for the other.
type reader struct {
	mu sync.RWMutex
	ch chan int
}

func (r *reader) put(v int, slow bool) {
	if slow {
		r.mu.RLock()
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	r.ch <- v
}

func (r *reader) next() int { return <-r.ch }

func (r *reader) run() {
	for {
		r.next()
		r.mu.RLock()
		r.mu.RUnlock()
	}
}

func newReader() *reader {
	r := &reader{ch: make(chan int)}
	go r.run()
	return r
}

// Ended stops receiving early, and ends the process, or receives the rest.
func Ended(n int) {
	ch := make(chan int)
	go func() {
		for i := range n {
			ch <- i
		}
		close(ch)
	}()
	for range ch {
		if work() != nil {
			break
		}
	}
	for range ch {
	}
}

type named chan int

// Renamed receives from a channel with another type.
func Renamed(stop chan bool) int {
	ch := named(begin())
	return <-ch
}

// Depth has the send two calls away.
func Depth() int {
	ch := make(chan int)
	go func() { middle(ch) }()
	return <-ch
}

func middle(ch chan int) { lower(ch) }
func lower(ch chan int)  { lowest(ch) }
func lowest(ch chan int) { ch <- 1 }

// Singly asks once.
func Singly(n int) error {
	ask, answer := make(chan int), make(chan int, 1)
	go func() {
		<-ask
		answer <- 1
	}()
	ask <- 1
	for range 1 {
		<-answer
		if err := work(); err != nil {
			return err
		}
	}
	return nil
}

// Collected ends the loop over another channel before its sender sends.
func Collected(xs []int) error {
	out, failed := make(chan int), make(chan error, 1)
	go func() {
		for _, x := range xs {
			out <- x
		}
		close(out)
		failed <- errors.Join()
	}()
	for range out {
	}
	return <-failed
}

// Timed closes after the send, but receives in the loop.
func Timed(xs []int) (err error) {
	out, failed := make(chan int), make(chan error)
	go func() {
		failed <- errFull
		close(out)
	}()
	for {
		select {
		case <-out:
			return err
		case err = <-failed:
		case <-time.After(1):
		}
	}
}

// passing sends its error to the sender before it returns.
type passing struct {
	in  chan int
	out chan result
}

type result struct {
	n   int
	err error
}

func (p *passing) call(n int) error {
	p.in <- n
	return (<-p.out).err
}

func (p *passing) run() {
	for n := range p.in {
		err := work()
		p.out <- result{n, err}
		if err != nil {
			return
		}
	}
}

func newPassing() *passing {
	p := &passing{make(chan int), make(chan result)}
	go p.run()
	return p
}

// pooled: a connection whose consumer has returned is in no pool.
type pooled struct {
	reqs chan int
	pool *pool
}

type pool struct{ idle []*pooled }

func (p *pool) release(c *pooled) bool {
	p.idle = append(p.idle, c)
	return true
}

func (c *pooled) call(n int) { c.reqs <- n }

func (c *pooled) run() {
	for range c.reqs {
		if work() != nil {
			return
		}
		c.pool.release(c)
	}
}

func (p *pool) dial() *pooled {
	c := &pooled{make(chan int), p}
	go c.run()
	return c
}

// resetting sends one value at a time, guarded by an atomic.
type resetting struct {
	mu       sync.Mutex
	resets   chan struct{}
	underway atomic.Int32
}

func (r *resetting) fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.underway.Load() == 0 {
		r.underway.Store(1)
		r.resets <- struct{}{}
	}
}

func (r *resetting) run() {
	for range r.resets {
		r.mu.Lock()
		r.underway.Store(0)
		r.mu.Unlock()
	}
}

func newResetting() *resetting {
	r := &resetting{resets: make(chan struct{}, 1)}
	go r.run()
	return r
}

// FirstOnly sends one value, in a loop.
func FirstOnly(requests chan string) (string, bool) {
	first := make(chan string, 1)
	go func() {
		got := false
		for r := range requests {
			if r != "" && !got {
				got = true
				first <- r
			}
		}
	}()
	for {
		select {
		case r := <-first:
			return r, true
		case <-time.After(1):
			return "", false
		}
	}
}

// token goes back and forth between a reader and its dispatcher.
type token struct {
	next    chan struct{}
	packets chan int
	quit    chan bool
}

func (t *token) dispatch() {
	t.next <- struct{}{}
	for {
		select {
		case p := <-t.packets:
			_ = p
			t.next <- struct{}{}
		case <-t.quit:
			return
		}
	}
}

func (t *token) read() {
	for range t.next {
		if work() != nil {
			return
		}
		t.deliver(1)
	}
}

func (t *token) deliver(n int) {
	select {
	case t.packets <- n:
	case <-t.quit:
	}
}

func newToken() *token {
	t := &token{make(chan struct{}, 1), make(chan int), make(chan bool)}
	go t.dispatch()
	go t.read()
	return t
}

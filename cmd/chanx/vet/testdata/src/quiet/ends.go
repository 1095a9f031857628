package quiet

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// told: the sender itself tells the consumer to end, in three ways.
type told struct {
	ch    chan int
	over  chan struct{}
	how   chan int
	count atomic.Int32
}

func (t *told) send() {
	for i := range 3 {
		t.ch <- i
	}
	close(t.over)
	t.how <- 1
	func() { t.ch <- 4 }()
}

func (t *told) run() {
	for {
		select {
		case <-t.ch:
		case <-t.over:
			return
		case n := <-t.how:
			if n > 0 {
				return
			}
		}
	}
}

func newTold() *told {
	t := &told{ch: make(chan int), over: make(chan struct{}), how: make(chan int)}
	go t.run()
	return t
}

// asking: the consumer returns when others say that it is over.
type asking struct {
	ch    chan int
	other chan int
	ctx   context.Context
	conn  *os.File
	flag  atomic.Bool
	names map[string]int
	all   []int
}

func (a *asking) put(v int) { a.ch <- v }

func (a *asking) run() {
	for {
		v := <-a.ch
		if a.ctx.Err() != nil {
			return
		}
		if _, err := a.conn.Write(nil); errors.Is(err, os.ErrClosed) {
			return
		}
		if a.flag.Load() {
			return
		}
		if len(a.all) > 10 {
			return
		}
		if _, ok := <-a.other; !ok {
			return
		}
		if n := <-a.other; n > 1 {
			return
		}
		if !a.isClosed() && v > 3 {
			continue
		}
		for name := range a.names {
			if name == "" {
				return
			}
		}
	}
}

func (a *asking) isClosed() bool { return a.flag.Load() }

func newAsking() *asking {
	a := &asking{ch: make(chan int), other: make(chan int)}
	go a.run()
	return a
}

// ended: after the exit the process, the goroutine or the channel is over, or
// others are told.
type ended struct {
	ch, a, b, c, d, e chan int
	told              chan error
	quit              chan struct{}
	cancel            context.CancelFunc
	state             int
	flagged           atomic.Bool
	conn              *os.File
	wg                sync.WaitGroup
}

func (e *ended) put(v int) {
	e.ch <- v
	e.a <- v
	e.b <- v
	e.c <- v
	e.d <- v
	e.e <- v
}

func (e *ended) runs() {
	go func() {
		for range e.ch {
			if err := work(); err != nil {
				log.Fatal(err)
			}
		}
	}()
	go func() {
		defer close(e.a)
		for range e.a {
			if work() != nil {
				return
			}
		}
	}()
	go func() {
		for range e.b {
			if work() != nil {
				panic("b")
			}
		}
	}()
	go func() {
		defer e.conn.Close()
		for range e.c {
			if err := work(); err != nil {
				e.state = 1
				e.flagged.Store(true)
				e.told <- err
				select {
				case e.told <- err:
				case <-e.quit:
				}
				close(e.quit)
				e.cancel()
				e.reconnect()
				return
			}
		}
	}()
	go func() {
		for range e.d {
			if work() != nil {
				runtime.Goexit()
			}
		}
	}()
	go func() {
		for range e.e {
			if work() != nil {
				break
			}
		}
		select {
		case <-e.e:
		case <-e.quit:
		}
	}()
}

func (e *ended) reconnect() {}

func newEnded() *ended {
	e := &ended{ch: make(chan int), a: make(chan int), b: make(chan int),
		c: make(chan int), d: make(chan int), e: make(chan int),
		told: make(chan error), quit: make(chan struct{})}
	e.runs()
	return e
}

// caller: the function that calls the consumer drains the channel.
type caller struct{ ch chan int }

func (c *caller) put(v int) { c.ch <- v }

func (c *caller) consume() error {
	for range c.ch {
		if err := work(); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) run() {
	if err := c.consume(); err != nil {
		fmt.Println(err)
	}
	for range c.ch {
	}
}

func newCaller() *caller {
	c := &caller{make(chan int)}
	go c.run()
	return c
}

// respawned: a new goroutine takes over.
type respawned struct{ ch chan int }

func (r *respawned) put(v int) { r.ch <- v }
func (r *respawned) spawn()    { go r.run() }

func (r *respawned) run() {
	for range r.ch {
		if work() != nil {
			go func() { r.run() }()
			return
		}
	}
}

func newRespawned() *respawned {
	r := &respawned{make(chan int)}
	r.spawn()
	return r
}

// switching turns its channel off with nil.
func switching(in, tick chan int) {
	var on chan int
	for {
		select {
		case <-tick:
			on = in
		case <-on:
			on = nil
			if work() != nil {
				return
			}
		}
	}
}

func newSwitching() {
	in, tick := make(chan int), make(chan int)
	go switching(in, tick)
	in <- 1
}

// roomFirst makes room before it sends.
type roomFirst struct{ ch chan int }

func (r *roomFirst) put(v int) {
	select {
	case <-r.ch:
	default:
	}
	r.ch <- v
}

func (r *roomFirst) run() {
	for range r.ch {
		if work() != nil {
			return
		}
	}
}

func newRoomFirst() *roomFirst {
	r := &roomFirst{make(chan int, 1)}
	go r.run()
	return r
}

// once sends one value, guarded by a variable.
type once struct {
	ch   chan int
	sent bool
}

func (o *once) put(v int) {
	if o.sent {
		return
	}
	o.sent = true
	o.ch <- v
}

func (o *once) run() {
	for range o.ch {
		if work() != nil {
			return
		}
	}
}

func newOnce() *once {
	o := &once{ch: make(chan int)}
	go o.run()
	return o
}

// single is started once for each channel, and has room for its value.
func single() {
	ch := make(chan int, 1)
	go func() {
		for range ch {
			if work() != nil {
				return
			}
		}
	}()
	go sendSingle(ch)
}

func sendSingle(ch chan int) { ch <- 1 }

func sendOne(ch chan int) { ch <- 1 }

// polled is received from without waiting.
type polled struct{ ch chan int }

func (p *polled) put(v int) { p.ch <- v }

func (p *polled) poll() (int, bool) {
	select {
	case v := <-p.ch:
		return v, true
	default:
		return 0, false
	}
}

func newPolled() *polled { return &polled{make(chan int)} }

// InTurn receives in the loop in which it starts.
func InTurn(n int) {
	ch := make(chan int)
	for i := range n {
		go helper(ch, i)
		<-ch
	}
}

func helper(ch chan int, i int) { ch <- i }

// Through a function between the goroutine and the send.
func Through(n int) (sum int) {
	ch := make(chan int)
	for i := range n {
		go func() { helper(ch, i) }()
	}
	for range n {
		sum += <-ch
	}
	return sum
}

// Asked sends only what it is asked for.
func Asked(n int) error {
	ask, answer := make(chan int), make(chan int, 1)
	go func() {
		for q := range ask {
			answer <- q
		}
	}()
	defer close(ask)
	for range n {
		ask <- 1
		<-answer
		if err := work(); err != nil {
			return err
		}
	}
	return nil
}

// Joined receives after its senders have ended, with room for all.
func Joined(xs []int) error {
	ch := make(chan error, len(xs))
	var wg sync.WaitGroup
	for range xs {
		wg.Add(1)
		go func() { defer wg.Done(); ch <- work() }()
	}
	go func() { <-time.After(1) }()
	wg.Wait()
	close(ch)
	for err := range ch {
		if err != nil {
			return err
		}
	}
	return nil
}

func start() (chan int, error) {
	ch := make(chan int)
	go func() { ch <- 1 }()
	return ch, nil
}

// Both receives from one of two results on every path.
func Both() int {
	ch, err := start()
	if err != nil {
		fmt.Println(err)
	}
	return <-ch
}

func begin() chan int {
	ch := make(chan int)
	go func() { ch <- 1 }()
	return ch
}

// Passed hands the channel on, to a function that may receive.
func Passed() { sendOne(begin()) }

// Resent sends to the channel that it gets.
func Resent(done chan bool) {
	ch := begin()
	select {
	case ch <- 1:
	case <-done:
	}
}

// Constant: the path is decided before.
func Constant() int {
	ch := make(chan int)
	go func() { ch <- 1 }()
	tries := 0
	for tries < 1 {
		tries++
		return <-ch
	}
	return 0
}

// Local receives in a closure.
func Local() (v int) {
	ch := make(chan int)
	go func() { ch <- 1 }()
	get := func() { v = <-ch }
	get()
	return v
}

// Gone does not come back without a value.
func Gone() int {
	ch := make(chan int)
	go func() { ch <- 1 }()
	if work() != nil {
		panic("work")
	}
	if errors.Is(work(), errFull) {
		log.Fatal("full")
	}
	ok := false
	if !ok {
		return <-ch
	}
	return 0
}

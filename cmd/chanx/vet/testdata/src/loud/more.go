package loud

import (
	"errors"
	"sync"
	"time"
)

// started elsewhere: a worker that other packages run.
type split struct{ ch chan int }

func (s *split) put(v int) { s.ch <- v }

func begin() (chan int, error) {
	ch := make(chan int)
	go func() {
		ch <- 1 // want `abandoned send: Both, which gets channel ch`
	}()
	return ch, nil
}

// Both gets the channel as one of two results.
func Both(stop chan bool) int {
	ch, err := begin()
	if err != nil {
		return 0
	}
	select {
	case v := <-ch:
		return v
	case <-stop:
		return 0
	}
}

// Through a helper.
func Through(stop chan bool) int {
	ch := make(chan int)
	go func() { helper(ch) }()
	select {
	case v := <-ch:
		return v
	case <-stop:
		return 0
	}
}

func helper(ch chan int) {
	ch <- 1 // want `abandoned send: Through`
}

// assigned changes the number of values after the make: no fix.
func assigned(xs []int) int {
	ch := make(chan int)
	xs = append(xs, 1)
	for _, x := range xs {
		go func() { ch <- x }()
	}
	return <-ch // want `abandoned send: assigned receives one value`
}

// counted has an int for the number, and a literal.
func counted(n int) int {
	ch := make(chan int)
	for range n {
		go func() { ch <- n }()
	}
	v := <-ch // want `make the channel with capacity n`
	return v
}

func literal() int {
	ch := make(chan int)
	for range []int{1, 2, 3} {
		go func() { ch <- 1 }()
	}
	return <-ch // want `literal receives one value .*SendContext`
}

func nested(xs []int) int {
	ch := make(chan int)
	for range 3 {
		for range xs {
			go func() { ch <- 1 }()
		}
	}
	return <-ch // want `nested receives one value .*SendContext`
}

func named(m map[string]int, s string) int {
	ch := make(chan int)
	for range s {
		go func() { ch <- 1 }()
	}
	return <-ch // want `named receives one value .*SendContext`
}

// twice sends two values each.
func twice(stop chan bool) int {
	ch := make(chan int)
	go func() {
		ch <- 1 // want `abandoned send: twice .*SendContext`
		ch <- 2
	}()
	select {
	case v := <-ch:
		return v
	case <-stop:
		return 0
	}
}

var errOther = errors.New("other")

// errored waits for one error of several tasks, with an errgroup of its own.
type group struct{ wg sync.WaitGroup }

func (g *group) Go(f func() error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		f()
	}()
}

// message leaves its loop for some values.
func message(n int) int {
	ch := make(chan int)
	go func() {
		for i := range n {
			ch <- i
		}
	}()
	for v := range ch {
		if v == 3 {
			return v // want `stops receiving from channel ch .* for some values`
		}
	}
	return 0
}

// failing gets its reason from another channel.
func failing(n int, failed chan error) error {
	ch := make(chan int)
	go func() {
		for i := range n {
			ch <- i
		}
		close(ch)
	}()
	for {
		select {
		case err := <-failed:
			return err // want `stops receiving .* when an error arrives`
		case _, ok := <-ch:
			if !ok {
				return nil
			}
		}
	}
}

// ticking is lost after a time.
type ticking struct {
	mu sync.Mutex
	ch chan int
}

func (t *ticking) put(v int) {
	if v > 0 {
		t.mu.Lock()
		v++
		t.mu.Unlock()
	}
	t.ch <- v
}

func (t *ticking) run() {
	tick := time.NewTicker(time.Second)
	for {
		select {
		case <-tick.C:
			if err := work(); err == errOther {
				return // want `lost consumer: channel ch .* on an error`
			}
		case <-t.ch:
		}
	}
}

func newTicking() *ticking {
	t := &ticking{ch: make(chan int)}
	go t.run()
	return t
}

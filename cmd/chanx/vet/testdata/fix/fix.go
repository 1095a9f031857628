// Package fix has one function for each mechanical fix. Each leaks a goroutine
// before it, and none after it.
package fix

import (
	"errors"
	"sync"
)

var errStopped = errors.New("stopped")

// One leaks a sender of one value.
func One(stop <-chan struct{}) error {
	ch := make(chan error)
	go func() { ch <- nil }()
	select {
	case err := <-ch:
		return err
	case <-stop:
		return errStopped
	}
}

// Two leaks one of two senders.
func Two() {
	done := make(chan bool)
	go half(done)
	go half(done)
	<-done
}

func half(done chan bool) { done <- true }

func begin() chan error {
	ch := make(chan error)
	go func() { ch <- nil }()
	return ch
}

// Handed leaks the sender of a function that hands out its channel.
func Handed(stop <-chan struct{}) error {
	select {
	case err := <-begin():
		return err
	case <-stop:
		return errStopped
	}
}

// Each leaks all senders but one.
func Each(xs []int) int {
	ch := make(chan int)
	for _, x := range xs {
		go func() { ch <- x }()
	}
	return <-ch
}

// After blocks with more than one value, and its senders with it.
func After(xs []int) (sum int) {
	ch := make(chan int, 1)
	var wg sync.WaitGroup
	for _, x := range xs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ch <- x
		}()
	}
	wg.Wait()
	close(ch)
	for x := range ch {
		sum += x
	}
	return sum
}

// Produce does not hear of done while it sends.
func Produce(done <-chan struct{}, ch chan<- int) {
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
			ch <- i
		}
	}
}

// Package facts uses channels together with other packages of its module.
package facts

import (
	"io"
	"time"

	"example.com/facts/internal/bus"
	"example.com/facts/internal/queue"
)

// FirstOf gives up on its sender.
func FirstOf(next func() (int, error), stop <-chan struct{}) int {
	ch := make(chan int)
	go queue.Feed(ch, next) // sends in a loop
	for {
		select {
		case <-stop:
			return 0 // found: Feed
		case v := <-ch:
			if v > 0 {
				return v
			}
		}
	}
}

// Once gives up on one value.
func Once(stop <-chan struct{}) int {
	ch := make(chan int)
	go func() {
		queue.First(ch) // found: First
	}()
	select {
	case v := <-ch:
		return v
	case <-stop:
		return 0
	}
}

// Logger has the consumer, and the sink the sender.
func Logger(w io.Writer) *queue.Sink {
	lines := make(chan string, 8)
	go func() {
		for line := range lines {
			if _, err := io.WriteString(w, line); err != nil {
				return // found: Sink
			}
		}
	}()
	return queue.NewSink(lines)
}

// Listen is the only receiver of a field of the bus.
func Listen(w io.Writer) *bus.Bus {
	b := bus.New()
	go func() {
		for line := range b.Lines {
			if _, err := io.WriteString(w, line); err != nil {
				return // found: Bus
			}
		}
	}()
	return b
}

// Run is the only receiver of a variable.
func Run(work func() error) {
	go func() {
		for range bus.Default {
			if work() != nil {
				return // found: Default
			}
		}
	}()
	bus.Emit()
}

// Drained is received by another package.
func Drained() {
	ch := make(chan int)
	go queue.Drain(ch)
	ch <- 1
}

// Kept may be received by any package.
func Kept() {
	ch := make(chan int)
	queue.Keep(ch)
	go func() { ch <- 1 }()
	select {
	case <-ch:
	case <-time.After(time.Second):
	}
}

// Paired gets its channel as one of two results.
func Paired() int {
	ch, err := queue.Pair()
	if err != nil {
		return 0
	}
	go func() { ch <- 1 }()
	return <-ch
}

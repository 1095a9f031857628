// Package queue is used by package facts: the findings there need its facts.
package queue

// Feed sends until there is no more.
func Feed(ch chan<- int, next func() (int, error)) {
	for {
		v, err := next()
		if err != nil {
			close(ch)
			return
		}
		ch <- v
	}
}

// First sends one value.
func First(ch chan int) { ch <- 1 }

// Drain receives until the channel is closed.
func Drain(ch <-chan int) {
	for range ch {
	}
}

// Keep escapes: any package may receive.
func Keep(ch chan int) any { return ch }

// Sink sends to a channel that it is given.
type Sink struct{ ch chan<- string }

// NewSink returns a sink.
func NewSink(ch chan<- string) *Sink { return &Sink{ch} }

// Put is called by requests.
func (s *Sink) Put(line string) { s.ch <- line }

// Pair returns a channel, and another value.
func Pair() (chan int, error) { return make(chan int), nil }

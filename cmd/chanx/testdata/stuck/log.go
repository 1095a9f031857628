package main

import "sync/atomic"

// writer is the log writer of the incident: one goroutine moves records from
// a channel into a buffer, another one moves buffers on.
type writer struct {
	rec  chan string
	full chan []string
	gone atomic.Bool
}

func newWriter() *writer {
	w := &writer{rec: make(chan string, 4), full: make(chan []string)}
	go func() {
		for r := range w.rec {
			if r == "poison" {
				w.gone.Store(true)
				return // the bug: nobody receives from rec any more
			}
			w.full <- []string{r}
		}
	}()
	go func() {
		for {
			select {
			case <-w.full:
			}
		}
	}()
	return w
}

// Write blocks once the first goroutine has returned and rec is full.
func (w *writer) Write(record string) {
	w.rec <- record
}

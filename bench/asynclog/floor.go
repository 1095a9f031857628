package asynclog

import (
	"io"
	"runtime"
	"sync"
)

// floor does the least that a writer has to do which takes every line: lock,
// copy, unlock, into as much memory as asynclog has. It counts nothing, tells
// nothing and writes nothing. With few producers no such writer can cost them
// less, so it shows which of the ratios asked for a machine allows at all. It is
// no peer.
var floor = peer{
	name: "lock and copy",
	open: func(sink) (io.Writer, func() float64) {
		return &floorWriter{memory: make([]byte, 4<<20)}, nothing
	},
}

type floorWriter struct {
	mu     sync.Mutex
	at     int
	memory []byte
}

func (f *floorWriter) Write(p []byte) (int, error) {
	f.lock()
	if f.at+len(p) > len(f.memory) {
		f.at = 0
	}
	f.at += copy(f.memory[f.at:], p)
	f.mu.Unlock()
	return len(p), nil
}

// lock lets others run before it waits: of several ways this was the cheapest
// with two producers. With many more, two of which always run, the lock itself
// is what costs, and a writer whose own goroutine takes the second processor
// can be cheaper than this; so there it is no floor.
func (f *floorWriter) lock() {
	for range 3 {
		if f.mu.TryLock() {
			return
		}
		runtime.Gosched()
	}
	f.mu.Lock()
}

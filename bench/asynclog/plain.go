package asynclog

import (
	"io"
	"sync"
)

// plain is a file under a mutex: an *os.File has one of its own, but the sinks
// here count what they take.
var plain = peer{
	name: "plain file", full: waits,
	open: func(s sink) (io.Writer, func() float64) {
		return &plainWriter{to: s}, nothing
	},
}

type plainWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (p *plainWriter) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to.Write(b)
}

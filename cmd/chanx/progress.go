package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows on a terminal how much has been read, once that takes
// longer than a second. It has no goroutine: it looks at the clock when data
// arrives, and a server that sends nothing is the business of the timeout.
type progress struct {
	w io.Writer // nil: shows nothing

	mu      sync.Mutex
	started time.Time
	shown   time.Time
	bytes   int64
}

// newProgress returns a progress that is silent unless stderr is a terminal.
func newProgress(c *console) *progress {
	p := &progress{started: time.Now()}
	if _, ok := terminal(c.stderr); ok {
		p.w = c.stderr
	}
	return p
}

// add counts n bytes more, from any goroutine.
func (p *progress) add(n int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes += int64(n)
	if p.w == nil || now.Sub(p.started) < time.Second ||
		now.Sub(p.shown) < 200*time.Millisecond {
		return
	}
	p.shown = now
	fmt.Fprintf(p.w, "\r\x1b[Kreading: %.1f MB, %.0f s", float64(p.bytes)/1e6,
		now.Sub(p.started).Seconds())
}

// done wipes the line.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shown.IsZero() {
		io.WriteString(p.w, "\r\x1b[K")
		p.shown = time.Time{}
	}
}

// reader counts what is read from r.
func (p *progress) reader(r io.Reader) io.Reader {
	return counted{r, p}
}

type counted struct {
	io.Reader
	p *progress
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.p.add(n, time.Now())
	return n, err
}

package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"example.com/chanx/internal/printable"
)

// progress shows how much has been read once that takes longer than a second:
// on a terminal in one line that is erased at the end, in a pipe in a line from
// time to time. It has no goroutine: it reads the clock when data arrives, and a
// server that sends nothing is bounded by the timeout.
type progress struct {
	w       io.Writer
	screen  bool // w is a terminal
	servers int  // to be asked

	mu      sync.Mutex
	started time.Time
	shown   time.Time
	bytes   int64
	asked   int // of the servers, in this look
}

// inPipe is the least time between two lines in a pipe.
const inPipe = 5 * time.Second

func newProgress(c *console, servers int) *progress {
	p := &progress{w: c.stderr, servers: servers, started: time.Now()}
	_, p.screen = terminal(c.stderr)
	return p
}

// add counts n bytes more, from any goroutine.
func (p *progress) add(n int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes += int64(n)
	p.show(now)
}

// answered counts a server that has been asked, with or without success.
func (p *progress) answered(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	p.show(now)
}

func (p *progress) show(now time.Time) {
	wait := inPipe
	if p.screen {
		wait = 200 * time.Millisecond
	}
	since := p.shown
	if since.IsZero() && !p.screen {
		since = p.started
	}
	if p.w == nil || now.Sub(p.started) < time.Second || now.Sub(since) < wait {
		return
	}
	p.shown = now
	text := fmt.Sprintf("reading: %.1f MB, %.0f s", float64(p.bytes)/1e6,
		now.Sub(p.started).Seconds())
	if p.servers > 1 {
		text += fmt.Sprintf(", %d of %d servers", p.asked, p.servers)
	}
	if p.screen {
		io.WriteString(p.w, "\r\x1b[K"+text)
	} else {
		io.WriteString(p.w, "chanx: "+text+"\n")
	}
}

// look writes the result of the nth look as a line.
func (p *progress) look(n int, targets []*target, now time.Time) {
	p.done()
	goroutines, silent := 0, 0
	for _, t := range targets {
		switch {
		case t.server == nil:
		case t.err != nil:
			silent++
		case t.report != nil:
			goroutines += t.report.Goroutines
		case len(t.snaps) > 0:
			goroutines += t.snaps[len(t.snaps)-1].Goroutines
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = 0
	text := fmt.Sprintf("look %d after %v: %s", n,
		now.Sub(p.started).Round(100*time.Millisecond),
		printable.Plural(goroutines, "goroutine"))
	if silent > 0 {
		text += fmt.Sprintf(", %d of %s failed", silent,
			printable.Plural(p.servers, "server"))
	}
	io.WriteString(p.w, "chanx: "+text+"\n")
}

// done erases the line.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.screen && !p.shown.IsZero() {
		io.WriteString(p.w, "\r\x1b[K")
		p.shown = time.Time{}
	}
}

// reader counts the bytes read from r.
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

package main

import (
	"context"
	"errors"
	"io"
	"os"
)

// errInterrupted is the error of a read that the user has interrupted.
var errInterrupted = errors.New("interrupted")

// interruptible returns a reader that ends with errInterrupted when ctx is
// done, whatever r does: a terminal, a pipe or a file on a dead server may
// block a read that nothing can cancel. Such a read keeps its goroutine, which
// ends with r or with the process.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	if r == nil {
		return nil
	}
	return &pump{ctx: ctx, r: r, full: make(chan chunk),
		free: make(chan []byte, 1)}
}

// pump reads one chunk after another on a goroutine.
type pump struct {
	ctx     context.Context
	r       io.Reader
	full    chan chunk
	free    chan []byte
	current chunk
	rest    []byte // of current that has not been handed out
}

type chunk struct {
	data []byte
	err  error
}

func (p *pump) Read(b []byte) (int, error) {
	if p.current.data == nil {
		p.current.data = make([]byte, 128<<10)
		go p.run()
	}
	if len(p.rest) == 0 && p.current.err == nil {
		p.next()
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	if len(p.rest) > 0 {
		return n, nil
	}
	return n, p.current.err
}

// next returns the chunk to the goroutine and takes another.
func (p *pump) next() {
	p.free <- p.current.data[:cap(p.current.data)]
	select {
	case p.current = <-p.full:
		p.rest = p.current.data
	case <-p.ctx.Done():
		p.current.err = errInterrupted
	}
}

// run ends after an error, and once ctx is done unless r blocks.
func (p *pump) run() {
	for {
		var c chunk
		select {
		case c.data = <-p.free:
		case <-p.ctx.Done():
			return
		}
		n, err := p.r.Read(c.data)
		select {
		case p.full <- chunk{c.data[:n], err}:
		case <-p.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// open opens a file, or gives up when ctx is done: opening a named pipe blocks
// until there is a writer.
func open(ctx context.Context, name string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(name)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.f, o.err
	case <-ctx.Done():
		return nil, errInterrupted
	}
}

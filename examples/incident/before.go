package main

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// traceWriter is the log writer of the outage, with the parts and names it had
// there: an example of what not to do. No part of it is a slip that a review
// would have caught alone; together they stop a service.
type traceWriter struct {
	disk       *disk
	rec        chan string
	rot        chan struct{}
	full, free chan *bytes.Buffer
	quit       chan struct{}
	goroutines sync.WaitGroup

	file io.WriteCloser // used by the goroutine that holds a buffer

	accepted, buffered, dropped atomic.Int64
}

// newTraceWriter starts the two goroutines. They pass two buffers around: full
// buffers go to func2, which returns them empty.
func newTraceWriter(d *disk) (*traceWriter, error) {
	w := &traceWriter{
		disk: d,
		rec:  make(chan string, queue),
		rot:  make(chan struct{}),
		// There are two buffers, and close adds two.
		full: make(chan *bytes.Buffer, 4),
		free: make(chan *bytes.Buffer, 4),
		quit: make(chan struct{}),
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	w.free <- new(bytes.Buffer)
	w.free <- new(bytes.Buffer)
	w.goroutines.Go(w.func1)
	w.goroutines.Go(w.func2)
	return w, nil
}

// LogWrite is called by every request. Its first line is the outage.
func (w *traceWriter) LogWrite(r string) {
	w.rec <- r
	w.accepted.Add(1)
}

// func1 moves records into a buffer. It has three ways to stop, and none is
// noticed: the return on an error, the panic that is recovered so that the log
// cannot crash the service, and, if func2 has returned, the wait for a buffer.
func (w *traceWriter) func1() {
	defer func() { _ = recover() }()
	buf := <-w.free
	flush := time.NewTicker(50 * time.Millisecond)
	defer flush.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-w.rot:
			buf = w.hand(buf)
			if err := w.reopen(); err != nil {
				return
			}
		case r := <-w.rec:
			w.buffered.Add(1)
			buf.WriteString(r)
			if buf.Len() > 4096 {
				buf = w.hand(buf)
			}
		case <-flush.C:
			buf = w.hand(buf)
		}
	}
}

// hand gives buf to func2 and returns the other buffer.
func (w *traceWriter) hand(buf *bytes.Buffer) *bytes.Buffer {
	w.full <- buf
	return <-w.free
}

// reopen waits until func2 has written everything, so that no record goes to
// the wrong file, and changes the file.
func (w *traceWriter) reopen() error {
	w.free <- <-w.free
	if err := w.file.Close(); err != nil {
		return err
	}
	return w.open()
}

// open opens a file and writes its first line. If that fails the file stays
// open and empty, as in the outage.
func (w *traceWriter) open() error {
	file, err := w.disk.open()
	if err != nil {
		return err
	}
	w.file = file
	_, err = io.WriteString(w.file, "# a new file\n")
	return err
}

// func2 moves buffers into the file.
func (w *traceWriter) func2() {
	for {
		select {
		case <-w.quit:
			return
		case buf := <-w.full:
			lines := int64(bytes.Count(buf.Bytes(), []byte("\n")))
			_, err := w.file.Write(buf.Bytes())
			w.buffered.Add(-lines)
			if err != nil {
				w.dropped.Add(lines)
				return
			}
			buf.Reset()
			w.free <- buf
		}
	}
}

// rotate asks func1 for a new file, and gives up after patience.
func (w *traceWriter) rotate(patience time.Duration) {
	_ = chanx.SendTimeout(w.rot, struct{}{}, patience)
}

func (w *traceWriter) account() account {
	return account{
		Accepted: w.accepted.Load(),
		Dropped:  w.dropped.Load(),
		Buffered: w.buffered.Load() + int64(len(w.rec)),
	}
}

// unblock receives from rec until close, which ends the requests that hang.
func (w *traceWriter) unblock() {
	w.goroutines.Go(func() {
		for {
			select {
			case <-w.quit:
				return
			case <-w.rec:
			}
		}
	})
}

// close ends the goroutines. A func1 that waits for a buffer gets one.
func (w *traceWriter) close() error {
	close(w.quit)
	w.free <- new(bytes.Buffer)
	w.free <- new(bytes.Buffer)
	w.goroutines.Wait()
	w.file.Close() // an error: func1 has closed it
	return nil
}

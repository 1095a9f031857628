package main

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"example.com/chanx"
)

// traceWriter is the log writer of the outage, with the parts and the names it
// had there. It is what not to do: nothing in here is a slip that a review
// would have caught alone, and together they stop a service.
type traceWriter struct {
	disk       *disk
	rec        chan record
	rot        chan struct{}
	full, free chan *bytes.Buffer
	quit       chan struct{}
	goroutines sync.WaitGroup

	file *logFile // whoever holds a buffer may use it

	accepted, buffered, dropped atomic.Int64
}

// newTraceWriter starts the two goroutines. They hand two buffers around: full
// ones go to func2, and come back empty.
func newTraceWriter(d *disk) (*traceWriter, error) {
	file, err := d.open()
	if err != nil {
		return nil, err
	}
	w := &traceWriter{
		disk: d,
		file: file,
		rec:  make(chan record, queue),
		rot:  make(chan struct{}),
		// There are two buffers, and close has two more.
		full: make(chan *bytes.Buffer, 4),
		free: make(chan *bytes.Buffer, 4),
		quit: make(chan struct{}),
	}
	w.free <- new(bytes.Buffer)
	w.free <- new(bytes.Buffer)
	w.goroutines.Go(w.func1)
	w.goroutines.Go(w.func2)
	return w, nil
}

// LogWrite is called by every request. Its first line is the outage.
func (w *traceWriter) LogWrite(r record) {
	w.rec <- r
	w.accepted.Add(1)
}

// func1 moves records into a buffer. It has three ways out, and none of them
// is noticed: the return on an error, the panic that is recovered so that the
// log cannot crash the service, and, if func2 is gone, the wait for a buffer.
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
			if err := w.rotate(); err != nil {
				return
			}
		case r := <-w.rec:
			w.buffered.Add(1)
			r.appendTo(buf)
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

// rotate waits until func2 has written everything, so that no record is
// written to the wrong file, and changes the file.
func (w *traceWriter) rotate() error {
	w.free <- <-w.free
	if err := w.file.Close(); err != nil {
		return err
	}
	file, err := w.disk.open()
	if err != nil {
		return err
	}
	w.file = file
	return nil
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

// rotation asks for a new file, and gives up if nobody takes the request.
func (w *traceWriter) rotation(patience time.Duration) {
	_ = chanx.SendTimeout(w.rot, struct{}{}, patience)
}

func (w *traceWriter) account() account {
	return account{
		Accepted: w.accepted.Load(),
		Dropped:  w.dropped.Load(),
		Buffered: w.buffered.Load() + int64(len(w.rec)),
	}
}

// release does what nobody did in the outage: it receives from rec, until ctx
// is done. What it receives has been measured, and is of no further use.
func (w *traceWriter) release(ctx context.Context) {
	for {
		if _, err := chanx.RecvContext(ctx, w.rec); err != nil {
			return
		}
	}
}

// close ends what is left of the two goroutines. A func1 that waits for a
// buffer gets one.
func (w *traceWriter) close() {
	close(w.quit)
	w.free <- new(bytes.Buffer)
	w.free <- new(bytes.Buffer)
	w.goroutines.Wait()
	w.file.Close()
}

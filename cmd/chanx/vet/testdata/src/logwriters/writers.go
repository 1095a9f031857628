// Package logwriters has the shapes of the log writers whose lost consumers
// stopped services: a channel of records, and a goroutine that returns on the
// first error.
package logwriters

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

type record struct{ text string }

const room = 32

// fileWriter has a second request channel, with the same consumer.
type fileWriter struct {
	records chan *record
	rotate  chan bool
	file    *os.File
}

func (w *fileWriter) Log(r *record) { w.records <- r }
func (w *fileWriter) Rotate()       { w.rotate <- true }
func (w *fileWriter) Close()        { close(w.records) }

func (w *fileWriter) reopen() error {
	f, err := os.Create("log")
	w.file = f
	return err
}

func newFileWriter() *fileWriter {
	w := &fileWriter{records: make(chan *record, room), rotate: make(chan bool)}
	go func() {
		defer w.file.Close()
		for {
			select {
			case <-w.rotate:
				if err := w.reopen(); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return // want `lost consumer: channel records .*newFileWriter\$1 returns here on an error; then \(\*fileWriter\).Log` `lost consumer: channel rotate .*Rotate`
				}
			case r, ok := <-w.records:
				if !ok {
					return
				}
				if _, err := fmt.Fprint(w.file, r.text); err != nil {
					return
				}
			}
		}
	}()
	return w
}

// socketWriter is a channel with methods.
type socketWriter chan *record

func (w socketWriter) Log(r *record) { w <- r }
func (w socketWriter) Close()        { close(w) }

func newSocketWriter(address string) socketWriter {
	conn, err := dial(address)
	if err != nil {
		return nil
	}
	w := socketWriter(make(chan *record, room))
	go func() {
		defer conn.Close()
		for r := range w {
			text, err := encode(r)
			if err != nil {
				return // want `lost consumer: .*newSocketWriter\$1 returns here on an error`
			}
			if _, err := conn.Write(text); err != nil {
				return
			}
		}
	}()
	return w
}

func dial(address string) (io.WriteCloser, error) { return os.Open(address) }

func encode(r *record) ([]byte, error) { return []byte(r.text), nil }

// formatWriter recovers, so that the log cannot crash the service.
type formatWriter chan *record

func (w formatWriter) Log(r *record) { w <- r }

func newFormatWriter(out io.Writer) formatWriter {
	w := make(formatWriter, room)
	go w.run(out)
	return w
}

func (w formatWriter) run(out io.Writer) {
	defer hushed() // want `lost consumer: .*returns here after a panic, which is recovered`
	for r := range w {
		fmt.Fprint(out, r.text)
	}
}

func hushed() { _ = recover() }

// traceWriter has two goroutines with buffers between them.
type traceWriter struct {
	records chan *record
	rotate  chan struct{}
	full    chan *bytes.Buffer
	file    *os.File
}

func (w *traceWriter) Log(r *record) { w.records <- r }
func (w *traceWriter) RotateTrace()  { w.rotate <- struct{}{} }
func (w *traceWriter) renew() error  { return w.file.Sync() }

func newTraceWriter() *traceWriter {
	w := &traceWriter{records: make(chan *record, room),
		rotate: make(chan struct{}), full: make(chan *bytes.Buffer, 2)}
	go w.collect()
	go w.write()
	return w
}

func (w *traceWriter) collect() {
	buf := new(bytes.Buffer)
	for {
		select {
		case <-w.rotate:
			if err := w.renew(); err != nil {
				return // want `lost consumer: channel records .*traceWriter` `lost consumer: channel rotate`
			}
		case r := <-w.records:
			buf.WriteString(r.text)
			if buf.Len() > 4096 {
				w.full <- buf
				buf = new(bytes.Buffer)
			}
		}
	}
}

func (w *traceWriter) write() {
	for buf := range w.full {
		if _, err := w.file.Write(buf.Bytes()); err != nil {
			return // want `lost consumer: channel full .*\(\*traceWriter\).write returns here on an error; then \(\*traceWriter\).collect`
		}
	}
}

// Package log4go is a log writer in the shape of the one of the incident: a
// channel, a goroutine that moves records into a buffer, a goroutine that
// moves buffers into a sink; both return on an error.
package log4go

import "errors"

// FileLogTraceWriter writes records.
type FileLogTraceWriter struct {
	rec  chan string
	buf  chan []string
	Fail chan error
}

// NewFileLogTraceWriter starts the two goroutines.
func NewFileLogTraceWriter(write func([]string) error) *FileLogTraceWriter {
	w := &FileLogTraceWriter{
		rec: make(chan string, 4), buf: make(chan []string), Fail: make(chan error),
	}
	go func() {
		var pending []string
		for {
			select {
			case r := <-w.rec:
				if pending = append(pending, r); len(pending) == 2 {
					w.buf <- pending
					pending = nil
				}
			case <-w.Fail:
				return
			}
		}
	}()
	go func() {
		for {
			select {
			case b := <-w.buf:
				if write(b) != nil {
					return
				}
			}
		}
	}()
	return w
}

// LogWrite hands a record over, and waits for ever if nobody takes it.
func (w *FileLogTraceWriter) LogWrite(r string) {
	w.rec <- r
}

// ErrDisk is what a full disk says.
var ErrDisk = errors.New("no space left on device")

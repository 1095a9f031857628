package asynclog

import (
	"errors"
	"fmt"
	"os"
)

// A flusher has a buffer in memory, and a syncer one in the operating system.
type (
	flusher interface{ Flush() error }
	syncer  interface{ Sync() error }
)

// flushes reports whether f has to wait for a call of the sink's Flush or
// Sync.
func (w *Writer) flushes(f *flush) bool {
	if _, ok := w.sink.(flusher); ok {
		return true
	}
	_, ok := w.sink.(syncer)
	return ok && f.sync
}

// lastStep has the sink flushed before the worker ends, as the records that a
// bufio.Writer holds were accepted. It does not sync: an fsync can take
// seconds, and closing a file does not imply one. The caller holds mu.
func (w *Writer) lastStep() stepKind {
	if _, ok := w.sink.(flusher); ok && !w.flushedLast {
		w.flushedLast = true // first: a panic must not repeat it
		return stepFlush
	}
	return stepEnd
}

var errFlushPanic = errors.New("its Flush or Sync did not return normally")

// flushSink calls the sink's Flush and Sync for all callers in w.flushing. A
// panic ends the worker, as one in Write does.
func (w *Writer) flushSink() {
	waiting, sync := w.beginSinkFlush()
	if !w.gate.enter() { // Shutdown has given up
		return
	}
	err := errFlushPanic
	defer func() {
		w.gate.leave()
		w.endSinkFlush(waiting, err)
	}()
	err = flushAndSync(w.sink, sync)
}

// beginSinkFlush reports whether one of the callers waits for a Sync as well.
func (w *Writer) beginSinkFlush() (waiting []*flush, sync bool) {
	w.lock()
	defer w.unlock()
	for _, f := range w.flushing {
		sync = sync || f.sync
	}
	return w.flushing, sync
}

// endSinkFlush releases the waiting callers with the result of the flush.
func (w *Writer) endSinkFlush(waiting []*flush, err error) {
	w.lock()
	defer w.unlock()
	w.flushing = nil
	err = w.sinkFlushed(err)
	for _, f := range waiting {
		f.err = err
		close(f.done)
	}
}

// sinkFlushed keeps err, of the last flush also for the result of Shutdown.
// The caller holds mu.
func (w *Writer) sinkFlushed(err error) error {
	if err == nil {
		return nil
	}
	w.sinkState.errors++
	w.sinkState.keep(err)
	err = &flushError{err}
	if w.flushedLast {
		w.lastErr = err
	}
	return err
}

// flushError formats the sink's error only when it is asked, since Error is
// foreign code and must not run under mu.
type flushError struct{ err error }

func (e *flushError) Error() string {
	return fmt.Sprintf("asynclog: flushing the sink: %v", e.err)
}

func (e *flushError) Unwrap() error { return e.err }

func flushAndSync(sink any, sync bool) error {
	if s, ok := sink.(flusher); ok {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	if s, ok := sink.(syncer); ok && sync && syncable(sink) {
		if err := s.Sync(); !cannotSync(err) {
			return err
		}
	}
	return nil
}

// syncable reports whether Sync makes sense: on a pipe or a terminal it is an
// error, see cannotSync, and on Windows one that tells nothing.
func syncable(sink any) bool {
	f, ok := sink.(*os.File)
	if !ok {
		return true
	}
	st, err := f.Stat()
	return err != nil || st.Mode().IsRegular()
}

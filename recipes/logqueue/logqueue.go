// Package logqueue writes lines on its own goroutine, so that callers never wait
// for the disk or the network, and reports in the stream how many it dropped.
//
// When to use it: the writer of metrics, events or an audit trail must not slow
// requests down, whatever its sink does, and losing the oldest lines is better
// than waiting.
//
// When not: a log. Use asynclog, which has a budget in bytes, levels, and files
// that survive rotation. Not one line may be lost; use recipe batch.
//
// Without it: the consumer returns on an error of the sink, the channel fills,
// and each request blocks on its send, as in jeanphorn/log4go#22:
//
//	for rec := range w.rec {
//		if _, err := file.Write(rec); err != nil {
//			return
//		}
//	}
//
// Edge cases:
//   - slow or stuck sink: Log goes on at the speed of memory. The oldest lines
//     make room, and the stream has their number once it moves.
//   - failing sink: the lines of a failed write are missing, and the next write
//     is tried. A write that failed halfway counts as missing as a whole.
//   - shutdown: the queued lines are written. The error has the number of
//     missing lines that the stream does not report, and the reason.
//   - shutdown deadline: the error has the number of lines left. The goroutine
//     ends with the call of the sink.
//   - after shutdown: Log returns false; the line is not queued.
//   - accounts: the lines that are in the stream, and those it says are missing,
//     are all that Log accepted, once Shutdown has returned nil.
//
// A sink that panics ends the process.
//
// Search: metric queue, metrics writer, event writer, audit trail, non-blocking
// writer, log lines without blocking, fire and forget.
package logqueue

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"example.com/chanx"
)

// A Queue is made by New and ended by Shutdown.
type Queue struct {
	ring    *chanx.Ring[string]
	sink    io.Writer
	done    chan struct{} // closed when consume has returned
	written atomic.Uint64 // lines
	failed  atomic.Uint64 // lines of writes that failed
	told    uint64        // missing lines that the stream tells of
	err     error         // the last one of the sink
}

// New starts the goroutine that writes to sink. Up to capacity lines wait.
func New(sink io.Writer, capacity int) *Queue {
	q := &Queue{ring: chanx.NewRing[string](capacity), sink: sink,
		done: make(chan struct{})}
	go q.consume()
	return q
}

// Log queues a line and reports whether it did. It never waits.
func (q *Queue) Log(line string) bool { return q.ring.Send(line) }

// Missing returns the number of accepted lines that will not be written.
func (q *Queue) Missing() uint64 {
	return q.failed.Load() + q.ring.Stats().Dropped
}

// Shutdown waits until every queued line was tried or ctx is done.
func (q *Queue) Shutdown(ctx context.Context) error {
	q.ring.Close()
	select {
	case <-q.done:
	case <-ctx.Done():
		left := q.ring.Stats().Sent - q.Missing() - q.written.Load()
		return fmt.Errorf("%d lines left: %w", left, ctx.Err())
	}
	if n := q.Missing() - q.told; n > 0 {
		return fmt.Errorf("%d lines missing and not reported: %w", n, q.err)
	}
	return nil
}

// consume ends when the ring is closed and empty, and not on an error.
func (q *Queue) consume() {
	defer close(q.done)
	batch := make([]string, min(q.ring.Cap(), 256))
	for {
		n, err := q.ring.RecvBatch(context.Background(), batch)
		q.write(batch[:n])
		if err != nil {
			return // after the last report, if one was due
		}
		clear(batch[:n]) // do not keep the lines alive while idle
	}
}

func (q *Queue) write(lines []string) {
	var buf bytes.Buffer
	missing := q.Missing()
	if missing > q.told {
		fmt.Fprintf(&buf, "(%d lines missing)\n", missing-q.told)
	}
	for _, line := range lines {
		buf.WriteString(line + "\n")
	}
	if buf.Len() == 0 {
		return
	}
	if _, q.err = q.sink.Write(buf.Bytes()); q.err != nil {
		q.failed.Add(uint64(len(lines)))
		return
	}
	q.told = missing
	q.written.Add(uint64(len(lines)))
}

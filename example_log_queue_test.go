package chanx_test

// A log or metric queue that never blocks the caller.
//
// Use when: writing must not slow the request down, whatever the disk or the
// network does, and losing the oldest lines is better than waiting.
//
// Edge cases:
//   - sink slow or stuck: Log goes on at memory speed; the oldest lines make
//     room, and the stream says how many are missing as soon as it moves.
//   - sink failing: the lines of that write count as missing and the consumer
//     goes on. A consumer that returns on an error is how a full disk stops a
//     service.
//   - Shutdown: writes what is queued. With a sink that is stuck it gives up
//     when ctx is done; the consumer then ends with the sink's call.
//   - Log after Shutdown: false, the line is not queued.
//   - written + missing + queued is what Log took, with what the consumer has
//     in hand; a write that failed halfway counts as missing as a whole.
//
// To change: string to your record type, and what write does to a batch. For
// log files there is asynclog, which does this with a budget in bytes and a
// file that survives rotation. If the sink may panic, run consume as in
// example_supervised_consumer_test.go.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"example.com/chanx"
)

// A lineQueue writes lines to a sink on a goroutine of its own. It must be
// shut down.
type lineQueue struct {
	ring    *chanx.Ring[string]
	sink    io.Writer
	done    chan struct{} // closed when consume has returned
	written atomic.Uint64 // lines
	failed  atomic.Uint64 // lines of writes that failed
}

func newLineQueue(sink io.Writer, capacity int) *lineQueue {
	q := &lineQueue{
		ring: chanx.NewRing[string](capacity),
		sink: sink,
		done: make(chan struct{}),
	}
	go q.consume()
	return q
}

// Log queues a line and reports whether it did: false after Shutdown only.
func (q *lineQueue) Log(line string) bool { return q.ring.Send(line) }

// Missing is the number of lines that were queued and will not be written.
func (q *lineQueue) Missing() uint64 {
	return q.ring.Stats().Dropped + q.failed.Load()
}

// Shutdown waits until everything queued has been written or ctx is done.
func (q *lineQueue) Shutdown(ctx context.Context) error {
	q.ring.Close()
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// consume has one way out: the ring is closed and empty.
func (q *lineQueue) consume() {
	defer close(q.done)
	batch := make([]string, min(q.ring.Cap(), 256))
	told := uint64(0) // missing lines the stream tells of
	for {
		n, err := q.ring.RecvBatch(context.Background(), batch)
		if err != nil {
			return
		}
		told = q.write(batch[:n], told)
		clear(batch[:n]) // do not keep the lines alive while idle
	}
}

// write returns how many missing lines the stream tells of now. A report that
// could not be written is made again with the next batch.
func (q *lineQueue) write(lines []string, told uint64) uint64 {
	var buf bytes.Buffer
	missing := q.Missing()
	if missing > told {
		fmt.Fprintf(&buf, "(%d lines missing)\n", missing-told)
	}
	for _, line := range lines {
		buf.WriteString(line)
		buf.WriteByte('\n')
	}
	if _, err := q.sink.Write(buf.Bytes()); err != nil {
		q.failed.Add(uint64(len(lines)))
		return told
	}
	q.written.Add(uint64(len(lines)))
	return missing
}

// A stuckDisk takes nothing until it is mended.
type stuckDisk struct {
	bytes.Buffer
	writing chan struct{} // gets a token when somebody waits for the disk
	mended  chan struct{}
}

func (d *stuckDisk) Write(p []byte) (int, error) {
	chanx.TrySend(d.writing, struct{}{})
	<-d.mended
	return d.Buffer.Write(p)
}

func Example_logQueue() {
	disk := &stuckDisk{
		writing: make(chan struct{}, 1),
		mended:  make(chan struct{}),
	}
	q := newLineQueue(disk, 4)
	q.Log("starting")
	<-disk.writing

	for i := range 10 { // returns at once, although the disk is stuck
		q.Log(fmt.Sprint("request ", i+1))
	}
	close(disk.mended)
	if err := q.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Print(disk.String())
	fmt.Println("written", q.written.Load(), "missing", q.Missing())
	fmt.Println("logged after shutdown:", q.Log("late"))
	// Output:
	// starting
	// (6 lines missing)
	// request 7
	// request 8
	// request 9
	// request 10
	// written 5 missing 6
	// logged after shutdown: false
}

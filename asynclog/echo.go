package asynclog

import (
	"bytes"
	"runtime"
)

// goidLen is room for "goroutine 18446744073709551615 [".
const goidLen = 32

type goid [goidLen]byte

// currentGoroutine returns "goroutine 123 [", which is how the runtime tells
// a goroutine's number, and the only way. It walks the stack for that, which
// takes 5 to 60 µs, so it is asked for only by a Write that is about to wait,
// and for one batch in echoRounds.
func currentGoroutine() (id goid) {
	runtime.Stack(id[:], false)
	clear(id[bytes.IndexByte(id[:], '[')+1:])
	return id
}

// onWorker reports whether the caller runs on the worker's goroutine, which is
// to say within the sink or Options.Report. A Write from there must not wait
// for room, since only the worker makes room. The caller does not hold mu.
func (w *Writer) onWorker() bool {
	id := currentGoroutine()
	w.lock()
	defer w.unlock()
	return id == w.worker
}

// echoRounds is the number of batches without an idle moment between them
// after which the worker suspects that its sink feeds itself.
const echoRounds = 64

// An echo is a record that the sink itself writes to its own Writer, from
// within a call: a sink that logs its own errors, or a circle made by mistake
// in a configuration. It is accepted like any other record, but causes a call
// of the sink, which logs again, at the full speed of the machine. That shows
// as batches without an idle moment, each of them begun by a record that found
// the buffer empty during the call before; so every 64th such record is asked
// for its goroutine. The first echo found is dropped, and from then on so is
// every echo of a batch that holds an echo.
//
// Not seen: a circle of two Writers, and a sink that logs on another goroutine.
// To look at the return addresses of every record that found the buffer empty,
// as was done before, costs up to 3 µs in the tail of a busy service and found
// the first echo 63 calls sooner.
type echo struct {
	rounds  int  // batches since the worker was idle
	ask     bool // ask for the goroutine of the next candidate
	known   bool // this sink writes echoes
	inBatch bool // the batch in the sink's hands holds an echo
	inQueue bool // the buffer holds one
}

// begin is called when a batch is taken.
func (e *echo) begin() {
	e.rounds++
	e.ask = e.known || e.rounds%echoRounds == 0
	e.inBatch, e.inQueue = e.inQueue, false
}

// idle is called when the worker has nothing to do.
func (e *echo) idle() { e.rounds, e.ask = 0, false }

// drops decides about an echo: the first of a chain passes, later ones are
// dropped, as is the one by which the sink is found out.
func (e *echo) drops() bool {
	if e.known && !e.inBatch {
		e.inQueue = true
		return false
	}
	e.known = true
	return true
}

package asynclog

import (
	"bytes"
	"io"
	"runtime"
	"slices"
)

// goidLen is room for "goroutine 18446744073709551615 [".
const goidLen = 32

// hand is the one place where sinks are called: its address on a stack says
// that somebody's sink is at work further up. Between it and the sink is a
// function, since a profile-guided compiler may turn a call of an interface
// into several, with addresses of their own.
//
//go:noinline
func hand(to io.Writer, p []byte) (int, error) {
	n, err := handOver(to, p)
	return n, err
}

//go:noinline
func handOver(to io.Writer, p []byte) (int, error) { return to.Write(p) }

// addressee is a sink that wants to know where hand expects it back.
type addressee uintptr

func (a *addressee) Write([]byte) (int, error) {
	var pc [1]uintptr
	runtime.Callers(3, pc[:])
	*a = addressee(pc[0])
	return 0, nil
}

// handedFrom is the address in hand, the same for all Writers.
var handedFrom = func() uintptr {
	var a addressee
	_, _ = hand(&a, nil)
	return uintptr(a)
}()

// inCall reports whether a sink called Write, this Writer's or another one's.
// It gives up mu meanwhile: it takes half a microsecond, and three with fifty
// frames to look at. To ask for the goroutine's number at once, and with mu
// held, took five to sixty, as the runtime walks all the stack for that, too,
// and prints it: in a flood by 64 producers a line cost half as much again.
func (w *Writer) inCall() bool {
	w.mu.Unlock()
	defer w.lockPolitely()
	return handed()
}

// handed reports whether hand is on the stack of the calling goroutine.
func handed() bool {
	var pcs [64]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		if slices.Contains(pcs[:n], handedFrom) {
			return true
		}
		if n < len(pcs) {
			return false
		}
	}
}

// goid writes "goroutine 123 [" into b. The runtime tells a goroutine's number
// in no other way.
func goid(b *[goidLen]byte) {
	runtime.Stack(b[:], false)
	clear(b[bytes.IndexByte(b[:], '[')+1:])
}

// own reports whether a record that finds the buffer empty, while the sink is
// being called, is written by the sink itself. The caller holds mu, which is
// given up meanwhile.
//
// After each answer of no it asks half as often, down to once in maxUnasked+1
// times, until the worker has nothing to do. So a flood,
// in which every batch begins with such a record, hardly pays for it, and a
// sink that feeds itself is found out after a bounded number of calls.
func (w *Writer) own() bool {
	if w.unasked > 0 {
		w.unasked--
		return false
	}
	if w.inCall() {
		if goid(&w.who); w.who == w.self {
			return true
		}
	}
	w.seldom = min(2*w.seldom+1, maxUnasked)
	w.unasked = w.seldom
	return false
}

const maxUnasked = 63

// echoes deals with a record that the sink itself writes to its own Writer,
// from within a call: a writer that logs its own troubles, or that was
// configured into a circle by mistake. Such a record is accepted like any
// other. But it will cause a call of the sink, which will log again, and so
// on for ever at the full speed of the machine; so it is dropped, and counted,
// if the batch being written is itself of this kind. Only a record that finds
// the buffer empty while the sink is being called can be the next link of such
// a chain, so others are not looked at: see own. A loss like this is not
// reported until there is something else to be written, as the report would
// start it anew.
//
// It reports whether it has dropped p. The caller holds mu.
//
// What it cannot see is a circle of two Writers, or a sink that logs from
// another goroutine.
func (w *Writer) echoes(p []byte, m mark) bool {
	if !w.echoing {
		w.echo = true
		return false
	}
	quiet := w.buf.losses.n == 0 || w.buf.losses.quiet
	w.buf.refuse(p, m)
	w.buf.losses.quiet = quiet
	return true
}

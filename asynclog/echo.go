package asynclog

import (
	"bytes"
	"runtime"
)

// goidLen is room for "goroutine 18446744073709551615 [".
const goidLen = 32

// goid writes "goroutine 123 [" into b. The runtime tells a goroutine's number
// in no other way. It takes a microsecond.
func goid(b *[goidLen]byte) {
	clear(b[:])
	runtime.Stack(b[:], false)
	if i := bytes.IndexByte(b[:], '['); i >= 0 {
		clear(b[i:])
	}
}

// echoes deals with a record that the sink itself writes to its own Writer,
// from within a call: a writer that logs its own troubles, or that was
// configured into a circle by mistake. Such a record is accepted like any
// other. But it will cause a call of the sink, which will log again, and so
// on for ever at the full speed of the machine; so it is dropped, and counted,
// if the batch being written is itself of this kind. Only a record that finds
// the buffer empty while the sink is being called can be the next link of such
// a chain, so others are not looked at. A loss like this is not reported until
// there is something else to be written, as the report would start it anew.
//
// It reports whether it has dropped p. The caller holds mu.
//
// What it cannot see is a circle of two Writers, or a sink that logs from
// another goroutine.
func (w *Writer) echoes(p []byte, m mark) bool {
	goid(&w.who)
	if w.who != w.self {
		return false
	}
	if !w.echoing {
		w.echo = true
		return false
	}
	quiet := w.buf.losses.n == 0 || w.buf.losses.quiet
	w.buf.refuse(p, m)
	w.buf.losses.quiet = quiet
	return true
}

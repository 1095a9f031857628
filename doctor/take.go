package doctor

import (
	"bytes"
	"io"
	"runtime"
	"runtime/pprof"
	"time"
)

// Take returns a snapshot of the process it runs in, at the cost of a
// goroutine profile: the world is stopped for as long as it takes to note
// which goroutines there are, not for their stacks, and memory is by the
// number of goroutines. It has the operations but no ids and no waiting
// times; [TakeStacks] has those.
//
// It goes through the text of [runtime/pprof] rather than
// [runtime.GoroutineProfile] because that one cuts stacks at 32 calls, and
// the handler of a request behind a few middlewares is further down.
func Take() *Snapshot {
	// One entry per distinct stack is small, and a Buffer takes all of it.
	var text bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&text, 1)
	p := own(&text)
	p.Resolve(ownSymbols)
	return p
}

// TakeStacks returns a snapshot of the process it runs in with the ids, the
// states and the waiting times of all goroutines. The world is stopped until
// all their stacks are written: some tens of milliseconds for ten thousand
// goroutines. A dump above 64 MB is cut, which the snapshot says.
func TakeStacks() *Snapshot {
	const limit = 64 << 20
	// A buffer that turns out to be too small costs another stop of the same
	// length. Two kilobytes are some fifteen calls.
	buf := make([]byte, min(1<<20+runtime.NumGoroutine()<<11, limit))
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || len(buf) == limit {
			return own(bytes.NewReader(buf[:n]))
		}
		buf = make([]byte, min(2*len(buf), limit))
	}
}

// own parses what this process wrote about itself.
func own(r io.Reader) *Snapshot {
	p := &Snapshot{}
	if all, err := Parse(r, "this process"); err == nil {
		p = all[len(all)-1]
	} else {
		p.trouble(0, "", err.Error())
	}
	p.Target, p.Instance, p.Taken = "this process", "", time.Now()
	p.Process = self()
	return p
}

// ownSymbols names the calls at return addresses of this process, for
// [Snapshot.Resolve].
func ownSymbols(pcs []uint64) map[uint64][]Frame {
	all := make(map[uint64][]Frame, len(pcs))
	for _, pc := range pcs {
		frames := runtime.CallersFrames([]uintptr{uintptr(pc)})
		for more := true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); f.Function != "" {
				all[pc] = append(all[pc],
					Frame{Func: f.Function, File: f.File, Line: f.Line})
			}
		}
	}
	return all
}

package asynclog

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// tellEvery is the least time between two lines to the fallback.
const tellEvery = 10 * time.Second

// fallback tells somebody else what goes wrong here. It trusts him as
// little as the sink: he has a goroutine of his own, one at a time, so he can
// hang, panic or call Goexit. A nil fallback tells nobody.
type fallback struct {
	out io.Writer

	mu         sync.Mutex
	next       time.Time
	suppressed int
	busy       chan struct{} // closed when he has returned; nil: not called
}

func newFallback(out io.Writer) *fallback {
	if out == nil {
		return nil
	}
	return &fallback{out: out}
}

// tell writes a line, unless it is too early for one or the last one has not
// been taken yet.
func (f *fallback) tell(line string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Now().Before(f.next) {
		f.suppressed++
		return
	}
	f.send(line)
}

// tellAtLast writes a line whenever it is, and waits until it was taken, up to
// d: a process may be about to exit.
func (f *fallback) tellAtLast(line string, d time.Duration) {
	if f == nil {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for range 2 { // for one that is under way, then for ours
		f.mu.Lock()
		if f.busy == nil {
			f.send(line)
			line = ""
		}
		busy := f.busy
		f.mu.Unlock()
		select {
		case <-busy:
		case <-timer.C:
			return
		}
		if line == "" {
			return
		}
	}
}

// send calls him, unless he is busy. The caller holds mu.
func (f *fallback) send(line string) {
	if f.busy != nil {
		f.suppressed++
		return
	}
	if f.suppressed > 0 {
		line = fmt.Sprintf("%s (%d more not shown)", line, f.suppressed)
	}
	f.suppressed = 0
	f.next = time.Now().Add(tellEvery)
	f.busy = make(chan struct{})
	line = strings.ReplaceAll(line, "\n", "; ") // as in joined errors
	go f.call([]byte("asynclog: " + line + "\n"))
}

func (f *fallback) call(line []byte) {
	defer func() {
		_ = recover() // his panic must not end the process
		f.mu.Lock()
		defer f.mu.Unlock()
		close(f.busy)
		f.busy = nil
	}()
	_, _ = f.out.Write(line) // there is nobody left to tell
}

package asynclog

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// tellEvery is the least time between two lines to the fallback.
const tellEvery = 10 * time.Second

// fallbackLine bounds a line, whatever an error has to say.
const fallbackLine = 4 << 10

// fallback passes lines to Options.Fallback, which is trusted as little as the
// sink: each line is made and written on a separate goroutine, one at a time,
// so an Error method and the fallback may hang, panic or call Goexit. A nil
// fallback drops every line, unmade.
type fallback struct {
	out io.Writer

	mu         sync.Mutex
	next       time.Time      // no line before
	held       []fallbackText // until they may be written
	suppressed int            // lines that had to give way
	busy       chan struct{}  // closed when the call has returned; nil: no call
	timer      *time.Timer    // for held; nil: not running
	finished   bool           // the Writer has ended, and with it its sink's state
}

// fallbackText is a line, and whether the next one about the state of the sink
// takes its place.
type fallbackText struct {
	line  func() string
	state bool
}

// maxHeld bounds the lines that are held.
const maxHeld = 4

func newFallback(out io.Writer) *fallback {
	if out == nil {
		return nil
	}
	return &fallback{out: out}
}

// say is tell for a line that is known.
func (f *fallback) say(line string) { f.tell(func() string { return line }) }

// tell has a line written, now or when its time has come. If there are too many
// by then, the last ones are.
func (f *fallback) tell(line func() string) { f.add(fallbackText{line, false}) }

// tellState is tell for the state of the sink, of which only the last one
// counts.
func (f *fallback) tellState(line func() string) { f.add(fallbackText{line, true}) }

func (f *fallback) add(text fallbackText) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold(text)
	f.release()
}

func (f *fallback) hold(text fallbackText) {
	if text.state && f.finished {
		return
	}
	n := len(f.held)
	f.held = slices.DeleteFunc(f.held, func(h fallbackText) bool {
		return h.state && text.state
	})
	f.held = append(f.held, text)
	if len(f.held) > maxHeld {
		f.held = slices.Delete(f.held, 0, 1)
	}
	f.suppressed += n + 1 - len(f.held)
}

// release writes the lines that are held, or sees to it that it will be. The
// caller holds mu.
func (f *fallback) release() {
	if len(f.held) == 0 || f.busy != nil || f.timer != nil {
		return // the call under way, or the timer, comes back here
	}
	if d := time.Until(f.next); d > 0 {
		f.timer = time.AfterFunc(d, f.timeout)
		return
	}
	f.send()
}

func (f *fallback) timeout() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timer = nil
	f.release()
}

// finish writes the held lines, and line unless it is nil, before their time,
// and waits until that was taken, up to d: the process may be about to exit. A
// worker in its last call of the sink must not follow with a state.
func (f *fallback) finish(line func() string, d time.Duration) {
	if f == nil {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	f.end(line)
	for busy := f.hurry(); busy != nil; busy = f.hurry() {
		select {
		case <-busy:
		case <-timer.C:
			return
		}
	}
}

func (f *fallback) end(line func() string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if line != nil {
		f.hold(fallbackText{line, false})
	}
	f.finished = true
}

// hurry writes the lines that are held unless a call is under way. It returns
// the end of the call; nil if there is nothing left to wait for.
func (f *fallback) hurry() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil && f.timer.Stop() {
		f.timer = nil
	}
	if len(f.held) > 0 && f.busy == nil {
		f.send()
	}
	return f.busy
}

// send starts the call with the lines that are held. The caller holds mu.
func (f *fallback) send() {
	held, more := f.held, f.suppressed
	f.held, f.suppressed = nil, 0
	f.next = time.Now().Add(tellEvery)
	f.busy = make(chan struct{})
	go f.call(held, more)
}

func (f *fallback) call(held []fallbackText, more int) {
	defer func() {
		_ = recover() // a panic here must not end the process
		f.mu.Lock()
		defer f.mu.Unlock()
		close(f.busy)
		f.busy = nil
		f.release()
	}()
	var all strings.Builder
	for i, h := range held {
		text := oneLine(strings.TrimPrefix(h.line(), "asynclog: "))
		if i == len(held)-1 && more > 0 {
			text = fmt.Sprintf("%s (%d more not shown)", text, more)
		}
		all.WriteString("asynclog: " + text + "\n")
	}
	_, _ = io.WriteString(f.out, all.String()) // no further fallback exists
}

// oneLine returns text as a line that is safe on a terminal: line ends become
// "; ", as in joined errors, and other unprintable characters are escaped.
func oneLine(text string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "?") {
		switch {
		case b.Len() > fallbackLine:
			return b.String() + " ..."
		case r == '\n':
			b.WriteString("; ")
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

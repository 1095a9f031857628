package observe

import (
	"fmt"
	"strings"
	"time"

	"example.com/chanx/internal/printable"
)

// look is one reading of everything.
type look struct {
	at      time.Time
	record  bool
	timer   *time.Timer
	expired bool
	names   map[[2]string]int
}

// wait reports whether done is closed, if patient before the timer ends.
func (l *look) wait(done <-chan struct{}, patient bool) bool {
	if patient && !l.expired {
		select {
		case <-done:
			return true
		case <-l.timer.C:
			l.expired = true
		}
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// foreign calls a function that may block, panic or call runtime.Goexit.
type foreign[T any] struct{ pending *foreignCall[T] }

type foreignCall[T any] struct {
	began  time.Time
	done   chan struct{}
	late   bool // a look has waited for it in vain
	value  T
	failed string
}

// begin calls fn on a separate goroutine, unless the last call has not returned.
func (f *foreign[T]) begin(fn func() T) {
	if f.pending != nil {
		select {
		case <-f.pending.done: // its answer is an old one
		default:
			return
		}
	}
	c := &foreignCall[T]{began: time.Now(), done: make(chan struct{})}
	f.pending = c
	go c.run(fn)
}

func (c *foreignCall[T]) run(fn func() T) {
	defer close(c.done)
	c.failed = "ended its goroutine"
	defer func() {
		if v := recover(); v != nil {
			c.failed = "panicked: " + fmt.Sprint(v)
		}
	}()
	c.value = fn()
	c.failed = ""
}

// end returns the answer, or why there is none.
func (f *foreign[T]) end(l *look) (value T, failed string) {
	c := f.pending
	if !l.wait(c.done, !c.late) {
		c.late = true // the next look does not wait for it
		return value, "has not returned for " + ago(time.Since(c.began))
	}
	f.pending = nil
	return c.value, shown(c.failed)
}

const (
	maxName = 256     // bytes of a name that are shown
	maxText = 2 << 10 // of an error
)

// cut shortens s to at most so many bytes.
func cut(s string, most int) string {
	const mark = "..."
	if len(s) <= most {
		return s
	}
	n := most - len(mark)
	for n > 0 && s[n]&0xc0 == 0x80 { // do not cut a character
		n--
	}
	return s[:n] + mark
}

// shown is text from elsewhere as it may be shown.
func shown(s string) string { return printable.Text(cut(s, maxText)) }

// shownLines is shown for text of several lines.
func shownLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable.Text(lines[i])
	}
	return strings.Join(lines, "\n")
}

// name returns the name to show, which differs from all others of its kind:
// two names may look alike once they are printable, and two series with the
// same labels would make a scrape fail.
func (l *look) name(kind, s string) string {
	if l.names == nil {
		l.names = make(map[[2]string]int)
	}
	s = printable.Text(cut(s, maxName))
	for {
		key := [2]string{kind, s}
		l.names[key]++
		n := l.names[key]
		if n == 1 {
			return s
		}
		s = fmt.Sprintf("%s (%d)", s, n)
	}
}

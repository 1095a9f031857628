package observe

import (
	"fmt"
	"strings"
	"time"

	"example.com/chanx/internal/printable"
)

// look is one reading of everything.
type look struct {
	at     time.Time
	record bool // the next look has its rates since this one
	names  map[[2]string]int
}

const (
	patience = time.Second           // for all foreign calls of a look
	atLeast  = 10 * time.Millisecond // for each one after that
)

// wait waits for done, but not for long.
func (l *look) wait(done <-chan struct{}) {
	t := time.NewTimer(max(time.Until(l.at.Add(patience)), atLeast))
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// foreign calls a function that may block, panic or call runtime.Goexit.
type foreign[T any] struct{ pending *foreignCall[T] }

type foreignCall[T any] struct {
	began  time.Time
	done   chan struct{}
	value  T
	failed string
}

// ask calls fn on a separate goroutine. It returns the result, or why there is
// none. While a call has not returned there is neither another one nor a wait.
//
// The calls are made one after the other: a goroutine that is started and
// waited for runs at once. One that is started along with others is behind
// every busy goroutine of the process, for seconds if there are many.
func (f *foreign[T]) ask(l *look, fn func() T) (value T, failed string) {
	if f.pending == nil || f.pending.returned() {
		f.pending = &foreignCall[T]{began: time.Now(), done: make(chan struct{})}
		go f.pending.run(fn)
		l.wait(f.pending.done)
	}
	c := f.pending
	if !c.returned() {
		return value, "has not returned for " + ago(time.Since(c.began))
	}
	f.pending = nil
	return c.value, shown(c.failed)
}

func (c *foreignCall[T]) returned() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
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

package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress tells on standard error how far the parts are, one after another.
// The time left is that of all of them, a guess from the time taken and from
// the parts' weights.
type progress struct {
	w        io.Writer
	terminal bool
	started  time.Time // the first part
	all      int       // the weights of all parts
	over     int       // and of those that are over

	part          string
	weight        int
	total, at     int
	began, before time.Time
}

// start begins a part.
func (p *progress) start(part string, weight int) {
	p.part, p.weight, p.total, p.at = part, weight, 0, 0
	p.began, p.before = time.Now(), time.Time{}
	if p.started.IsZero() {
		p.started = p.began
	}
}

func (p *progress) steps(n int) { p.total = n }

// left is "?" before anything is known.
func (p *progress) left() string {
	done := float64(p.over)
	if p.total > 0 {
		done += float64(p.weight) * float64(p.at) / float64(p.total)
	}
	if done == 0 {
		return "?"
	}
	all := float64(max(p.all, p.weight))
	spent := float64(time.Since(p.started))
	return time.Duration(spent * (all - done) / done).Round(time.Second).String()
}

// step says something now and then: on a terminal over and over on one line,
// elsewhere a line of its own every ten seconds.
func (p *progress) step(what string) {
	now, left := time.Now(), p.left()
	p.at++
	pause, form := 10*time.Second, "%s\n"
	if p.terminal {
		pause, form = 250*time.Millisecond, "\r\x1b[K%s"
	}
	if now.Sub(p.before) >= pause {
		p.before = now
		fmt.Fprintf(p.w, form, fmt.Sprintf("%s: %d of %d, %s left: %s",
			p.part, p.at, p.total, left, what))
	}
}

func (p *progress) done() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintf(p.w, "%s: done in %s\n", p.part,
		time.Since(p.began).Round(time.Second))
	p.over += p.weight
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress tells on standard error how far a part is. The time left is a
// guess from the time taken.
type progress struct {
	w             io.Writer
	terminal      bool
	part          string
	total, at     int
	began, before time.Time
}

func (p *progress) steps(n int) {
	p.total, p.began = n, time.Now()
}

// step says something now and then: on a terminal over and over on one line,
// elsewhere a line of its own every ten seconds.
func (p *progress) step(what string) {
	now := time.Now()
	left := "?"
	if p.at > 0 {
		spent := now.Sub(p.began)
		left = (spent * time.Duration(p.total-p.at) / time.Duration(p.at)).
			Round(time.Second).String()
	}
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
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

package main

import (
	"fmt"
	"io"
	"time"
)

// progress tells on standard error how far a part is. The time left is a
// guess from the time taken.
type progress struct {
	w             io.Writer
	part          string
	total, at     int
	began, before time.Time
}

func (p *progress) steps(n int) {
	p.total, p.began = n, time.Now()
}

// step says something four times a second at most.
func (p *progress) step(what string) {
	now := time.Now()
	left := "?"
	if p.at > 0 {
		spent := now.Sub(p.began)
		left = (spent * time.Duration(p.total-p.at) / time.Duration(p.at)).
			Round(time.Second).String()
	}
	p.at++
	if now.Sub(p.before) < 250*time.Millisecond {
		return
	}
	p.before = now
	fmt.Fprintf(p.w, "\r\x1b[K%s: %d of %d, %s left: %s", p.part, p.at, p.total, left, what)
}

func (p *progress) done() {
	fmt.Fprintf(p.w, "\r\x1b[K%s: done in %s\n", p.part, time.Since(p.began).Round(time.Second))
}

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// plainEvery is how often there is a line where lines cannot be overwritten.
const plainEvery = time.Second

// progress shows samples: in one line that changes on a terminal, and in a new
// line every second, and at every change of phase, elsewhere.
type progress struct {
	w     io.Writer
	live  bool
	width int // of the line that stands there; live only
	next  time.Duration
	phase int
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, live: terminal(w), phase: -1}
}

// terminal reports whether w may be one. The null device is taken for one
// too: the standard library cannot tell, and nobody sees the difference.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 &&
		os.Getenv("TERM") != "dumb"
}

func (p *progress) sample(s sample) {
	turned := s.Phase != p.phase
	if turned {
		p.end()
		fmt.Fprintln(p.w, phases[s.Phase].title, "(before | after)")
		p.phase = s.Phase
	}
	if p.live {
		p.replace(line(s))
		return
	}
	if turned || s.At >= p.next {
		fmt.Fprintln(p.w, line(s))
		p.next = s.At + plainEvery
	}
}

// line fits into 80 columns with counts of four digits: a longer one would
// wrap, and could not be overwritten.
func line(s sample) string {
	b, a := s.Before, s.After
	return fmt.Sprintf("%5.1fs  answered %d | %d   timed out %d | %d   "+
		"goroutines %d | %d", s.At.Seconds(), b.Answered, a.Answered,
		b.TimedOut, a.TimedOut, b.Now, a.Now)
}

// replace pads with blanks, which every terminal understands.
func (p *progress) replace(text string) {
	pad := strings.Repeat(" ", max(p.width-len(text), 0))
	fmt.Fprint(p.w, "\r"+text+pad)
	p.width = len(text)
}

// end leaves the line that changes as it is.
func (p *progress) end() {
	if p.width > 0 {
		fmt.Fprintln(p.w)
		p.width = 0
	}
}

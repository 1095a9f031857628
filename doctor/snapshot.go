package doctor

import (
	"time"

	"example.com/chanx/internal/printable"
)

// Snapshot is the content of one dump or profile of one process. The zero value is
// a process without goroutines, ready for [Snapshot.Add]. A Snapshot is not
// safe for concurrent use.
type Snapshot struct {
	// Target names the input for people: a file, a URL.
	Target string

	// Instance tells processes apart. Snapshots with the same Instance are
	// one process in the order given, the last one being now; different
	// instances are a fleet.
	Instance string

	// Taken is when, if known.
	Taken time.Time

	// Process is the process that took the snapshot of itself, or nil.
	Process *Process

	// Banner is the line that introduced a crash dump, such as "fatal error:
	// all goroutines are asleep - deadlock!", or "".
	Banner string

	// Stacks are the distinct stacks, in the order first seen.
	Stacks []*Stack

	// Goroutines is the number of goroutines in Stacks.
	Goroutines int

	// Unreadable is the number of lines and goroutines that should have been
	// understood and were not; Troubles has the first of them. A dump cut
	// short counts the goroutines that it announced and did not list.
	Unreadable int
	Troubles   []Trouble

	// Truncated says that the input ended in the middle of a goroutine, so
	// that counts are lower bounds.
	Truncated bool

	// Extract says that these are some goroutines of a dump: goroutine 1 is
	// not among them and none of them was running, although the writer of a
	// dump runs. A goroutine that is missing here may well be alive.
	Extract bool

	// leftover has the ids of the goroutines that goleak reports.
	leftover map[uint64]bool
}

// Trouble is something that could not be read.
type Trouble struct {
	Line int    `json:"line,omitempty"` // of the input, from 1; 0: of no one line
	Text string `json:"text,omitempty"` // of the line, cut to 120 bytes
	Why  string `json:"why"`
}

const (
	maxTroubles = 16
	maxText     = 120
)

// Add puts s into the snapshot. It is for readers of other formats: a sample
// of a profile becomes a Stack with Frames and Count. The Stack then belongs
// to the snapshot. A Count below one panics.
func (p *Snapshot) Add(s *Stack) {
	if s.Count < 1 {
		panic("doctor: Add of a stack without goroutines")
	}
	s.State = State(printable.Text(string(s.State)))
	s.CreatedBy = s.CreatedBy.printable()
	for i, f := range s.Frames {
		s.Frames[i] = f.printable()
	}
	p.Stacks = append(p.Stacks, s)
	p.Goroutines += s.Count
}

// printable returns f without characters that drive a terminal or cannot be
// seen: names come from files and servers that are not trusted.
func (f Frame) printable() Frame {
	f.Func, f.File = printable.Text(f.Func), printable.Text(f.File)
	return f
}

// Resolve names the calls of which only an address is known. A profile with
// debug=1 leaves out the runtime's functions, and with them the operation a
// goroutine is blocked in; the process's own symbol endpoint or its binary
// knows them. symbols is called once with these addresses, each once, in the
// order of the stacks, unless there are none. They are return addresses, so a
// reader of symbol tables looks one byte before them. It returns the calls at
// those that it knows, innermost first.
func (p *Snapshot) Resolve(symbols func(pcs []uint64) map[uint64][]Frame) {
	pcs := p.unresolved()
	if len(pcs) == 0 {
		return
	}
	known := make(map[uint64][]Frame)
	for pc, calls := range symbols(pcs) {
		for _, f := range calls {
			known[pc] = append(known[pc], f.printable())
		}
	}
	if len(known) == 0 {
		return
	}
	for _, s := range p.Stacks {
		var frames []Frame
		for _, f := range s.Frames {
			if calls := known[f.PC]; f.Func == "" && f.PC != 0 && calls != nil {
				frames = append(frames, calls...)
				continue
			}
			frames = append(frames, f)
		}
		s.Frames = frames
	}
}

// unresolved returns the addresses of calls without a name, each once.
func (p *Snapshot) unresolved() []uint64 {
	var pcs []uint64
	seen := make(map[uint64]bool)
	for _, s := range p.Stacks {
		for _, f := range s.Frames {
			if f.Func == "" && f.PC != 0 && !seen[f.PC] {
				seen[f.PC] = true
				pcs = append(pcs, f.PC)
			}
		}
	}
	return pcs
}

func (p *Snapshot) trouble(line int, text, why string) {
	p.Unreadable++
	p.note(line, text, why)
}

// note keeps a trouble that has been counted by the caller.
func (p *Snapshot) note(line int, text, why string) {
	if len(p.Troubles) < maxTroubles {
		text = printable.Text(text[:min(len(text), maxText)])
		p.Troubles = append(p.Troubles, Trouble{line, text, why})
	}
}

// also adds the troubles of a part of the same dump.
func (p *Snapshot) also(part *Snapshot) {
	p.Unreadable += part.Unreadable
	p.Truncated = p.Truncated || part.Truncated
	for _, t := range part.Troubles {
		p.note(t.Line, t.Text, t.Why)
	}
}

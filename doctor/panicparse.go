package doctor

import (
	"bytes"
	"fmt"
	"strconv"
)

// maxGrouped bounds the goroutines of one input that are in groups: there each
// costs its memory and no text.
const maxGrouped = 100_000

// grouped recognizes the output of panicparse, which groups goroutines:
//
//	5: chan send [2~20 minutes] [Created by main.main @ main.go:8]
//	    app    queue.go:31    (*Queue).Put(#1, 1)
func (p *parser) grouped(line []byte) bool {
	number, rest, ok := bytes.Cut(line, []byte(": "))
	n, err := strconv.Atoi(string(number))
	if !ok || err != nil || n < 1 {
		return false
	}
	state, notes, _ := bytes.Cut(rest, []byte(" ["))
	if _, known := states[State(state)]; !known && !isPlainState(state) {
		return false
	}
	p.end()
	if p.profile {
		p.split()
	}
	if n = p.group(n, line); n == 0 {
		return true
	}
	p.beginStack(0, n, string(state))
	p.callee = p.callee[:0]
	for note := range bytes.SplitSeq(notes, []byte("[")) {
		note = bytes.TrimRight(note, " ]")
		if waits, ok := bytes.CutSuffix(note, []byte(" minutes")); ok {
			waits = waits[bytes.LastIndexByte(waits, '~')+1:]
			m, _ := strconv.ParseUint(string(waits), 10, 32)
			p.head.minutes = uint32(m)
		}
		if by, ok := bytes.CutPrefix(note, []byte("Created by ")); ok {
			p.callee = append(p.callee, by...)
		}
	}
	p.step = (*parser).groupedCall
	return true
}

// joined recognizes the header of goroutines in the same place, which another
// tool joined: "48 goroutines [semacquire, 4 minutes]:". Their calls follow in
// the usual form.
func (p *parser) joined(line []byte) bool {
	number, rest, ok := bytes.Cut(line, []byte(" goroutine"))
	n, err := strconv.Atoi(string(number))
	rest = bytes.TrimPrefix(rest, []byte("s"))
	if !ok || err != nil || n < 1 || !bytes.HasPrefix(rest, []byte(" [")) ||
		bracketEnd(rest) != len(rest) {
		return false
	}
	h := parseHeader(append([]byte("goroutine ?"), rest...))
	p.end()
	if p.profile {
		p.split()
	}
	if n = p.group(n, line); n > 0 {
		p.beginStack(0, n, string(h.state))
		p.head.minutes = h.minutes
		p.step = (*parser).call
	}
	return true
}

// group returns how many of the n goroutines of a group are kept.
func (p *parser) group(n int, line []byte) int {
	if most := max(maxGrouped-p.inGroups, 0); n > most {
		p.snap.Unreadable += n - most
		p.snap.note(p.in.n, string(line), fmt.Sprintf("more than %d goroutines "+
			"in groups", maxGrouped))
		n = most
	}
	p.inGroups += n
	return n
}

// times reads the suffix of a header from a tool that joins equal goroutines:
// "3 times: [[7, 9, 12]".
func (p *parser) times(tail []byte) bool {
	number, rest, ok := bytes.Cut(tail, []byte(" times: ["))
	n, err := strconv.Atoi(string(number))
	if !ok || err != nil || n < 1 {
		return false
	}
	n = p.group(n-1, tail) + 1
	p.count = n
	for field := range bytes.FieldsFuncSeq(rest, func(r rune) bool {
		return r == '[' || r == ']' || r == ',' || r == ' '
	}) {
		if id, err := strconv.ParseUint(string(field), 10, 64); err == nil &&
			len(p.ids) < n {
			p.ids = append(p.ids, id)
		}
	}
	return true
}

// groupedCall is inside a group.
func (p *parser) groupedCall(line []byte) {
	pkg, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte{' '})
	file, call, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte{' '})
	call = bytes.TrimLeft(call, " ")
	i := argsAt(call)
	if i > 0 && isPath(file) && len(line) > 0 && line[0] == ' ' {
		name := append(append(bytes.Clone(pkg), '.'), call[:i]...)
		p.addCall(name, file, args{})
		return
	}
	p.groupedCreator()
	p.end()
	p.outside(line)
}

// groupedCreator adds the creator, which the header has.
func (p *parser) groupedCreator() {
	if len(p.callee) == 0 || !p.started {
		return
	}
	name, file, _ := bytes.Cut(p.callee, []byte(" @ "))
	p.addCreator(bytes.TrimSuffix(name, []byte("()")), file)
	p.callee = p.callee[:0]
}

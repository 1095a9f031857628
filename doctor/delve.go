package doctor

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// delve recognizes the output of delve's goroutines, with -t or without:
//
//   - Goroutine 1 - User: ./main.go:12 main.main (0x4a1000) (thread 81)
//     Goroutine 18 - User: /src/queue.go:31 app.(*Queue).Put (0x6d2f14) [chan send 1580]
//     0  0x000000000043e0c5 in runtime.gopark
//     at /usr/local/go/src/runtime/proc.go:402
func (p *parser) delve(line []byte) bool {
	if p.delveTotal(line) {
		return true
	}
	id, place, ok := delveHeader(line)
	if !ok {
		p.grouping(line)
		return false
	}
	p.end()
	if p.profile || p.dump.repeats(id) {
		p.split()
	}
	if p.first == 0 {
		p.first = id
	}
	state := "running"
	if i := bytes.LastIndexByte(place, '['); i > 0 && place[len(place)-1] == ']' {
		state = waitReason(string(place[i+1 : len(place)-1]))
		place = place[:i]
	}
	p.beginStack(id, 1, state)
	place, _, _ = bytes.Cut(place, []byte(" (0x"))
	file, name := delvePlace(place)
	p.addCall(bytes.TrimSpace(name), file, args{})
	p.callee, p.summary = p.callee[:0], true
	p.step = (*parser).delveFrame
	return true
}

// delvePlace splits "c:/program files/go/src/runtime/proc.go:367 runtime.gopark".
func delvePlace(place []byte) (file, name []byte) {
	for i := range place {
		if place[i] == ' ' && isPath(place[:i]) {
			return place[:i], place[i+1:]
		}
	}
	file, name, _ = bytes.Cut(place, []byte{' '})
	return file, name
}

// grouping reads the end of a group of goroutines -group, of which delve prints
// the first few:
//
//	app.(*Queue).Put
//		Goroutine 18 - User: /src/queue.go:31 app.(*Queue).Put (0x6d2f14) [chan send]
//		...
//		Total: 31
//
// The others are in the same place.
func (p *parser) grouping(line []byte) {
	number, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("Total: "))
	n, err := strconv.Atoi(string(number))
	shown := p.snap.Goroutines - p.ungrouped
	if !ok || err != nil || shown < 1 {
		return
	}
	s := p.index[string(p.key)]
	if more := min(n-shown, maxGrouped-p.inGroups); more > 0 && s != nil &&
		s.Count >= shown {
		p.inGroups += more
		p.started, p.head.id, p.count, p.ids = true, 0, more, p.ids[:0]
		p.words.begin()
		p.end()
	}
	p.ungrouped = p.snap.Goroutines
}

// delveTotal reads "[14 goroutines]" below a list, which its author may have
// shortened.
func (p *parser) delveTotal(line []byte) bool {
	number, ok := bytes.CutSuffix(bytes.TrimSpace(line), []byte(" goroutines]"))
	number, ok2 := bytes.CutPrefix(number, []byte{'['})
	n, err := strconv.Atoi(string(number))
	if !ok || !ok2 || err != nil || p.snap.Goroutines == 0 {
		return false
	}
	if missing := n - p.snap.Goroutines; missing > 0 {
		p.snap.Unreadable += missing
		p.snap.Truncated = true
		p.snap.note(p.in.n, "", fmt.Sprintf("the list announces %d goroutines "+
			"and has %d", n, p.snap.Goroutines))
	}
	return true
}

// delveBacktrace recognizes the output of delve's goroutine N bt: the command, if
// it was pasted, and calls as above.
func (p *parser) delveBacktrace(line []byte) bool {
	if command, ok := bytes.CutPrefix(line, []byte("(dlv) ")); ok {
		p.asked = goroutineIn(command)
		return true
	}
	number, name := delveCall(line)
	if string(number) != "0" || len(name) == 0 {
		return false
	}
	p.beginAsked()
	p.summary = false
	p.callee = append(p.callee[:0], name...)
	p.step = (*parser).delveFrame
	return true
}

// delveCall splits " 0  0x000000000043e0c5 in runtime.gopark".
func delveCall(line []byte) (number, name []byte) {
	number, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte{' '})
	address, name, ok := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" in "))
	if !ok || !isNumber(number) || !bytes.HasPrefix(address, []byte("0x")) {
		return nil, nil
	}
	return number, name
}

// delveHeader splits "* Goroutine 18 - User: /src/queue.go:31 …".
func delveHeader(line []byte) (id uint64, place []byte, ok bool) {
	text := bytes.TrimLeft(line, " \t*")
	rest, ok := bytes.CutPrefix(text, []byte("Goroutine "))
	number, rest, ok2 := bytes.Cut(rest, []byte(" - "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	_, place, ok3 := bytes.Cut(rest, []byte(": "))
	return id, place, ok && ok2 && ok3 && err == nil
}

// waitReason takes the clock off "chan send 1580" and "chan send
// 457314h58m45.5s": it counts from the start of the machine or of the epoch.
func waitReason(s string) string {
	reason, last, ok := cutLast(s, " ")
	if _, err := time.ParseDuration(last); ok && (err == nil ||
		isNumber([]byte(last))) {
		return strings.TrimRight(reason, " ")
	}
	return s
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// delveFrame is inside a goroutine.
func (p *parser) delveFrame(line []byte) {
	text := bytes.TrimSpace(line)
	if file, ok := bytes.CutPrefix(text, []byte("at ")); ok && len(p.callee) > 0 {
		p.addCall(p.callee, file, args{})
		p.callee = p.callee[:0]
		return
	}
	number, name := delveCall(text)
	switch {
	case len(name) > 0:
		switch {
		case string(number) == "0" && p.summary: // the calls take its place
			p.started, p.summary = false, false
			p.beginStack(p.head.id, 1, string(bytes.Clone(p.state)))
			p.step = (*parser).delveFrame
		case string(number) == "0":
			p.delveBacktrace(line)
			return
		}
		p.callee = append(p.callee[:0], name...)
	case len(text) == 0:
	default:
		p.end()
		p.outside(line)
	}
}

// editorStack recognizes the header of a stack that an editor copies from delve,
// "Goroutine 87". It has no state; its calls follow as
//
//	runtime.gopark (/usr/local/go/src/runtime/proc.go:364)
func (p *parser) editorStack(line []byte) bool {
	text := bytes.TrimRight(bytes.TrimLeft(line, " \t*#"), " :")
	number, ok := bytes.CutPrefix(text, []byte("Goroutine "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if !ok || err != nil {
		return false
	}
	p.end()
	if p.profile || p.dump.repeats(id) {
		p.split()
	}
	if p.first == 0 {
		p.first = id
	}
	p.beginStack(id, 1, "")
	p.mention = true
	p.step = (*parser).editorCall
	return true
}

// editorCall is inside such a stack.
func (p *parser) editorCall(line []byte) {
	text := bytes.TrimSpace(line)
	call, creator := bytes.CutPrefix(text, []byte("created at: "))
	i := bytes.LastIndex(call, []byte(" ("))
	switch {
	case len(text) == 0 && !p.called:
	case i > 0 && call[len(call)-1] == ')' && hasLine(call[i+2:len(call)-1]):
		name, file := call[:i], call[i+2:len(call)-1]
		if creator {
			p.addCreator(name, file)
			p.end()
			return
		}
		p.addCall(name, file, args{})
	default:
		p.end()
		p.outside(line)
	}
}

// hasLine reports whether s is a file and a line, or what an author put in the
// file's place.
func hasLine(s []byte) bool {
	_, _, ok := fileLine(s)
	return ok || len(s) > 1 && s[0] == '<'
}

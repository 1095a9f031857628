package doctor

import (
	"bytes"
	"fmt"
	"strconv"

	"example.com/chanx/internal/printable"
)

// headless collects stacks that are pasted without the header of their
// goroutine, or without the addresses of their record:
//
//	sync.(*WaitGroup).Wait(0xc0000d8708)
//		/usr/local/go/src/sync/waitgroup.go:130 +0x64
//	sync.(*WaitGroup).Wait+0x51		/usr/local/go/src/sync/waitgroup.go:139
//	runtime.gopark
//	/usr/local/go/src/runtime/proc.go:402
//
// The last form is a logger's stack of an error, too, so it must begin in the
// runtime or a lock. They count only if the input has no goroutine with a header: in a log of
// errors such calls are common.
type headless struct {
	stacks []*Stack
	calls  []Frame
	words  []args
	name   []byte // of a call without its file so far
	arg    args
	bare   bool // a call had no parentheses
}

const (
	maxHeadless      = 64 // stacks
	maxHeadlessCalls = 256
)

// line takes a line outside any goroutine.
func (h *headless) line(line []byte) {
	text := bytes.TrimSpace(line)
	if len(h.name)+len(h.calls) == 0 && !mayBeCall(text) {
		return
	}
	path, number, isFile := fileLine(text)
	switch name, file := namedLocation(text); {
	case len(text) == 0, isElided(text):
	case len(h.name) > 0 && isFile && isPath(text):
		h.add(h.name, path, number, h.arg)
	case isCall(text) && hasArgs(text):
		i := argsAt(text)
		h.name = append(h.name[:0], starred(text[:i])...)
		h.arg = parseArgs(text[i+1 : len(text)-1])
		return
	case isSymbol(text) && bytes.IndexByte(text, ' ') < 0 && !isPath(text) &&
		!isFile:
		h.name, h.arg, h.bare = append(h.name[:0], starred(text)...), args{}, true
		return
	case name != nil:
		path, number, _ = fileLine(file)
		h.add(name, path, number, args{})
	default:
		h.end()
	}
	h.name = h.name[:0]
	if len(text) == 0 {
		h.end()
	}
}

func (h *headless) add(name, path, number []byte, a args) {
	if len(h.calls) == maxHeadlessCalls {
		return
	}
	n, _ := strconv.Atoi(string(number))
	f := Frame{Func: string(name), File: string(path), Line: n}
	h.calls, h.words = append(h.calls, f.printable()), append(h.words, a)
}

// end ends a stack.
func (h *headless) end() {
	if len(h.calls) > 1 && len(h.stacks) < maxHeadless &&
		(!h.bare || waitsInside(h.calls[0].Func)) {
		s := &Stack{Frames: h.calls, Count: 1}
		s.members.store = &wordStore{}
		for _, a := range h.words {
			s.members.store.call(a)
		}
		s.members.add(Member{})
		h.stacks = append(h.stacks, s)
	}
	h.calls, h.words, h.name, h.bare = nil, nil, h.name[:0], false
}

// mayBeCall is quick: most lines outside any goroutine are of a log.
func mayBeCall(text []byte) bool {
	return len(text) > 0 && (text[len(text)-1] == ')' ||
		bytes.IndexByte(text, ' ') < 0 || bytes.Contains(text, []byte("+0x")))
}

// waitsInside reports whether a function is one in which goroutines wait.
func waitsInside(symbol string) bool {
	switch packageOf(symbol) {
	case "runtime", "sync", "internal/sync", "internal/poll", "syscall":
		return true
	}
	return false
}

// snapshot returns the stacks as a part of a dump, or nil.
func (h *headless) snapshot(target string) *Snapshot {
	h.end()
	if len(h.stacks) == 0 {
		return nil
	}
	p := &Snapshot{Target: target, Instance: target, Extract: true,
		Stacks: h.stacks, Goroutines: len(h.stacks)}
	p.Unreadable = len(h.stacks)
	p.note(0, "", fmt.Sprintf("%s without a header: what a goroutine waits for is "+
		"known by its calls alone", printable.Plural(len(h.stacks), "stack")))
	return p
}

// namedLocation splits "sync.(*WaitGroup).Wait+0x51	/src/waitgroup.go:139".
func namedLocation(text []byte) (name, file []byte) {
	at := bytes.Index(text, []byte("+0x"))
	if at <= 0 {
		return nil, nil
	}
	blank := bytes.IndexAny(text[at:], " \t")
	if blank < 0 || !isSymbol(text[:at]) {
		return nil, nil
	}
	file = bytes.TrimLeft(text[at+blank:], " \t")
	if !isPath(file) {
		return nil, nil
	}
	return starred(text[:at]), file
}

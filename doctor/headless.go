package doctor

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

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
//	runtime.gopark(proc.go:402)
//	0x55972e1e70a9	sync.(*RWMutex).RLock+0x459
//
// The calls of the third and the fourth form are a logger's stack of an error,
// too, so they must begin in the runtime or a lock. They count only if the input
// has no goroutine with a header: in a log of errors such calls are common.
type headless struct {
	stacks []*Stack
	calls  []Frame
	words  []args
	name   []byte // of a call without its file so far
	arg    args
	bare   bool // a call had neither arguments nor an address
	count  int  // announced for the next stack, or 0

	goroutines int
}

const (
	maxHeadless      = 64 // stacks
	maxHeadlessCalls = 256
)

// line takes a line outside any goroutine.
func (h *headless) line(line []byte) {
	text := bytes.TrimSpace(line)
	if len(h.name)+len(h.calls) == 0 && !mayBeCall(text) {
		h.count = countOf(text)
		return
	}
	path, number, isFile := fileLine(text)
	name, file := namedLocation(text)
	if name == nil {
		name, file = splitPlaced(text)
		h.bare = h.bare || name != nil
	}
	switch {
	case len(text) == 0, isElided(text):
	case len(h.name) > 0 && isFile && isPath(text):
		h.add(h.name, path, number, h.arg)
	case name != nil:
		path, number, _ = fileLine(file)
		h.add(name, path, number, args{})
	case isCreator(text):
		h.name, h.arg = append(h.name[:0], text...), args{}
		return
	case isCall(text) && hasArgs(text):
		i := argsAt(text)
		h.name = append(h.name[:0], starred(text[:i])...)
		h.arg = parseArgs(text[i+1 : len(text)-1])
		return
	case isSymbol(text) && bytes.IndexByte(text, ' ') < 0 && !isPath(text) &&
		!isFile:
		h.name, h.arg, h.bare = append(h.name[:0], starred(text)...), args{}, true
		return
	default:
		h.end()
		h.count = countOf(text)
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
		s := &Stack{Frames: h.calls}
		s.creator()
		s.members.store = &wordStore{}
		for i := range s.Frames {
			s.members.store.call(h.words[i])
		}
		s.Count = min(max(h.count, 1), maxGrouped-h.goroutines)
		h.goroutines += s.Count
		for range s.Count {
			s.members.add(Member{})
		}
		h.stacks = append(h.stacks, s)
	}
	h.calls, h.words, h.name, h.bare, h.count = nil, nil, h.name[:0], false, 0
}

// creator takes the creator off the calls: it is marked, or an editor has put
// it behind the first call of every goroutine.
func (s *Stack) creator() {
	n := len(s.Frames) - 1
	name, marked := strings.CutPrefix(s.Frames[n].Func, "created by ")
	if !marked && s.Frames[n-1].Func != "runtime.goexit" {
		return
	}
	s.CreatedBy, s.Frames = s.Frames[n], s.Frames[:n]
	s.CreatedBy.Func, _, _ = strings.Cut(name, " in goroutine ")
}

// mayBeCall is quick: most lines outside any goroutine are of a log.
func mayBeCall(text []byte) bool {
	return len(text) > 0 && (text[len(text)-1] == ')' ||
		bytes.IndexByte(text, ' ') < 0 || bytes.Contains(text, []byte("+0x")) ||
		hasFile(text))
}

// countOf returns the number of goroutines that a script has counted for the
// stack below: "138 occurrences. Sample stack trace:".
func countOf(text []byte) int {
	number, rest, _ := bytes.Cut(text, []byte{' '})
	n, err := strconv.Atoi(string(bytes.TrimSuffix(number, []byte{'x'})))
	if err != nil || n < 1 || !bytes.HasSuffix(rest, []byte{':'}) {
		return 0
	}
	return n
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
		Stacks: h.stacks, Goroutines: h.goroutines}
	p.Unreadable = len(h.stacks)
	p.note(0, "", fmt.Sprintf("%s without a header: what a goroutine waits for is "+
		"known by its calls alone", printable.Plural(len(h.stacks), "stack")))
	return p
}

// namedLocation splits "sync.(*WaitGroup).Wait+0x51	/src/waitgroup.go:139".
// The address of the call may come first, and then the file may be missing.
func namedLocation(text []byte) (name, file []byte) {
	if isLocation(text) {
		_, name, file = splitLocation(text)
		return starred(name), file
	}
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

// splitPlaced splits a call and where it stands on one line, as editors and
// people write them:
//
//	runtime.gopark(proc.go:402)
//	app.(*Queue).Put (/src/queue.go:31)
//	app.(*Queue).Put at queue.go:31
//	app.(*Queue).Put   queue.go:31   <- a remark
func splitPlaced(text []byte) (name, file []byte) {
	if bytes.IndexByte(text, ':') < 0 {
		return nil, nil // as are most calls of a dump, which must not cost more
	}
	end := bytes.IndexAny(text, " \t")
	if i := argsAt(text); i > 0 && (end < 0 || i < end) {
		end = i
	}
	if end < 0 || !isSymbol(text[:end]) {
		return nil, nil
	}
	file = bytes.TrimLeft(text[end:], " \t")
	if rest, ok := bytes.CutPrefix(file, []byte{'('}); ok {
		file, _, ok = bytes.Cut(rest, []byte{')'})
		if !ok {
			return nil, nil
		}
	} else {
		file = bytes.TrimPrefix(file, []byte("at "))
		file = file[:wordEnd(file)]
	}
	if !isPath(file) {
		return nil, nil
	}
	return starred(text[:end]), file
}

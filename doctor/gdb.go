package doctor

import (
	"bytes"
	"strconv"
)

// gdbStack reads a backtrace of a goroutine by gdb with the scripts of Go:
//
//	(gdb) goroutine 79 bt
//	#0  runtime.gopark (reason="semacquire", traceskip=4) at /go/src/runtime/proc.go:275
//	#1  0x00000000045dd6d in sync.(*Mutex).Lock (m=0xc4204d1f18) at
//	    /go/src/sync/mutex.go:87
//
// Other backtraces are of threads. The calls of the runtime tell the operation.
func (p *parser) gdbStack(line []byte) bool {
	if command, ok := bytes.CutPrefix(line, []byte("(gdb) ")); ok {
		p.asked = goroutineIn(command)
		return true
	}
	name, _, ok := gdbCall(line)
	if !ok || !bytes.HasPrefix(line, []byte("#0 ")) ||
		p.asked == 0 && string(name) != "runtime.gopark" {
		return false
	}
	p.beginAsked()
	p.callee = append(p.callee[:0], line...)
	p.step = (*parser).gdbFrame
	return true
}

// beginAsked begins the stack of the goroutine in a debugger's last command.
func (p *parser) beginAsked() {
	p.end()
	if p.profile || p.dump.repeats(p.asked) {
		p.split()
	}
	if p.first == 0 {
		p.first = p.asked
	}
	p.beginStack(p.asked, 1, "")
	p.asked = 0
}

// goroutineIn returns the number in a debugger's command, or 0.
func goroutineIn(command []byte) (id uint64) {
	for word := range bytes.FieldsSeq(command) {
		if n, err := strconv.ParseUint(string(word), 10, 64); err == nil {
			id = n
		}
	}
	return id
}

// gdbFrame is inside a goroutine. A call ends where the next one begins: gdb
// wraps lines as wide as its terminal.
func (p *parser) gdbFrame(line []byte) {
	text := bytes.TrimSpace(line)
	switch {
	case bytes.HasPrefix(text, []byte("#")):
		p.gdbEnd()
		p.callee = append(p.callee[:0], text...)
	case len(text) > 0 && len(p.callee) > 0 && len(p.callee) < maxHeld &&
		(line[0] == ' ' || line[0] == '\t'):
		p.callee = append(append(p.callee, ' '), text...)
	case bytes.HasPrefix(text, []byte("---Type <return>")),
		bytes.HasPrefix(text, []byte("--Type <RET>")):
	default:
		p.gdbEnd()
		p.end()
		p.outside(line)
	}
}

// gdbEnd adds the call that has been collected.
func (p *parser) gdbEnd() {
	name, rest, ok := gdbCall(p.callee)
	if !ok || string(name) == "??" {
		return
	}
	file := []byte(nil)
	if i := bytes.LastIndex(rest, []byte(" at ")); i >= 0 {
		rest, file = rest[:i], rest[i+len(" at "):]
	}
	p.addCall(name, file, gdbArgs(rest))
	p.callee = p.callee[:0]
}

// gdbCall splits "#1  0x000000000045dd6d in sync.(*Mutex).Lock (m=0xc4204d1f18)
// at /go/src/sync/mutex.go:87".
func gdbCall(line []byte) (name, rest []byte, ok bool) {
	number, rest, _ := bytes.Cut(line, []byte{' '})
	if len(number) < 2 || number[0] != '#' || !isNumber(number[1:]) {
		return nil, nil, false
	}
	rest = bytes.TrimLeft(rest, " ")
	if bytes.HasPrefix(rest, []byte("0x")) {
		_, rest, _ = bytes.Cut(rest, []byte(" in "))
	}
	name, rest, ok = bytes.Cut(rest, []byte(" ("))
	return name, rest, ok
}

// gdbArgs reads the addresses at the beginning of "m=0xc4204d1f18, s={…})".
func gdbArgs(text []byte) args {
	var words []byte
	for {
		_, value, _ := bytes.Cut(text, []byte{'='})
		if !bytes.HasPrefix(value, []byte("0x")) {
			return parseArgs(words)
		}
		n := bytes.IndexAny(value, " ,)")
		if n < 0 {
			n = len(value)
		}
		words = append(append(words, value[:n]...), ' ')
		text = value[n:]
	}
}

package doctor

import (
	"bytes"
	"slices"
	"strconv"
)

// lineOrder puts the lines of a log right that prints its newest line first, as
// log stores do: there a goroutine ends with its header. The first header tells,
// if the line before it is a call and the one before that is where it stands. A
// record of a profile ends with its addresses, and the profile with its total.
type lineOrder struct {
	held    [][]byte // the lines since the last header, or before the first
	size    int
	decided bool // a header has been seen
	newest  bool // the log begins with its newest line
}

// maxReversed bounds the lines of one goroutine in a log that begins with its
// newest line. A traceback has a hundred calls.
const (
	maxReversed     = 512
	maxReversedSize = 256 << 10
)

// take takes a line, and reports whether it has been emitted or held.
func (o *lineOrder) take(l *lines, line []byte) bool {
	if o.decided && !o.newest {
		return false
	}
	header := headerAt(line) >= 0 || isRecord(line)
	if header && !o.decided {
		o.decided, o.newest = true, o.reversed(l, line)
		if o.newest {
			l.forget() // the lines that are held have been emitted
		} else {
			o.held = nil
		}
	}
	switch {
	case !o.decided:
		o.hold(line)
		return false
	case header && o.newest:
		l.emit(l.cover.off(line))
		o.flush(l)
		return true
	case o.newest:
		if o.full() {
			o.flush(l)
		}
		o.hold(line)
		return true
	}
	return false
}

func (o *lineOrder) full() bool {
	return len(o.held) == maxReversed || o.size > maxReversedSize
}

// hold keeps a line. If there are too many, the first are dropped: before the
// order is known, they have been emitted.
func (o *lineOrder) hold(line []byte) {
	if o.full() {
		half := len(o.held) / 2
		slices.Reverse(o.held) // the first half's memory is used again
		o.held, o.size = o.held[:len(o.held)-half], 0
		slices.Reverse(o.held)
		for _, h := range o.held {
			o.size += len(h)
		}
	}
	n := len(o.held)
	o.held = slices.Grow(o.held, 1)[:n+1]
	o.held[n] = append(o.held[n][:0], line...)
	o.size += len(line)
}

// flush emits the lines that were held, the last one first.
func (o *lineOrder) flush(l *lines) {
	for i := len(o.held) - 1; i >= 0; i-- {
		l.emit(l.cover.off(o.held[i]))
	}
	l.emit(nil)
	o.held, o.size = o.held[:0], 0
}

// reversed reports whether the lines before a header are a goroutine's, its
// innermost call last.
func (o *lineOrder) reversed(l *lines, header []byte) bool {
	cover := l.cover
	cover.before = bytes.Clone(cover.before)
	cover.off(header)
	last := func(n int) []byte {
		if n > len(o.held) {
			return nil
		}
		return bytes.TrimSpace(cover.off(o.held[len(o.held)-n]))
	}
	call, file := last(1), last(2)
	if bytes.HasPrefix(call, labelMark) {
		call = file
	}
	if isLocation(call) {
		return isOfRecord(cover.off(header), call)
	}
	return len(file) > 0 && isCall(call) && hasArgs(call) && isPath(file)
}

// isOfRecord reports whether a call is one of those whose addresses a record
// begins with: the innermost that has a name. The calls of the record before, in
// a profile whose beginning is cut off, end with the outermost one.
func isOfRecord(record, location []byte) bool {
	pc, _, _ := splitLocation(location)
	want, err := strconv.ParseUint(string(pc), 0, 64)
	fields := bytes.Fields(record)
	for i, field := range fields {
		got, _ := strconv.ParseUint(string(field), 0, 64)
		if err == nil && (got == want || got == want+1) {
			return i < len(fields)-1
		}
	}
	return false
}

// end emits the lines behind the last header, which are of no goroutine.
func (o *lineOrder) end(l *lines) {
	if o.newest {
		o.flush(l)
	}
	o.held = nil
}

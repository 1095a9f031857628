package asynclog

import (
	"bytes"
	"unicode/utf8"
)

const (
	maxLine     = 64 << 10
	maxFinishes = 16
)

// cut is what a [File] knows of the record at its end, to keep the parts of a
// record together in one file. The File's lock guards it.
type cut struct {
	lines bool // the records are lines of text
	owed  int  // how many of the next bytes may belong to the last record
	tries int  // to finish it in the old file
	lost  bool // its beginning was removed
	after bool // the file that was opened ends inside a line
}

// learn finds out whether the records are lines: text in which there is a "\n".
// Records in CBOR are not valid UTF-8, and those that end in NUL show it.
func (c *cut) learn(p []byte) {
	if c.lines || len(p) == 0 || p[len(p)-1] == 0 {
		return
	}
	head := p[:min(len(p), 4096)]
	c.lines = bytes.IndexByte(head, 0) < 0 && isText(head, len(head) < len(p)) &&
		bytes.IndexByte(p, '\n') >= 0
}

// isText reports whether p is valid UTF-8, apart from a rune at its end if that
// may be cut.
func isText(p []byte, cut bool) bool {
	for n := 0; cut && n < utf8.UTFMax-1 && !utf8.Valid(p); n++ {
		p = p[:len(p)-1]
	}
	return utf8.Valid(p)
}

// waits reports whether the last record is still to be finished.
func (c *cut) waits() bool { return c.owed > 0 }

// rest returns how many of the bytes p belong to the last record.
func (c *cut) rest(p []byte) int {
	n := min(c.owed, len(p))
	if i := bytes.IndexByte(p[:n], '\n'); c.lines && i >= 0 {
		return i + 1
	}
	return n
}

// wrote notes that the file has taken n bytes of p. If that is all of p, it
// was a record, unless it is a line without an end.
func (c *cut) wrote(p []byte, n int) {
	switch {
	case n == 0:
		return
	case c.lines && p[n-1] == '\n':
		c.owed = 0
	case n < len(p):
		c.owed = len(p) - n
	case c.lines:
		c.owed = maxLine
	default:
		c.owed = 0
	}
	c.tries = 0
}

// finished notes that the old file has taken n bytes of p, the rest of the
// record or the beginning of that.
func (c *cut) finished(p []byte, n int) {
	c.owed -= n
	c.tries++
	if c.lines && n > 0 && p[n-1] == '\n' {
		c.owed = 0
	}
}

// giveUp reports whether there were too many attempts, and makes it the last.
func (c *cut) giveUp() bool {
	if c.tries < maxFinishes {
		return false
	}
	c.owed = 0
	return true
}

// dropLost drops what p has of a record that was lost with its file.
func (c *cut) dropLost(p []byte) int {
	if !c.lost {
		return 0
	}
	n := c.drop(p[:c.rest(p)])
	c.lost = c.waits()
	return n
}

// drop notes that p, the rest of the record, goes nowhere: of lines, as half a
// line is none. Other records cannot be told apart, and none is dropped.
func (c *cut) drop(p []byte) int {
	if !c.lines {
		c.owed = 0
		return 0
	}
	c.finished(p, len(p))
	return len(p)
}

// begin notes that a file was opened, which may end inside a line.
func (c *cut) begin(inside bool) {
	c.after = inside
	c.tries = 0
	if !c.lost {
		c.owed = 0
	}
}

// needsNewline reports whether the next record would continue a line that is
// not its own.
func (c *cut) needsNewline() bool { return c.after && c.lines }

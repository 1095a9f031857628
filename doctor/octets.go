package doctor

import (
	"bytes"
	"encoding/base64"
	"strconv"
)

// A stack that is logged as a []byte is written in base64 by encoding/json and
// as a list of numbers by package fmt.

// octetTexts are how "goroutine " begins then, up to 32 bytes, which the compiler
// converts without an allocation.
var octetTexts = [...]struct {
	begins string
	style  quoteStyle
}{
	{"Z29yb3V0aW5lI", quoteStyle{mark: '6'}},
	{"103 111 114 111 117 116 105 ", quoteStyle{mark: '1'}},
}

// octetsAt returns where such a text begins in line, or -1.
func octetsAt(line []byte) (int, quoteStyle) {
	for _, text := range octetTexts {
		if i := bytes.Index(line, []byte(text.begins)); i >= 0 {
			return i, text.style
		}
	}
	return -1, quoteStyle{}
}

// octets takes more of such a text, whose style is not of escapes, and reports
// whether it is one.
func (q *quoted) octets(b []byte) bool {
	switch q.style.mark {
	case '6':
		for _, c := range b {
			q.sixBits(c)
		}
	case '1':
		for _, c := range b {
			q.digit(c)
		}
	default:
		return false
	}
	return true
}

// sixBits takes a character of base64.
func (q *quoted) sixBits(c byte) {
	if q.escape = append(q.escape, c); q.done || len(q.escape) < 4 {
		return
	}
	var text [3]byte
	n, err := base64.StdEncoding.Decode(text[:], q.escape)
	q.escape = q.escape[:0]
	q.to.write(text[:n])
	q.done = err != nil || n < 3
}

// digit takes a character of a list of numbers.
func (q *quoted) digit(c byte) {
	switch {
	case q.done:
	case '0' <= c && c <= '9' && len(q.escape) < 3:
		q.escape = append(q.escape, c)
	default:
		n, err := strconv.ParseUint(string(q.escape), 10, 8)
		q.escape = q.escape[:0]
		if err == nil {
			q.to.write([]byte{byte(n)})
		}
		q.done = err != nil || c != ' '
	}
}

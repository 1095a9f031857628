package doctor

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// quoted undoes the escapes of a dump that was written into one line, as a
// stream: by logfmt and other loggers (msg="goroutine 1 [running]:\nmain…"),
// by %q, by rsyslog (#012), or in a URL or workflow command (%0A).
type quoted struct {
	to      *layer
	style   quoteStyle
	escape  []byte // a sequence that is not whole
	between []byte // the text after a closing mark that may not be the last
	ended   bool   // the last character was the end of a line
	done    bool
}

// quoteStyle is how a quoted text is written.
type quoteStyle struct {
	mark  byte // which begins an escape: \, #, % or |
	quote byte // which ends the text, or 0
}

// quotedAt returns where a text begins in line that has a goroutine's header
// with an escaped line's end behind it, or -1.
func quotedAt(line []byte) (int, quoteStyle) {
	if at := teamcityAt(line); at >= 0 {
		return at, quoteStyle{'|', '\''}
	}
	ends := escapedEnds(line)
	for from := 0; from < len(line); {
		i := bytes.Index(line[from:], []byte("goroutine"))
		if i < 0 {
			break
		}
		i += from
		from = i + len("goroutine")
		n := headerEnd(line[i:])
		if n <= 0 {
			continue
		}
		mark := ends.mark(line, i+n)
		if mark == 0 || len(tail(behindHeader(line[i:], n, 0))) > 0 {
			continue // a mark at the end of each line
		}
		start := openingQuote(line[:i])
		if start == 0 || mark != '\\' { // syslog knows no quotation marks
			return 0, quoteStyle{mark: mark}
		}
		if endsQuoted(line[i+n:], line[start-1]) {
			return -1, quoteStyle{} // each line is in quotation marks; see lineCover
		}
		return start, quoteStyle{mark, line[start-1]}
	}
	return -1, quoteStyle{}
}

// teamcityAt returns where the value with a goroutine begins in a message of a
// build to TeamCity, or -1:
//
//	##teamcity[testStdErr name='TestPut' out='goroutine 1 |[running|]:|nmain…']
func teamcityAt(line []byte) int {
	if !bytes.Contains(line, []byte("##teamcity[")) {
		return -1
	}
	i := bytes.Index(line, []byte("|]:|n"))
	start := bytes.LastIndex(line[:max(i, 0)], []byte("='"))
	if start < 0 {
		return -1
	}
	return start + len("='")
}

// endsQuoted reports whether nothing but the ends of the line and of the
// quotation is behind a header, and what joins it with the next.
func endsQuoted(rest []byte, quote byte) bool {
	for _, end := range [...]string{`\r`, `\n`} {
		rest = bytes.TrimPrefix(rest, []byte(end))
	}
	rest, ok := bytes.CutPrefix(rest, []byte{quote})
	return ok && len(bytes.Trim(rest, " \t\r,;+)]\\")) == 0
}

// lineEnds is where the last escaped end of a line of each kind begins in a
// text.
type lineEnds struct{ backslash, hash, percent int }

func escapedEnds(line []byte) lineEnds {
	return lineEnds{bytes.LastIndex(line, []byte(`\n`)),
		bytes.LastIndex(line, []byte("#012")), bytes.LastIndex(line, []byte("%0A"))}
}

// mark returns the character that begins the escaped end of the line after a
// header that ends at i, or 0. Blanks, the end of a quotation or of a color
// may come first.
func (e lineEnds) mark(line []byte, i int) byte {
	rest := line[i:]
	for _, end := range [...]string{`\n`, `\r\n`, `\\`, `\u000a`, `\x0a`} {
		if bytes.HasPrefix(rest, []byte(end)) {
			return '\\'
		}
	}
	switch {
	case e.hash > i:
		return '#'
	case e.percent > i:
		return '%'
	case e.backslash > i && len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\\'):
		return '\\'
	}
	return 0
}

// openingQuote returns the index after the last quotation mark in s that is
// not escaped, or 0.
func openingQuote(s []byte) int {
	for i := len(s) - 1; i >= 0; i-- {
		if isQuote(s[i]) && (i == 0 || s[i-1] != '\\') {
			return i + 1
		}
	}
	return 0
}

// write takes more of the text.
func (q *quoted) write(b []byte) {
	if q.octets(b) {
		return
	}
	for len(b) > 0 && !q.done {
		if len(q.between) > 0 {
			q.between = append(q.between, b[0])
			b = b[1:]
			q.reopen()
			continue
		}
		if len(q.escape) > 0 {
			q.escape = append(q.escape, b[0])
			b = b[1:]
			q.undo()
			continue
		}
		n := q.plain(b)
		q.to.write(b[:n])
		q.ended = q.ended && n == 0
		if n == len(b) {
			return
		}
		if b[n] == q.style.quote && q.style.quote != 0 {
			q.between, q.done = append(q.between[:0], b[n]), !q.ended
			b = b[n+1:]
			continue
		}
		q.escape = append(q.escape, b[n])
		b = b[n+1:]
	}
}

// reopen takes the text between two quoted lines, as a list of Python or the
// source of a program has them: a comma and a blank, a b, a plus. All else is
// behind the last one.
func (q *quoted) reopen() {
	n := len(q.between) - 1
	switch c := q.between[n]; {
	case c == q.style.quote && bytes.IndexByte(q.between, ' ') > 0:
		q.between = q.between[:0]
	case n > 4 || bytes.IndexByte([]byte(" ,+bu"), c) < 0:
		q.done = true
	}
}

// plain returns how many bytes of b are no escape and no end.
func (q *quoted) plain(b []byte) int {
	n := len(b)
	if i := bytes.IndexByte(b, q.style.mark); i >= 0 {
		n = i
	}
	if q.style.quote != 0 {
		if i := bytes.IndexByte(b[:n], q.style.quote); i >= 0 {
			n = i
		}
	}
	return n
}

// undo hands on the character that an escape stands for, once it is whole.
func (q *quoted) undo() {
	text, whole := unescape(q.escape)
	switch {
	case !whole:
	case q.style.mark != '\\' && len(text) > 1: // it is none, as in ##011
		q.to.write(text[:1])
		q.escape = nil
		q.write(text[1:])
	default:
		q.to.write(text)
		q.ended = string(text) == "\n"
		q.escape = q.escape[:0]
	}
}

// unescape returns the text of an escape sequence. An unknown one is its own
// text.
func unescape(s []byte) (text []byte, whole bool) {
	base, digits, from := 16, 0, 2
	switch {
	case s[0] == '#':
		base, digits, from = 8, 3, 1
	case s[0] == '%':
		digits, from = 2, 1
	case s[0] == '|':
		return unescapeBar(s)
	default:
		switch s[1] {
		case 'n':
			return []byte{'\n'}, true
		case 't':
			return []byte{'\t'}, true
		case 'r':
			return nil, true
		case '\\', '"', '\'', '`', '/':
			return s[1:], true
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		default:
			return s, true
		}
	}
	if len(s) < from+digits {
		return nil, false
	}
	n, err := strconv.ParseUint(string(s[from:]), base, 32)
	if err != nil {
		return s, true
	}
	if s[0] == '\\' && s[1] != 'x' {
		return utf8.AppendRune(nil, rune(n)), true
	}
	return []byte{byte(n)}, true
}

// unescapeBar is unescape for the sequences of TeamCity: |n, |', |0x2019.
func unescapeBar(s []byte) (text []byte, whole bool) {
	switch s[1] {
	case 'n':
		return []byte{'\n'}, true
	case 'r':
		return nil, true
	case '|', '\'', '[', ']':
		return s[1:], true
	case '0':
		if len(s) < len("|0x2019") {
			return nil, false
		}
		if n, err := strconv.ParseUint(string(s[3:]), 16, 32); err == nil {
			return utf8.AppendRune(nil, rune(n)), true
		}
	}
	return s, true
}

package doctor

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// records reads JSON as a stream and finds the texts in it that are a dump or
// lines of one: docker's json-file, go test -json, journalctl -o json, the
// records of structured loggers, and the exports of log stores, as lines, as
// one array, or indented over many lines. It keeps one piece of one string.
//
// The member of a record that holds the text is not marked. Those in textMembers are
// taken for it until a header of a goroutine turns up; then it is the member
// that the header is in.
type records struct {
	field *textField
	to    *layer
	told  bool // a text has been handed on

	stack   []jsonLevel
	expect  byte // see write
	key     bool // the string is a member's name
	text    []byte
	escape  []byte // of an escape sequence that is not whole
	half    rune   // the first half of a surrogate pair
	literal []byte
	passing bool // the string's beginning has been handed on
	octets  bool // text is written as an array of numbers
}

// jsonLevel is an object or array that is open.
type jsonLevel struct {
	kind  byte // { or [
	name  string
	label string // its member that names its value, as {"field": "@message"}
	index int    // of the element in an array
}

// textField is where in its records an input has the lines of a dump.
type textField struct {
	name   string // with that of the object in it; "" before the first header
	index  int    // in an array within an array, as Loki has; else -1
	header string // the last one seen
	ended  string // the member whose texts end with a line's end
}

// textMembers are the names of members that hold text, in lower case.
var textMembers = set(strings.Fields("log output message msg textpayload text line " +
	"body event content stack stacktrace stack_trace stacktraces error err " +
	"exception trace dump goroutines _raw raw @message data payload logs lines " +
	"values original formatted stderr stdout"))

// anyIndex is the index of a textField that is a column.
const anyIndex = -2

const (
	jsonMore   = iota // the value goes on
	jsonDone          // it ends within the bytes given
	jsonBroken        // this is no JSON

	maxNesting = 64
	maxPiece   = 32 << 10
)

// startsJSON reports whether b begins like an object, or like an array of
// texts, objects or arrays. A dump has lines such as "[originating from
// goroutine 3]:", a log such as "[GIN] 2026/11/24".
func startsJSON(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\ufeff")
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return false
	}
	rest := bytes.TrimLeft(b[1:], " \t\r")
	if len(rest) == 0 || rest[0] == '\n' {
		return true
	}
	return rest[0] == '"' || b[0] == '[' && (rest[0] == '{' || rest[0] == '[')
}

// jsonAt returns where in line a record in JSON begins, or -1: at once, or
// after the prefix of a log collector.
func jsonAt(line []byte) int {
	if startsJSON(line) {
		return bytes.IndexAny(line, "{[")
	}
	i := bytes.Index(line[:min(len(line), 512)], []byte(`{"`))
	if i <= 0 || line[i-1] != ' ' && line[i-1] != '\t' &&
		(line[i-1] != ',' || line[0] != '[') { // [1700000000.1,{"log": …
		return -1
	}
	before := line[:i]
	if bytes.Contains(before, []byte("goroutine ")) ||
		bytes.HasSuffix(before, []byte("labels: ")) || startsJSON(before) {
		return -1
	}
	return i
}

// write takes more of the value and returns how many bytes are of it.
func (r *records) write(b []byte) (n int, state int) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch r.expect {
		case 's':
			j := r.string(b[i:])
			if j < 0 {
				return i, jsonBroken
			}
			i += j - 1
			continue
		case 'l':
			if c != ',' && c != ']' && c != '}' && c > ' ' {
				if len(r.literal) < 32 {
					r.literal = append(r.literal, c)
				}
				continue
			}
			r.number()
			r.expect = 'a'
		}
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			continue
		}
		if !r.token(c) {
			return i, jsonBroken
		}
		if len(r.stack) == 0 {
			return i + 1, jsonDone
		}
	}
	return len(b), jsonMore
}

// token takes one character between strings: r.expect is 0 before a value, e
// before an element or the array's end, k before a member or the object's
// end, m before a member, c before a colon, a after a value.
func (r *records) token(c byte) bool {
	switch r.expect {
	case 0, 'e':
		return r.value(c)
	case 'k', 'm':
		if c == '}' && r.expect == 'k' {
			return r.close('{')
		}
		r.expect, r.key = 's', true
		return c == '"'
	case 'c':
		r.expect = 0
		return c == ':'
	}
	switch c {
	case ',':
		top := &r.stack[len(r.stack)-1]
		r.expect = 0
		if top.kind == '{' {
			r.expect = 'm'
		}
		top.index++
		return true
	case '}':
		return r.close('{')
	}
	return c == ']' && r.close('[')
}

// value begins a value.
func (r *records) value(c byte) bool {
	switch {
	case c == '{' || c == '[':
		if len(r.stack) == maxNesting {
			return false
		}
		r.stack = append(r.stack, jsonLevel{kind: c})
		r.expect = 'e'
		if c == '{' {
			r.expect = 'k'
		}
		r.octets = c == '[' && r.name() == "message"
	case c == ']' && r.expect == 'e':
		return r.close('[')
	case c == '"':
		r.expect, r.key = 's', false
	case c == '-' || '0' <= c && c <= '9' || c == 't' || c == 'f' || c == 'n':
		r.expect, r.literal = 'l', append(r.literal[:0], c)
	default:
		return false
	}
	return len(r.stack) > 0
}

func (r *records) close(kind byte) bool {
	last := len(r.stack) - 1
	if r.stack[last].kind != kind {
		return false
	}
	if r.octets {
		r.octets = false
		r.offer(true)
	}
	r.stack, r.expect = r.stack[:last], 'a'
	return true
}

// number takes a literal: a byte of journald's, which writes texts with
// control characters as arrays of numbers.
func (r *records) number() {
	if n, err := strconv.ParseUint(string(r.literal), 10, 8); err == nil &&
		r.octets {
		r.text = append(r.text, byte(n))
		r.piece()
	}
}

// string takes the next bytes of a string and returns how many there were of
// it, or -1 if it is none.
func (r *records) string(b []byte) int {
	for i := 0; i < len(b); {
		if len(r.escape) > 0 {
			if !r.escaped(b[i]) {
				return -1
			}
			i++
			continue
		}
		n := plainText(b[i:])
		r.text = append(r.text, b[i:i+n]...)
		r.piece()
		if i += n; i == len(b) {
			break
		}
		switch b[i] {
		case '"':
			r.ends()
			return i + 1
		case '\\':
			r.escape = append(r.escape, '\\')
		default:
			return -1
		}
		i++
	}
	return len(b)
}

// plainText returns how many bytes at the beginning of b stand for
// themselves.
func plainText(b []byte) int {
	for i, c := range b {
		if c == '"' || c == '\\' || c < ' ' && c != '\t' {
			return i
		}
	}
	return len(b)
}

// escaped takes the next byte of an escape sequence.
func (r *records) escaped(c byte) bool {
	r.escape = append(r.escape, c)
	if r.escape[1] != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		r.escape = r.escape[:0]
		if i >= 0 {
			r.text = append(r.text, "\"\\/\b\f\n\r\t"[i])
		}
		return i >= 0
	}
	if len(r.escape) < len(`\u0000`) {
		return true
	}
	code, err := strconv.ParseUint(string(r.escape[2:]), 16, 32)
	r.escape = r.escape[:0]
	c2 := rune(code)
	if r.half != 0 {
		c2 = utf16.DecodeRune(r.half, c2)
		r.half = 0
	} else if utf16.IsSurrogate(c2) {
		r.half = c2
		return err == nil
	}
	r.text = utf8.AppendRune(r.text, c2)
	return err == nil
}

// ends takes the end of a string.
func (r *records) ends() {
	if r.key {
		r.stack[len(r.stack)-1].name = strings.ToLower(string(r.text))
		r.text, r.expect, r.key = r.text[:0], 'c', false
		return
	}
	r.expect = 'a'
	if top := &r.stack[len(r.stack)-1]; top.kind == '{' && len(r.text) < 64 &&
		(top.name == "field" || top.name == "key" || top.name == "name") {
		top.label = string(r.text)
	}
	r.offer(true)
}

// piece passes on the beginning of a long text. Names of members are cut.
func (r *records) piece() {
	switch {
	case r.key && len(r.text) > 64:
		r.text = r.text[:64]
	case len(r.text) >= maxPiece:
		r.offer(false)
	}
}

// name returns the name of the member that the current value is in.
func (r *records) name() string {
	for i := len(r.stack) - 1; i >= 0; i-- {
		if r.stack[i].kind == '{' {
			return r.stack[i].name
		}
	}
	return ""
}

// path returns the name of the member that the current value is in, with that
// of the object it is in, or its label: log stores write attributes as a list
// of names and values.
func (r *records) path() string {
	outer := ""
	for i := len(r.stack) - 1; i >= 0; i-- {
		l := &r.stack[i]
		switch {
		case l.kind != '{':
		case outer == "" && l.name == "value" && l.label != "":
			return l.label + "/" + l.name
		case outer != "":
			return l.name + "/" + outer
		default:
			outer = l.name
		}
	}
	return outer
}

// index returns the place of the current value in an array within an array,
// or -1.
func (r *records) index() int {
	n := len(r.stack)
	if n > 1 && r.stack[n-1].kind == '[' && r.stack[n-2].kind == '[' {
		return r.stack[n-1].index
	}
	return -1
}

// offer hands on the text if it is of a dump.
func (r *records) offer(last bool) {
	if r.passing = r.passing || r.wanted(); r.passing {
		r.told = true
		r.to.write(r.text)
	}
	if last && r.passing && !r.goesOn() {
		r.to.end()
	}
	r.text, r.passing = r.text[:0], r.passing && !last
}

// wanted reports whether the current text is, or may be, of a dump, and
// learns from it. Some loggers write the same text into two members.
func (r *records) wanted() bool {
	f := r.field
	name, index := r.path(), r.index()
	same := f.name == name && f.index == index
	if header := headerIn(r.text); header != nil {
		if !same && f.header == string(header) {
			return false
		}
		f.name, f.index, f.header = name, index, string(header)
		return true
	}
	if f.header != "" {
		return same || r.column(name, index)
	}
	name = r.name()
	return (textMembers[name] || name == "") && !isNumber(r.text)
}

// column reports whether the texts stand in a column, as Grafana writes them:
// what follows the header in the same array is of its goroutine.
func (r *records) column(name string, index int) bool {
	f := r.field
	if name == f.name && f.index >= 0 && index == f.index+1 && len(r.text) > 0 &&
		(hasFile(r.text) || r.text[len(r.text)-1] == ')') {
		f.index = anyIndex
	}
	return name == f.name && f.index == anyIndex && index >= 0
}

// goesOn reports whether the text goes on in the next record: docker cuts
// lines at 16 kB, and has no line's end, like go test -json, where a program
// wrote none.
func (r *records) goesOn() bool {
	name := r.name()
	if name != "log" && name != "output" || len(r.text) == 0 {
		return false
	}
	if r.text[len(r.text)-1] == '\n' {
		r.field.ended = name
		return false
	}
	return r.field.ended == name
}

// lineEnds takes the end of a line within the value, which no string has.
func (r *records) lineEnds() bool { return r.expect != 's' }

// flush hands on a text that was cut.
func (r *records) flush() {
	if r.expect == 's' && !r.key {
		r.offer(true)
	}
}

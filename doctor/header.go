package doctor

import (
	"bytes"
	"strconv"
	"strings"
)

// header is the first line of a goroutine in a dump:
//
//	goroutine 7 gp=0xc000002380 m=nil [chan send (durable), 5 minutes, locked
//	to thread, synctest bubble 3 labels:{"k": "v"}]:
//	goroutine 7 [chan send, 12 minutes] {job: resize, pid: "<A.1>"}:
//
// each on one line. The labels are within the bracket in Go 1.26 and behind it
// since.
type header struct {
	id      uint64 // 0 if it was made unreadable
	state   []byte
	minutes uint32
	leaked  bool
	bubble  bool
	labels  []byte // between the braces
	cut     bool   // the line ended early
	tail    []byte // what another writer put after the line
}

// isHeader reports whether line begins with the header of a goroutine or of a
// profile, whole or cut.
func isHeader(line []byte) bool { return headerEnd(line) != 0 }

// maxHeader bounds a header with its labels.
const maxHeader = 4 << 10

// headerEnd returns the length of the header that line begins with, -1 if it
// is cut, and 0 if it is none. "goroutine 18 [chan send] is the culprit" is
// prose.
func headerEnd(line []byte) int {
	line = line[:min(len(line), maxHeader)]
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok || isTotal(line) {
		if isTotal(line) {
			return totalEnd(line)
		}
		return 0
	}
	id := bytes.IndexByte(rest, ' ')
	if id <= 0 || id > 32 {
		return 0
	}
	known := isNumber(rest[:id])
	if !known && !isRedacted(rest[:id]) {
		return 0
	}
	at := len(line) - len(rest) + id
	rest = rest[id:]
	if bytes.HasPrefix(rest, []byte(" gp=")) {
		i := bytes.IndexByte(rest, '[')
		if i < 0 {
			return -1
		}
		at, rest = at+i-1, rest[i-1:]
	}
	if !bytes.HasPrefix(rest, []byte(" [")) {
		return 0
	}
	n := bracketEnd(rest)
	if n > 0 {
		return at + n
	}
	if n < 0 && !known {
		return 0
	}
	return n
}

// bracketEnd is headerEnd from " [" on.
func bracketEnd(s []byte) int {
	end := bytes.IndexByte(s, ']')
	if i := bytes.Index(s, []byte(" labels:{")); i >= 0 && (end < 0 || i < end) {
		// The values are quoted and may hold anything, "]:" too.
		i += len(" labels:{")
		i += quotedEnd(s[i:])
		if !bytes.HasPrefix(s[i:], []byte("}]:")) {
			if i < len(s)-len("}]:") {
				return 0
			}
			return -1
		}
		return i + len("}]:")
	}
	switch {
	case end < 0:
		return -1
	case bytes.HasPrefix(s[end:], []byte("]:")):
		return end + len("]:")
	case bytes.HasPrefix(s[end:], []byte("]\uff1a")):
		return end + len("]\uff1a") // a colon of Chinese
	case bytes.HasPrefix(s[end:], []byte("] {")):
		end += len("] {")
		end += quotedEnd(s[end:])
		if bytes.HasPrefix(s[end:], []byte("}:")) {
			return end + len("}:")
		}
		if end >= len(s)-1 {
			return -1
		}
	case end == len(s)-1:
		return -1 // its colon may be on the next line
	}
	return 0
}

func isNumber(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

// isRedacted reports whether s replaces a number that its author removed:
// NNNNN, XX, ***, <id>, ?.
func isRedacted(s []byte) bool {
	if s[0] == '<' && s[len(s)-1] == '>' || s[0] == '[' && s[len(s)-1] == ']' ||
		s[0] == '{' && s[len(s)-1] == '}' || string(s) == "\u2026" {
		return true
	}
	if len(s) == 1 && 'A' <= s[0] && s[0] <= 'Z' {
		return true // named for the text around it
	}
	return strings.Trim(string(s), string(s[0])) == "" &&
		(strings.IndexByte("N#*?", s[0]) >= 0 ||
			len(s) > 1 && strings.IndexByte("Xxn_.-", s[0]) >= 0) ||
		strings.EqualFold(string(s), "id") ||
		strings.EqualFold(string(s), "redacted")
}

func isTotal(line []byte) bool {
	return bytes.HasPrefix(line, []byte("goroutine profile: total ")) ||
		bytes.HasPrefix(line, []byte("goroutineleak profile: total "))
}

// totalEnd is headerEnd for the header of a profile.
func totalEnd(line []byte) int {
	i := bytes.Index(line, []byte("total ")) + len("total ")
	n := len(line[i:]) - len(bytes.TrimLeft(line[i:], "0123456789"))
	return i + n
}

// headerIn returns the first header that stands in text, which is longer than
// a line, or nil.
func headerIn(text []byte) []byte {
	for {
		i := bytes.Index(text, []byte("goroutine"))
		if i < 0 {
			break
		}
		if n := headerEnd(text[i:]); n > 0 {
			return text[i : i+n]
		}
		text = text[i+len("goroutine"):]
	}
	return nil
}

// parseHeader reads a line for which headerEnd is not 0 and isTotal is false.
func parseHeader(line []byte) header {
	var h header
	rest := line[len("goroutine "):]
	n := bytes.IndexByte(rest, ' ')
	if isNumber(rest[:n]) {
		for _, c := range rest[:n] {
			h.id = h.id*10 + uint64(c-'0')
		}
	}
	end := headerEnd(line)
	h.cut = end < 0
	if !h.cut {
		h.tail = bytes.TrimSpace(line[end:])
		line = line[:end]
	}
	_, rest, _ = bytes.Cut(line, []byte{'['})
	if before, after, ok := bytes.Cut(rest, []byte(" labels:{")); ok {
		h.labels, rest = after[:quotedEnd(after)], before
	} else if before, after, ok := bytes.Cut(rest, []byte("] {")); ok {
		h.labels, rest = after[:quotedEnd(after)], before
	}
	notes, _, _ := bytes.Cut(rest, []byte{']'})
	h.annotations(notes)
	return h
}

// quotedEnd returns the index of the brace that closes the labels.
func quotedEnd(s []byte) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '\n':
			return i
		case c == '}' && !quoted:
			return i
		}
	}
	return len(s)
}

// annotations splits "select (durable), 5 minutes, locked to thread" up. An
// annotation of a later Go release is no reason to lose the goroutine: unknown
// ones are ignored.
func (h *header) annotations(s []byte) {
	state, rest, _ := bytes.Cut(s, []byte(", "))
	for len(rest) > 0 {
		var note []byte
		note, rest, _ = bytes.Cut(rest, []byte(", "))
		if n, ok := bytes.CutSuffix(note, []byte(" minutes")); ok {
			m, _ := strconv.ParseUint(string(n), 10, 32)
			h.minutes = uint32(m)
		} else if bytes.HasPrefix(note, []byte("synctest bubble ")) {
			h.bubble = true
		}
	}
	for {
		trimmed := state
		if s, ok := bytes.CutSuffix(trimmed, []byte(" (durable)")); ok {
			h.bubble, trimmed = true, s
		}
		if s, ok := bytes.CutSuffix(trimmed, []byte(" (synctest)")); ok {
			h.bubble, trimmed = true, s // what Go 1.24 says for durable
		}
		if s, ok := bytes.CutSuffix(trimmed, []byte(" (leaked)")); ok {
			h.leaked, trimmed = true, s
		}
		trimmed = bytes.TrimSuffix(trimmed, []byte(" (scan)"))
		if len(trimmed) == len(state) {
			break
		}
		state = trimmed
	}
	h.state = state
}

// eachLabel calls f with key=value for each of `"k": "v", k2: v2`, the form of
// a dump, and of `"k":"v"`, the form of a profile.
func eachLabel(labels []byte, f func(kv string)) {
	s := string(labels)
	for s != "" {
		key, rest, ok := labelPart(s, ":")
		if !ok {
			return
		}
		value, rest, ok := labelPart(strings.TrimLeft(rest, ": "), ",")
		if !ok {
			return
		}
		f(key + "=" + value)
		s = strings.TrimLeft(rest, ", ")
	}
}

// labelPart reads a key or a value, which is quoted only if it has to be since
// Go 1.27 and always before.
func labelPart(s, end string) (text, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		i := strings.Index(s, end)
		if i < 0 {
			i = len(s)
		}
		return s[:i], s[i:], i > 0 && (end == "," || i < len(s))
	}
	q, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", false
	}
	text, err = strconv.Unquote(q)
	return text, s[len(q):], err == nil
}

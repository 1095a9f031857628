package doctor

import (
	"bytes"
	"strconv"
)

// header is the first line of a goroutine in a dump:
//
//	goroutine 7 gp=0xc000002380 m=nil [chan send (durable), 5 minutes, locked
//	to thread, synctest bubble 3 labels:{"k": "v"}]:
//
// on one line.
type header struct {
	id      uint64
	state   []byte
	minutes uint32
	leaked  bool
	bubble  bool
	labels  []byte // between the braces
	cut     bool   // the line ended early
	tail    []byte // what another writer put after the line
}

// parseHeader reads a line for which isHeader is true and isTotal is false.
func parseHeader(line []byte) header {
	var h header
	rest := line[len("goroutine "):]
	for '0' <= rest[0] && rest[0] <= '9' { // isHeader knows what follows
		h.id = h.id*10 + uint64(rest[0]-'0')
		rest = rest[1:]
	}
	_, rest, _ = bytes.Cut(rest, []byte{'['})
	notes, tail, whole := bytes.Cut(rest, []byte("]:"))
	before, after, labelled := bytes.Cut(rest, []byte(" labels:{"))
	if labelled && len(before) < len(notes) {
		// The values are quoted and may hold anything, "]:" too.
		n := quotedEnd(after)
		h.labels, notes = after[:n], before
		tail, whole = bytes.CutPrefix(after[n:], []byte("}]:"))
	}
	h.cut = !whole
	if whole {
		h.tail = bytes.TrimSpace(tail)
	}
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
		case c == '}' && !quoted:
			return i
		}
	}
	return len(s)
}

// annotations splits "select (durable), 5 minutes, locked to thread" up. An
// annotation of a later Go release is no reason to lose the goroutine: what is
// not known is left out.
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

// eachLabel calls f with key=value for each of `"k": "v", "k2": "v2"`, the
// form of a dump, and of `"k":"v"`, the form of a profile.
func eachLabel(s []byte, f func(kv string)) {
	for {
		key, rest, ok := unquote(s)
		if !ok {
			return
		}
		value, rest, ok := unquote(bytes.TrimLeft(rest, ": "))
		if !ok {
			return
		}
		f(key + "=" + value)
		s = bytes.TrimLeft(rest, ", ")
	}
}

func unquote(s []byte) (text string, rest []byte, ok bool) {
	q, err := strconv.QuotedPrefix(string(s))
	if err != nil {
		return "", nil, false
	}
	text, err = strconv.Unquote(q)
	return text, s[len(q):], err == nil
}

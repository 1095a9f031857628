package doctor

import (
	"bytes"
)

// lineStreams takes apart the logs of several instances of a service in one
// input, as docker compose logs and kubectl logs --prefix write them: each line
// is of one instance, and their lines alternate. The lines of the instance that
// dumps first are read at once, those of the others after it.
type lineStreams struct {
	key  []byte // of the instance that is read
	held map[string][]heldLine
	keys []string // in the order in which they came up
	size int      // of the lines in held
	full bool     // lines are read as they come
}

type heldLine struct {
	text []byte
	n    int
}

// maxStreams bounds the bytes that are held of other instances.
const maxStreams = 4 << 20

// take takes a line, and reports whether it is held.
func (s *lineStreams) take(l *lines, line []byte) bool {
	if s.full || len(line) == 0 || len(l.cover.before) == 0 {
		return false // no header has a prefix
	}
	if s.key != nil && bytes.HasPrefix(line, l.cover.before) {
		return false
	}
	if s.key == nil {
		s.key = bytes.Clone(instanceOfLine(append(bytes.Clone(l.cover.before), 'x')))
		s.full = len(s.key) == 0
		return s.take(l, line)
	}
	key := instanceOfLine(line)
	if len(key) == 0 || bytes.Equal(key, s.key) {
		return false
	}
	if s.held == nil {
		s.held = make(map[string][]heldLine)
	}
	name := string(key)
	if _, seen := s.held[name]; !seen {
		s.keys = append(s.keys, name)
	}
	s.held[name] = append(s.held[name], heldLine{bytes.Clone(line), l.n})
	if s.size += len(line); s.size > maxStreams {
		s.end(l)
	}
	return true
}

// end emits the lines that are held, one instance after the other.
func (s *lineStreams) end(l *lines) {
	s.full = true
	n := l.n
	for _, key := range s.keys {
		l.other()
		for _, line := range s.held[key] {
			l.n = line.n
			l.leaf(line.text)
		}
	}
	l.n = n
	s.held, s.keys = nil, nil
}

// instanceOfLine returns the name of the instance that a line is of: "web-1" of
// "web-1  | …", "pod/web-7d9f/app" of "[pod/web-7d9f/app] …", or nil.
func instanceOfLine(line []byte) []byte {
	if bytes.HasPrefix(line, []byte("[pod/")) {
		i := bytes.IndexByte(line, ']')
		return line[1:max(i, 1)]
	}
	i := bytes.IndexAny(line[:min(len(line), 64)], " |")
	if i <= 0 || isNumber(line[:i]) || !bytes.HasPrefix(
		bytes.TrimLeft(line[i:], " "), []byte("| ")) {
		return nil
	}
	for _, c := range line[:i] {
		if !isWord(c) && c != '-' && c != '.' && c != '@' {
			return nil
		}
	}
	return line[:i]
}

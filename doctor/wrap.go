package doctor

import (
	"bytes"
)

// Terminals and mail programs wrap long lines, anywhere or at a blank; others
// join them. A line that is only a beginning is held until the next one.

const (
	maxPieces = 8
	maxHeld   = 8 << 10
)

// keep holds a line that may go on in the next, and reports whether it does.
func (p *parser) keep(line []byte) bool {
	if len(line) > maxHeld/2 || !isBeginning(bytes.Trim(line, " \t")) {
		return false
	}
	p.held = append(p.held[:0], line...)
	p.heldAt, p.pieces = p.in.n, 1
	return true
}

// isBeginning reports whether text may be the beginning of a header, a call
// or a path. "See the log" is none.
func isBeginning(text []byte) bool {
	if headerEnd(text) < 0 {
		return true
	}
	if len(text) == 0 || isOffset(text) {
		return false
	}
	if i := argsAt(text); i > 0 {
		return isSymbol(text[:i]) && openParens(text[i:]) > 0
	}
	if bytes.IndexByte(text, ' ') >= 0 {
		return string(text) == "non-Go function" || text[0] == '/' &&
			bytes.IndexByte(text, ':') < 0
	}
	first := text[0]
	return bytes.IndexByte(text, '/') >= 0 || // a path, of a file or package
		isWord(first) && isPlainWord(text)
}

// isPlainWord reports whether text is a function of C, or the beginning of a
// symbol.
func isPlainWord(text []byte) bool {
	for _, c := range text {
		if !isWord(c) && c != '.' && c != '*' && c != '(' && c != ')' && c != '-' {
			return false
		}
	}
	return true
}

// openParens returns how many parentheses are open at the end of s.
func openParens(s []byte) int {
	return bytes.Count(s, []byte{'('}) - bytes.Count(s, []byte{')'})
}

// rejoin puts the line that is held and the next one together. It reports
// whether line has been read; otherwise it returns the line to read.
func (p *parser) rejoin(line []byte) (rest []byte, done bool) {
	text := bytes.Trim(line, " \t")
	if joined := joinLines(p.held, text); joined != nil {
		p.drop()
		p.line(joined)
		return nil, true
	}
	held := bytes.Trim(p.held, " \t")
	if headerEnd(held) < 0 && endsInBracket(held) && isCall(text) && hasArgs(text) {
		header := append(bytes.Clone(held), ':') // which its author left out
		p.drop()
		p.beginGoroutine(header)
		return line, false
	}
	if bytes.HasPrefix(text, []byte("pc=0x")) && p.started {
		p.orphan()
		p.addCall(held, nil, args{})
		p.drop()
		return nil, true
	}
	if _, _, ok := fileLine(text); ok && !isHeader(held) && !isCreator(text) {
		// The call lost its end, or is one of C, which has no parentheses.
		name := held
		if i := argsAt(held); i > 0 {
			name = held[:i]
		}
		if p.started && (isSymbol(name) || bytes.Contains(line, []byte(" pc=0x"))) {
			p.orphan()
			p.named(name, args{})
			p.drop()
			return line, false
		}
	}
	if len(text) > 0 && p.pieces < maxPieces && !isOfDump(text) &&
		!isBeginning(text) && len(p.held)+len(text) < maxHeld &&
		argsAt(held) > 0 {
		p.held = append(append(p.held, ' '), text...)
		p.pieces++
		return nil, true
	}
	p.abandon()
	return line, false
}

// joinLines joins two lines, at a blank, which the wrapping may have removed,
// or within a word. It returns nil if the result is no line of a dump.
func joinLines(held, text []byte) []byte {
	if len(text) == 0 {
		return nil
	}
	with := append(append(bytes.Clone(held), ' '), text...)
	without := append(bytes.Clone(held), text...)
	trimmed := bytes.TrimLeft(with, " \t")
	switch {
	case headerEnd(trimmed) > 0:
		return joinHeader(trimmed, bytes.TrimLeft(without, " \t"))
	case headerEnd(trimmed) == 0 && headerEnd(bytes.TrimLeft(without, " \t")) > 0:
		return bytes.TrimLeft(without, " \t") // its colon alone was wrapped
	case isCreator(trimmed):
		if isNumber(text) || bytes.HasPrefix(text, []byte("goroutine ")) ||
			bytes.HasPrefix(text, []byte("in goroutine ")) {
			return trimmed
		}
		return joinCreator(bytes.TrimLeft(without, " \t"))
	case bytes.IndexByte(held, '(') < 0 && bytes.IndexByte(held, '/') >= 0 &&
		isPath(bytes.TrimLeft(without, " \t")):
		return without
	case isOfDump(text):
		return nil // whole by itself
	}
	without = bytes.TrimLeft(without, " \t")
	if isCall(without) && openParens(without) == 0 {
		return without
	}
	return nil
}

// joinCreator returns the line of a creator that was broken within a word, or
// nil.
func joinCreator(line []byte) []byte {
	_, id, ok := bytes.Cut(line, []byte(" in goroutine "))
	if !ok || !isNumber(id) {
		return nil
	}
	return line
}

// joinHeader chooses the form in which the state is a known one.
func joinHeader(with, without []byte) []byte {
	h := parseHeader(without)
	if _, known := states[State(h.state)]; (known || isPlainState(h.state)) &&
		(h.minutes > 0 || !bytes.Contains(with, []byte("minute"))) {
		return without
	}
	return with
}

// isPlainState knows the states that are their own operation.
func isPlainState(s []byte) bool {
	switch string(s) {
	case "running", "chan send", "chan receive", "select", "sleep", "syscall":
		return true
	}
	return false
}

// drop forgets the line that is held.
func (p *parser) drop() { p.held, p.pieces = p.held[:0], 0 }

// abandon reads the line that is held on its own.
func (p *parser) abandon() {
	if len(p.held) == 0 {
		return
	}
	held, at := p.held, p.heldAt
	p.drop()
	switch text := bytes.TrimLeft(held, " \t"); {
	case headerEnd(text) < 0 && (p.in.open || !endsInBracket(text)):
		p.beginGoroutine(bytes.Clone(text))
	case p.started && !p.created && isBareWait(bytes.TrimSpace(text)):
		p.orphan()
		p.addCall(bytes.Clone(bytes.TrimSpace(text)), nil, args{})
	case p.started && !p.created && !p.profile && isCut(text):
		p.orphan()
		i := argsAt(text)
		p.addCall(bytes.Clone(text[:i]), nil, parseArgs(wholeArgs(text[i+1:])))
		p.snap.trouble(at, string(held), "a call that is cut short")
		p.snap.Truncated = true
	case p.started && !p.profile:
		p.oddAt(at, bytes.Clone(held))
	default:
		p.step(p, bytes.Clone(held))
	}
}

// isCut reports whether text is a call whose arguments begin as a traceback prints
// them, and do not end.
func isCut(text []byte) bool {
	i := argsAt(text)
	return i > 0 && isSymbol(text[:i]) && hasArgs(text) && openParens(text[i:]) > 0
}

// wholeArgs is the arguments of a call that is cut short, without the last of
// them, which may lack its end.
func wholeArgs(s []byte) []byte {
	return s[:max(bytes.LastIndexByte(s, ','), 0)]
}

// isBareWait reports whether text is a call of the standard library to wait,
// which people write down by its name alone. Another word with a dot in it may
// be anything.
func isBareWait(text []byte) bool {
	return isSymbol(text) && waitsInside(string(text))
}

// endsInBracket reports whether a header lacks only its colon, which prose
// does not write.
func endsInBracket(text []byte) bool {
	return text[len(text)-1] == ']'
}

// keepCreator holds a creator's line that lacks the goroutine's number.
func (p *parser) keepCreator(name []byte) bool {
	last := name[bytes.LastIndexByte(name, ' ')+1:]
	if len(name) > maxHeld/2 || len(name) > 0 &&
		(len(last) == 0 || len(last) == len(name) ||
			string(last) != "in" && !bytes.HasPrefix([]byte("goroutine"), last)) {
		return false
	}
	p.held = append(append(p.held[:0], "created by "...), name...)
	p.heldAt, p.pieces = p.in.n, 1
	return true
}

// maxTorn is the shortest line of a file that a window may have broken within
// the number of the line or the offset: windows have at least 80 columns, and a
// tab is eight of them.
const maxTorn = 70

// isTorn reports whether s is an offset without its digits.
func isTorn(s []byte) bool {
	return string(s) == "+" || string(s) == "+0" || string(s) == "+0x"
}

// endsTorn reports whether line ends in an offset without its digits.
func endsTorn(line []byte) bool {
	switch line[len(line)-1] {
	case '+', '0', 'x': // as few do
		return isTorn(line[max(bytes.LastIndexByte(line, '+'), 0):])
	}
	return false
}

// mended takes the rest of a file's line that a window has broken: of its offset,
// or of its number.
func (p *parser) mended(text []byte) bool {
	p.torn = false
	digits := len(text) - len(bytes.TrimLeft(text, "0123456789"))
	if bytes.HasPrefix(text[digits:], []byte(" +0x")) && digits > 0 {
		p.key = append(append(p.key[:len(p.key)-1], text[:digits]...), '\n')
		return true
	}
	text = bytes.TrimPrefix(bytes.TrimPrefix(text, []byte{'0'}), []byte{'x'})
	return len(text) <= 6 && len(bytes.Trim(text, "0123456789abcdef")) == 0
}

// flat reads calls and their files from one line, as viewers show a dump
// after they replace line ends by blanks, and reports whether there were any.
func (p *parser) flat(line []byte) bool {
	if !hasFile(line) {
		return false
	}
	var lines [][]byte
	var words []byte
	files := 0
	for field := range bytes.FieldsSeq(line) {
		if files > 0 && len(words) == 0 && bytes.HasPrefix(field, []byte("//")) {
			break // its author's remark
		}
		_, _, ok := fileLine(field)
		switch {
		case isOffset(field) && len(words) == 0:
			continue
		case bytes.HasPrefix(field, []byte("goroutine")) && len(words) == 0 &&
			files > 0:
		case ok && isPath(field):
			if len(words) == 0 || !isCall(words) && !isCreator(words) {
				return false
			}
			lines = append(lines, words, field)
			words = nil
			files++
			continue
		}
		if len(words) > 0 {
			words = append(words, ' ')
		}
		words = append(words, field...)
		if field[len(field)-1] == ':' && headerEnd(words) > 0 {
			lines, words = append(lines, words), nil
		}
	}
	if files == 0 {
		return false
	}
	if len(words) > 0 {
		lines = append(lines, words)
	}
	p.held = p.held[:0]
	for _, l := range lines {
		p.line(l)
	}
	return true
}

func hasFile(line []byte) bool {
	return bytes.Contains(line, []byte(".go:")) ||
		bytes.Contains(line, []byte("<autogenerated>:"))
}

// flatCreator is flat for the line of a creator.
func (p *parser) flatCreator(name []byte) bool {
	if !hasFile(name) {
		return false
	}
	return p.flat(append([]byte("created by "), name...))
}

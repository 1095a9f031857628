package doctor

import (
	"bytes"
	"slices"
	"strconv"
)

// call reads a line of a goroutine. Content decides, not indentation, which
// is lost in many of the ways in which dumps are passed on.
func (p *parser) call(line []byte) {
	if len(line) > 0 && line[0] == '\t' && p.pending {
		p.file(line)
		return
	}
	if len(line) > 0 && line[0] <= '9' && line[0] != '\t' { // as few are
		line = unnumbered(line)
	}
	if p.specs {
		if line = p.specLine(line); line == nil {
			return
		}
	}
	text := bytes.Trim(line, " \t")
	switch {
	case len(text) == 0:
		p.blank()
	case isCreator(text):
		p.creator(text[len("created by "):])
	case text[len(text)-1] == ')' && bytes.IndexByte(text, '(') > 0:
		if !p.placed(text) && !p.flat(text) {
			p.function(text)
		}
	case !p.pending && (isCallWithFile(text) && p.flat(text) || p.placed(text)):
	case p.isFile(line, text):
		p.file(text)
	case isElided(text), p.numbers(text), p.torn && p.mended(text):
	case bytes.HasPrefix(text, []byte("[originating from goroutine ")):
		p.end()
		p.step = (*parser).ancestor
	case isOffset(text) && !p.pending:
	case isFence(text):
		p.end()
	case p.chain(text) || p.flat(text) || p.keep(line):
	default:
		p.odd(line)
	}
}

// placed reads a call and where it stands from a line without arguments, and
// reports whether it is one.
func (p *parser) placed(text []byte) bool {
	name, file := splitPlaced(text)
	if name == nil {
		return false
	}
	if p.chain(text) {
		return true
	}
	p.orphan()
	p.named(name, args{})
	p.file(file)
	p.sketch = true
	return true
}

// isFile reports whether line is where a call stands: by its indentation, or
// because a call is waiting for it.
func (p *parser) isFile(line, text []byte) bool {
	_, _, ok := fileLine(text)
	if len(text) < len(line) && (line[0] == '\t' || line[0] == ' ') {
		return ok || isUnavailable(text)
	}
	return ok && (p.pending || isPath(text))
}

// isCallWithFile reports whether a call and where it stands are on one line.
func isCallWithFile(text []byte) bool {
	i := bytes.Index(text, []byte(") "))
	return i > 0 && isCall(text[:i+1]) && isPath(bytes.TrimLeft(text[i+1:], " "))
}

func isUnavailable(text []byte) bool {
	return bytes.Contains(text, []byte("stack unavailable"))
}

// blank handles an empty line. It ends a goroutine, unless the first call or
// the file of a call is missing: then empty lines stand between all lines.
func (p *parser) blank() {
	switch {
	case p.pending, !p.called && !p.created && p.started:
		p.spaced = true
	case !p.spaced:
		p.end()
	}
}

// isElided reports whether the runtime or a person has left out calls. The
// dashes are grep's.
func isElided(text []byte) bool {
	switch string(text) {
	case "--", "(...)", "[...]", "[…]", "(truncated)", "[truncated]", "<truncated>",
		"(snip)", "[snip]", "<snip>":
		return true
	}
	return len(bytes.Trim(text, ".…")) == 0 ||
		bytes.HasSuffix(text, []byte("frames elided..."))
}

// numbers reports whether text is the number of a line, which pages put into a
// separate line: one more than the last one.
func (p *parser) numbers(text []byte) bool {
	if len(text) > 7 || !isNumber(text) {
		return false
	}
	n, _ := strconv.Atoi(string(text))
	follows := n == p.number+1
	p.number = n
	return follows
}

// unnumbered takes off the number that a viewer puts before each line, but not
// before the header if that was copied on its own.
func unnumbered(line []byte) []byte {
	rest := bytes.TrimLeft(line, " ")
	n := len(rest) - len(bytes.TrimLeft(rest, "0123456789"))
	if n == 0 || n > 7 {
		return line
	}
	rest = bytes.TrimPrefix(rest[n:], []byte{':'})
	for _, bar := range [...]string{" |", " \u2502"} {
		rest = bytes.TrimPrefix(rest, []byte(bar))
	}
	if len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') && isOfDump(rest) {
		return rest
	}
	return line
}

// isOffset reports whether text is the offset that a wrapped file line leaves
// for the next line.
func isOffset(text []byte) bool { return bytes.HasPrefix(text, []byte("+0x")) }

// isFence reports whether text ends a dump on a page: a fence of Markdown or a
// tag.
func isFence(text []byte) bool {
	return len(bytes.Trim(text, "`~")) == 0 ||
		text[0] == '<' && text[len(text)-1] == '>' &&
			bytes.IndexByte(text, ':') < 0
}

// ancestor skips the stacks of a goroutine's creators, which are not calls of
// the goroutine itself.
func (p *parser) ancestor(line []byte) {
	if len(line) == 0 {
		p.step = (*parser).outside
	}
}

func (p *parser) function(line []byte) {
	p.orphan()
	i := bytes.LastIndexByte(line, '(')
	name := line[:i]
	if bytes.ContainsRune(name, ' ') && !bytes.Contains(name, []byte("[")) {
		if !p.chain(line) {
			p.odd(name) // prose that ends in a parenthesis
		}
		return
	}
	p.named(name, parseArgs(line[i+1:len(line)-1]))
}

// named begins a call of a function.
func (p *parser) named(name []byte, a args) {
	if p.created { // its creator is the last line of a goroutine
		p.odd(name)
		return
	}
	p.pending = true
	if p.inside != nil {
		a = p.locked(name, a)
	}
	p.words.call(a)
	p.key = append(p.key, starred(name)...)
	p.key = append(p.key, '\n')
}

// orphan gives the function that has no file an empty one.
func (p *parser) orphan() {
	if p.pending {
		p.key = append(p.key, '\n', '0', '\n')
		p.pending, p.sketch = false, true
		p.snap.trouble(p.in.n, "", "a call without its file")
	}
}

func (p *parser) creator(line []byte) {
	if p.keepCreator(line) {
		return
	}
	if p.flatCreator(line) {
		return
	}
	p.orphan()
	name, id, ok := bytes.Cut(line, []byte(" in goroutine "))
	if ok {
		p.parent, _ = strconv.ParseUint(string(id), 10, 64)
	}
	p.created = true
	p.pending = true
	p.key = append(p.key, '\n') // an empty function marks the creator
	p.key = append(p.key, starred(name)...)
	p.key = append(p.key, '\n')
}

func (p *parser) file(line []byte) {
	name, number, ok := fileLine(line)
	if !ok {
		if !isUnavailable(line) && !p.keep(line) {
			p.odd(line)
		}
		return
	}
	if !p.pending {
		if p.chain(line) {
			return
		}
		if p.created && p.called {
			p.odd(line)
			return
		}
		p.snap.trouble(p.in.n, string(line), "a file without its call")
		p.words.call(args{})
		p.key = append(p.key, '?', '\n')
	}
	p.pending = false
	p.called = true
	p.exact = p.exact || bytes.Contains(line, []byte(" +0x"))
	p.torn = len(line) >= maxTorn || endsTorn(line)
	p.key = append(p.key, name...)
	p.key = append(p.key, '\n')
	p.key = append(p.key, number...)
	p.key = append(p.key, '\n')
	if p.created {
		p.end()
	}
}

// odd handles a line that is not of the goroutine. After the last call it is
// the text that follows; before, another writer has interrupted the dump.
func (p *parser) odd(line []byte) { p.oddAt(p.in.n, line) }

func (p *parser) oddAt(n int, line []byte) {
	if p.whole() || p.spaced && p.called && !p.pending || isExit(line) {
		main := p.whole() && p.head.id == 1 && !p.created
		p.end()
		p.outside(line)
		if p.aside = 0; main && !p.started {
			p.aside = maxAside
		}
		return
	}
	p.snap.trouble(n, string(line), "a foreign line within a goroutine")
}

// isExit reports whether line is what go test, go run or the playground prints
// after a dump.
func isExit(line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	for _, begins := range [...]string{"exit status ", "FAIL", "Program exited",
		"[process exited "} {
		if bytes.HasPrefix(line, []byte(begins)) {
			return true
		}
	}
	return false
}

// maxAside bounds the lines of other writers within the goroutine of main.
const maxAside = 8

// reopen goes on with the goroutine of main, which has no creator to end with, if
// a call follows what looked like the text behind it.
func (p *parser) reopen(line []byte) bool {
	text := bytes.TrimSpace(line)
	if p.aside--; len(text) == 0 {
		p.aside = 0
	}
	if p.head.id != 1 || p.byID()[1].stack == nil || !isCall(text) || !hasArgs(text) {
		return false
	}
	p.remove(1)
	p.snap.trouble(p.in.n, "", "foreign lines within a goroutine")
	p.aside, p.started = 0, true
	p.step = (*parser).call
	p.call(line)
	return true
}

func isCreator(line []byte) bool {
	return bytes.HasPrefix(line, []byte("created by "))
}

// isCall reports whether line is a call with its arguments: a symbol, which
// has a dot and hardly ever a blank, and parentheses.
func isCall(line []byte) bool {
	i := argsAt(line)
	return i > 0 && line[len(line)-1] == ')' && isSymbol(line[:i])
}

// hasArgs reports whether a call's arguments are as a traceback prints them.
func hasArgs(line []byte) bool {
	args := line[argsAt(line)+1:]
	for _, first := range [...]string{"0x", "{0x", "...", "_"} {
		if bytes.HasPrefix(args, []byte(first)) {
			return true
		}
	}
	return string(args) == ")"
}

// isSymbol reports whether s may be the name of a function.
func isSymbol(s []byte) bool {
	if i := bytes.IndexByte(s, '['); i > 0 {
		s = s[:i] // types may have anything
	}
	name := s[bytes.LastIndexByte(s, '/')+1:]
	if dot := bytes.IndexByte(name, '.'); dot <= 0 || dot == len(name)-1 {
		return false
	}
	return !bytes.ContainsAny(s, " \t:\"'=,;")
}

// starred restores the star of a receiver that Markdown took for emphasis, as
// in "sync.(_RWMutex).RLock" or "sync.(RWMutex).RLock": the toolchain puts a
// receiver in parentheses only with its star.
func starred(name []byte) []byte {
	i := bytes.Index(name, []byte(".("))
	if i < 0 || bytes.HasPrefix(name[i:], []byte(".(*")) {
		return name
	}
	before, after := name[:i+len(".(")], name[i+len(".("):]
	after = bytes.TrimPrefix(after, []byte("_"))
	end := bytes.IndexByte(after, ')')
	if end <= 0 || !bytes.HasPrefix(after[end:], []byte(").")) {
		return name
	}
	receiver, _, _ := bytes.Cut(after[:end], []byte{'['}) // types may have anything
	if bytes.ContainsAny(receiver, "./*-") {
		return name
	}
	return slices.Concat(before, []byte("*"), after)
}

// argsAt returns the index of the parenthesis that begins a call's arguments:
// the first that does not begin the receiver's type, as in (*T).Method. It
// returns -1 if there is none.
func argsAt(line []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(line[from:], '(')
		if i < 0 {
			return -1
		}
		if i += from; i > 0 && line[i-1] != '.' {
			return i
		}
		from = i + 1
	}
}

// isPath reports whether a line without indentation is where a call stands.
func isPath(text []byte) bool {
	file, _, ok := fileLine(text)
	if !ok {
		return false
	}
	for _, ext := range [...]string{".go", ".s", ".c", ".cc", ".cpp", ".h",
		"<autogenerated>"} {
		if bytes.HasSuffix(file, []byte(ext)) {
			return bytes.IndexByte(file, '(') < 0
		}
	}
	return false
}

// isOfDump reports whether a line is of a goroutine in a dump, or of a record
// in a profile.
func isOfDump(line []byte) bool {
	text := bytes.TrimLeft(line, " \t")
	if len(text) == 0 {
		return false
	}
	return isHeader(text) || isCreator(text) || isCall(text) || isPath(text) ||
		isRecord(text) || isLocation(text) || bytes.HasPrefix(text, labelMark)
}

// fileLine splits "\t/a/b.go:12 +0x1d fp=0x1 sp=0x2 pc=0x3".
func fileLine(line []byte) (file, number []byte, ok bool) {
	line = bytes.TrimLeft(line, "\t ")
	// Each byte of a dump passes here: LastIndex of a string would be slow.
	i := bytes.LastIndexByte(line, '+')
	if i > 0 && line[i-1] == ' ' && (bytes.HasPrefix(line[i:], []byte("+0x")) ||
		isTorn(line[i:])) {
		line = line[:i-1]
	} else if i = bytes.IndexByte(line, '='); i > 2 {
		for _, register := range [...]string{" fp=0x", " pc=0x"} {
			line, _, _ = bytes.Cut(line, []byte(register))
		}
	}
	line = bytes.TrimRight(line, " ")
	i = bytes.LastIndexByte(line, ':')
	if i <= 0 || i == len(line)-1 {
		return nil, nil, false
	}
	number = line[i+1:]
	for _, c := range number {
		if c < '0' || c > '9' {
			return nil, nil, false
		}
	}
	return line[:i], number, true
}

package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// ErrNoDump is returned by [Parse] for an input without any goroutine.
var ErrNoDump = errors.New("no goroutine in it: want a goroutine profile " +
	"(/debug/pprof/goroutine?debug=1 or 2), the output of SIGQUIT, of a panic " +
	"or of a test timeout")

// Parse reads every goroutine dump and every text profile in r, in whatever
// other text they are embedded. It knows the forms of Go 1.18 to 1.27: the
// profile with debug=1 and debug=2, what a panic, a fatal error, SIGQUIT and a
// test timeout print, at any GOTRACEBACK; under prefixes of log collectors, in
// the JSON of containers and of go test -json, with foreign lines in between,
// with CRLF, and cut off at any byte.
//
// The snapshots have the target as Target and are in the order of the input;
// there are several if the input has several dumps. What ought to be part of a
// dump and is not understood is counted in Unreadable, never dropped silently.
// The error is the reader's, [ErrNoDump], or nil; what was read before the
// reader failed is returned with it.
//
// Parse reads r once. It keeps one copy of each distinct stack, and for each
// goroutine 28 bytes and the addresses among its arguments, some 50 bytes; and
// never more than one line of the input besides.
func Parse(r io.Reader, target string) ([]*Snapshot, error) {
	p := parser{in: newLines(r), target: target, words: &wordStore{}}
	p.begin()
	for {
		line, err := p.in.next()
		if err == nil {
			p.line(line)
			continue
		}
		p.finish()
		if err != io.EOF {
			return p.done, fmt.Errorf("%s: line %d: %w", target, p.in.n, err)
		}
		if len(p.done) == 0 {
			return nil, fmt.Errorf("%s: %w", target, ErrNoDump)
		}
		return p.done, nil
	}
}

// parser is between the lines of r. A goroutine is first written down as a
// key, its distinguishing bytes; only a key not seen before costs more.
type parser struct {
	in     *lines
	target string
	done   []*Snapshot
	snap   *Snapshot
	index  map[string]*Stack

	step    func(*parser, []byte) // what a line means now
	total   int                   // announced by a profile
	profile bool
	leaks   bool

	head    header
	state   []byte // head.state, which points into a line
	labels  []byte
	words   *wordStore
	started bool
	key     []byte
	called  bool // a call of it has been read
	created bool // the goroutine's last line has been read
	pending bool // its last function is still without its file
	parent  uint64
	count   int // 1, or of a profile's record

	first   uint64 // id of the dump's first goroutine
	main    bool   // goroutine 1 has been counted
	lastID  uint64 // and of the one before the current, if it was running
	lastKey string
}

func (p *parser) begin() {
	p.snap = &Snapshot{Target: p.target, Instance: p.target}
	p.index = make(map[string]*Stack)
	p.first, p.main, p.lastKey, p.total = 0, false, "", 0
	p.profile, p.leaks = false, false
	p.step = (*parser).outside
}

// split ends the current snapshot, if it has anything, and begins the next.
func (p *parser) split() {
	p.end()
	if missing := p.total - p.snap.Goroutines; p.profile && missing > 0 {
		p.snap.Unreadable += missing
		p.snap.Truncated = true
		p.snap.note(0, "", fmt.Sprintf("the profile announces %d goroutines "+
			"and has %d", p.total, p.snap.Goroutines))
	}
	if p.snap.Goroutines > 0 || p.profile {
		p.done = append(p.done, p.snap)
		p.begin()
	}
}

func (p *parser) finish() {
	cut := p.pending || p.in.open && !p.complete()
	if p.started && !p.profile && cut {
		p.snap.Truncated = true
		p.snap.trouble(p.in.n, "", "the input ends within a goroutine")
	}
	p.split()
}

// line sends one line to where it belongs. Headers are known anywhere: the
// empty line before them may be missing.
func (p *parser) line(line []byte) {
	switch {
	case isHeader(line) && isTotal(line):
		p.beginProfile(line)
	case isHeader(line):
		p.beginGoroutine(line)
	default:
		p.step(p, line)
	}
}

// outside is between goroutines, in text that is none of ours.
func (p *parser) outside(line []byte) {
	for _, banner := range [...]string{
		"fatal error: ", "panic: ", "SIGQUIT: ", "SIGABRT: ", "SIGTRAP: ",
	} {
		if i := bytes.Index(line, []byte(banner)); i >= 0 && plainBefore(line[:i]) {
			p.split()
			if p.snap.Banner == "" {
				p.snap.Banner = string(line[i:min(len(line), i+maxText)])
			}
			return
		}
	}
	if bytes.HasPrefix(line, []byte("[originating from goroutine ")) {
		p.step = (*parser).ancestor
		return
	}
	const word = "goroutine "
	if n := min(len(line), len(word)); p.in.open && n > 0 &&
		string(line[:n]) == word[:n] {
		p.snap.Truncated = true
		p.snap.trouble(p.in.n, string(line), "the input ends within a header")
		return
	}
	if file, _, ok := fileLine(line); ok && bytes.HasSuffix(file, []byte(".go")) &&
		bytes.Contains(line, []byte(" +0x")) {
		p.snap.trouble(p.in.n, string(line), "a call outside any goroutine")
	}
}

// plainBefore reports whether s may stand before a crash banner: nothing, or
// what a log collector writes, but no prose.
func plainBefore(s []byte) bool {
	return len(s) == 0 || s[len(s)-1] == ' ' && len(s) < 64 &&
		bytes.ContainsAny(s, "0123456789|") && !bytes.Contains(s, []byte("http: "))
}

func (p *parser) beginGoroutine(line []byte) {
	p.end()
	if p.profile {
		p.split()
	}
	h := parseHeader(line)
	if h.id == p.first || h.id == 1 && p.main {
		p.repeat()
	}
	if p.first == 0 {
		p.first = h.id
	}
	p.head = h
	p.state = append(p.state[:0], h.state...)
	p.labels = append(p.labels[:0], h.labels...)
	if h.cut {
		p.snap.trouble(p.in.n, string(line), "header without an end")
	}
	if len(h.tail) > 0 {
		p.snap.trouble(p.in.n, string(line), "other text on the line of a header")
	}
	p.started, p.created, p.called, p.parent = true, false, false, 0
	p.count = 1
	p.words.begin()
	p.key = append(p.key[:0], p.state...)
	p.key = append(p.key, '\n', mark(h.leaked), mark(h.bubble), '\n')
	p.step = (*parser).call
}

func mark(b bool) byte {
	if b {
		return '1'
	}
	return '0'
}

// repeat begins a snapshot because a goroutine comes up again. A dump begins
// with the goroutine that writes it, so the one before this belongs to the
// new dump if it was running.
func (p *parser) repeat() {
	key, id := p.lastKey, p.lastID
	last := p.index[key]
	if last == nil || id == p.first {
		p.split()
		return
	}
	n := len(last.Members) - 1
	m, words := last.Members[n], last.words[n]
	last.Members, last.words = last.Members[:n], last.words[:n]
	last.Count--
	p.snap.Goroutines--
	if last.Count == 0 {
		p.snap.Stacks = slices.DeleteFunc(p.snap.Stacks,
			func(s *Stack) bool { return s == last })
	}
	p.split()
	moved := *last
	moved.Count, moved.Members, moved.words = 1, []Member{m}, []uint32{words}
	p.snap.Add(&moved)
	p.index[key] = &moved
	p.first = id
}

// complete reports whether nothing of the goroutine can be missing.
func (p *parser) complete() bool {
	return p.called && !p.pending && p.head.id <= 1
}

// call is inside a goroutine.
func (p *parser) call(line []byte) {
	switch {
	case len(line) == 0:
		p.end()
	case line[0] == '\t' || line[0] == ' ':
		p.file(line)
	case bytes.HasPrefix(line, []byte("created by ")):
		p.creator(line[len("created by "):])
	case line[len(line)-1] == ')' && bytes.IndexByte(line, '(') > 0:
		p.function(line)
	case bytes.HasSuffix(line, []byte("frames elided...")):
	case bytes.HasPrefix(line, []byte("[originating from goroutine ")):
		p.end()
		p.step = (*parser).ancestor
	default:
		p.odd(line)
	}
}

// ancestor is inside the stacks of who created the goroutine, which are not
// on its own.
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
		p.odd(name) // prose that ends in a parenthesis
		return
	}
	p.pending = true
	p.words.call(parseArgs(line[i+1 : len(line)-1]))
	p.key = append(p.key, name...)
	p.key = append(p.key, '\n')
}

// orphan gives the function that has no file an empty one.
func (p *parser) orphan() {
	if p.pending {
		p.key = append(p.key, '\n', '0', '\n')
		p.pending = false
		p.snap.trouble(p.in.n, "", "a call without its file")
	}
}

func (p *parser) creator(line []byte) {
	p.orphan()
	name, id, ok := bytes.Cut(line, []byte(" in goroutine "))
	if ok {
		p.parent, _ = strconv.ParseUint(string(id), 10, 64)
	}
	p.created = true
	p.pending = true
	p.key = append(p.key, '\n') // an empty function marks the creator
	p.key = append(p.key, name...)
	p.key = append(p.key, '\n')
}

func (p *parser) file(line []byte) {
	name, number, ok := fileLine(line)
	if !ok {
		if !bytes.Contains(line, []byte("stack unavailable")) {
			p.odd(line)
		}
		return
	}
	if !p.pending {
		p.snap.trouble(p.in.n, string(line), "a file without its call")
		p.words.call(args{})
		p.key = append(p.key, '?', '\n')
	}
	p.pending = false
	p.called = true
	p.key = append(p.key, name...)
	p.key = append(p.key, '\n')
	p.key = append(p.key, number...)
	p.key = append(p.key, '\n')
	if p.created {
		p.end()
	}
}

// odd is a line that is not of the goroutine. After its last call that is
// only the text that follows; before, someone else has written into the dump.
func (p *parser) odd(line []byte) {
	if p.complete() || bytes.HasPrefix(line, []byte("exit status ")) ||
		bytes.HasPrefix(line, []byte("FAIL")) {
		p.end()
		p.outside(line)
		return
	}
	p.snap.trouble(p.in.n, string(line), "a foreign line within a goroutine")
}

// fileLine splits "\t/a/b.go:12 +0x1d fp=0x1 sp=0x2 pc=0x3".
func fileLine(line []byte) (file, number []byte, ok bool) {
	line = bytes.TrimLeft(line, "\t ")
	// Each byte of a dump passes here: LastIndex of a string would be slow.
	i := bytes.LastIndexByte(line, '+')
	if i > 0 && bytes.HasPrefix(line[i-1:], []byte(" +0x")) {
		line = line[:i-1]
	} else {
		line, _, _ = bytes.Cut(line, []byte(" fp=0x"))
	}
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

// end counts the goroutine or the profile's record that has been read.
func (p *parser) end() {
	if p.step = (*parser).outside; p.profile {
		p.step = (*parser).record
	}
	if !p.started {
		return
	}
	p.orphan()
	p.started = false
	s := p.index[string(p.key)]
	if s == nil {
		key := string(p.key)
		s = decode(key)
		s.store = p.words
		p.index[key] = s
		p.snap.Stacks = append(p.snap.Stacks, s)
	}
	eachLabel(p.labels, func(kv string) { s.label(kv, p.count) })
	s.Count += p.count
	p.snap.Goroutines += p.count
	if p.profile {
		return
	}
	s.Members = append(s.Members, Member{p.head.id, p.parent, p.head.minutes})
	s.words = append(s.words, p.words.end())
	p.main = p.main || p.head.id == 1
	p.lastID, p.lastKey = p.head.id, ""
	if string(p.state) == "running" {
		p.lastKey = string(p.key)
	}
}

// decode makes a Stack of a key: state, flags, then function, file and line
// of each call, the creator after an empty function.
func decode(key string) *Stack {
	b := []byte(key)
	field := func() string {
		f, rest, _ := bytes.Cut(b, []byte{'\n'})
		b = rest
		return string(f)
	}
	s := &Stack{State: field()}
	flags := field()
	s.Leaked, s.Bubble = flags[0] == '1', flags[1] == '1'
	for len(b) > 0 {
		f := Frame{Func: field()}
		creator := f.Func == ""
		if creator {
			f.Func = field()
		}
		if f.Func == "@" {
			f.Func = ""
			f.PC, _ = strconv.ParseUint(field(), 0, 64)
			s.Frames = append(s.Frames, f)
			continue
		}
		if f.Func == "?" {
			f.Func = ""
		}
		f.File = field()
		f.Line, _ = strconv.Atoi(field())
		if creator {
			s.CreatedBy = f
		} else {
			s.Frames = append(s.Frames, f)
		}
	}
	return s
}

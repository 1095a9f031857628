package doctor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"example.com/chanx/internal/printable"
)

// ErrNoDump is returned by [Parse] for an input without any goroutine.
var ErrNoDump = errors.New("no goroutine in it: want a goroutine profile " +
	"(/debug/pprof/goroutine?debug=1 or 2), the output of SIGQUIT, of a panic " +
	"or of a test timeout")

// Parse reads every goroutine dump and every text profile in r, embedded in
// any other text. It knows the forms of Go 1.18 to 1.27: the profile with
// debug=1 and debug=2, the output of a panic, a fatal error, SIGQUIT and a test
// timeout, at any GOTRACEBACK; go tool pprof -traces, folded stacks of goroutines,
// panicparse, goleak, the goroutines of delve and gdb, progress reports of Ginkgo
// and the reports of go-deadlock. Stacks without a header count if the input has no
// goroutine with one. Around them it removes the prefixes of log collectors, the
// JSON of containers, loggers and log stores, the quotes of logfmt and the
// decorations of web pages and terminals; lines may be without indentation,
// wrapped, joined, newest first, alternate with those of other instances or with
// foreign ones, and the end may be missing.
//
// The snapshots have the target as Target and are in the order of the input.
// There are several if the input has several dumps; those of different
// processes differ in Instance. A goroutine that is quoted once more counts
// once. Lines that should be part of a dump and are not understood are
// counted in Unreadable, never dropped silently. The error is the reader's,
// one that wraps [ErrNoDump], or nil; the snapshots read before the reader
// failed are returned with it.
//
// Parse reads r once. It keeps one copy of each distinct stack, and for each
// goroutine a dozen bytes and the addresses among its arguments, some 50 bytes; of
// the input itself it keeps a few lines, and at most 4 MB where the lines of
// several instances alternate. It keeps at most 100,000 distinct stacks and 1,000
// snapshots of one input.
func Parse(r io.Reader, target string) ([]*Snapshot, error) {
	p := parser{target: target, words: &wordStore{},
		names: make(map[string]string)}
	p.in = &lines{emit: p.line, forget: p.forget, other: p.other}
	p.begin()
	err := p.in.read(r)
	p.finish()
	snaps := p.dumps.all
	for _, snap := range snaps {
		for _, s := range snap.Stacks {
			s.key = "" // as long as all its calls; a fleet has a thousand of each
		}
	}
	switch {
	case err != nil:
		return snaps, fmt.Errorf("%s: line %d: %w", target, p.in.n, err)
	case len(snaps) > 0:
		return snaps, nil
	case cmp.Or(p.remedy, p.in.event) != "":
		return nil, fmt.Errorf("%s: %w", target, foreignError{cmp.Or(p.remedy,
			p.in.event) + p.table.says()})
	}
	if snap := p.headless.snapshot(target); snap != nil {
		return []*Snapshot{snap}, nil
	}
	return nil, fmt.Errorf("%s: %w%s", target, ErrNoDump, p.strays())
}

// strays describes how much of an input without a goroutine looks like one.
func (p *parser) strays() string {
	if len(p.snap.Troubles) == 0 {
		return ""
	}
	first := p.snap.Troubles[0]
	return fmt.Sprintf("; it has %d lines that look like a part of one, the "+
		"first in line %d: %q", p.snap.Unreadable, first.Line, first.Text)
}

// maxStacks bounds the distinct stacks of one input. A process has some
// hundred of them, and each costs more than its text.
const maxStacks = 100_000

// parser is between the lines of r. A goroutine is first written down as a
// key, its distinguishing bytes; only a key not seen before costs more.
type parser struct {
	in       *lines
	target   string
	dumps    dumps
	dump            // the one being read
	stacks   int    // distinct ones of the whole input
	remedy   string // for text of another tool; see foreign
	headless headless
	table    table

	step    func(*parser, []byte) // what a line means now
	home    func(*parser, []byte) // and between goroutines
	notice  []byte                // a line that may be a banner; see banner
	profile bool
	total   int  // announced by a profile
	exact   bool // a call has its offset, which people leave out
	sketch  bool // a call and its file are on one line, or the file is missing
	leaks   bool

	names  map[string]string // see name
	frames []Frame           // of the stack being decoded

	head    header
	state   []byte // head.state, which points into a line
	labels  []byte
	words   *wordStore
	started bool
	key     []byte
	called  bool // a call of it has been read
	created bool // its creator has been read
	pending bool // its last function is still without its file
	mention bool // its header stands behind other text
	spaced  bool // empty lines stand between its lines
	number  int  // of a line, if these stand between; see numbers
	parent  uint64
	count   int // 1, or of a profile's record

	links  []chainLink // of a chain
	inward bool        // they point to the innermost one

	callee    []byte // of another tool's text, see delve and grouped
	asked     uint64 // the goroutine in delve's command
	summary   bool   // what delve says of a goroutine in one line
	inGroups  int    // goroutines, see grouped
	ungrouped int    // those before a group, see grouping
	ids       []uint64
	report    bool // see deadlock
	recursive bool
	specs     bool // of Ginkgo
	orders    []string
	waits     bool
	lock      args
	grabbed   map[uint64]args // the locks of its goroutines
	inside    map[string]bool // see relocate

	held   []byte // a line that may go on in the next
	heldAt int    // its number
	pieces int    // lines in held
	aside  int    // lines that may stand within a goroutine, see reopen
	torn   bool   // the line of a file may go on in the next
}

func (p *parser) begin() {
	p.dump = newDump(p.target)
	p.total, p.ungrouped = 0, 0
	p.profile, p.leaks, p.report, p.specs = false, false, false, false
	p.exact, p.sketch = false, false
	p.step = (*parser).outside
	p.home = p.step
}

// forget drops the lines read before the first header.
func (p *parser) forget() {
	p.drop()
	p.headless = headless{}
	p.begin()
}

// other begins the lines of another process.
func (p *parser) other() {
	p.split()
	p.apart = true
}

// split ends the current snapshot, if it has anything, and begins the next.
func (p *parser) split() {
	p.abandon()
	p.end()
	if missing := p.total - p.snap.Goroutines; p.profile && missing > 0 {
		p.snap.Unreadable += missing
		p.snap.Truncated = true
		p.snap.note(0, "", fmt.Sprintf("the profile announces %d goroutines "+
			"and has %d", p.total, p.snap.Goroutines))
	}
	if p.snap.Goroutines > 0 || p.profile {
		p.dump.profile = p.profile
		// People who write stacks down choose which.
		p.snap.Extract = p.snap.Extract || p.sketch && !p.exact
		p.dumps.add(&p.dump)
		p.begin()
	}
}

func (p *parser) finish() {
	whole := p.whole()
	p.abandon()
	cut := p.pending || p.in.open && !whole
	if p.started && !p.profile && cut {
		p.snap.Truncated = true
		p.snap.trouble(p.in.n, "", "the input ends within a goroutine")
	}
	p.split()
	p.dumps.end(p.snap)
}

// line dispatches one line. Headers are recognized anywhere: the empty line
// before them may be missing.
func (p *parser) line(line []byte) {
	if len(p.held) > 0 {
		var done bool
		if line, done = p.rejoin(line); done {
			return
		}
	}
	switch end := headerEnd(line); {
	case end == 0:
		p.step(p, line)
	case isTotal(line):
		p.beginProfile(line)
	case end < 0 && p.specHeader(line) != nil:
		p.beginGoroutine(p.specHeader(line))
	case end < 0 && p.keep(line):
	default:
		p.beginGoroutine(line)
	}
}

// outside reads text between goroutines.
func (p *parser) outside(line []byte) {
	if p.aside > 0 && p.reopen(line) {
		return
	}
	if p.snap.Goroutines == 0 && len(p.dumps.all) == 0 {
		p.headless.line(line)
	}
	if len(line) == 0 {
		return
	}
	p.between()
	if p.numbers(line) || p.banner(line) || p.foreign(line) {
		return
	}
	if bytes.HasPrefix(line, []byte("[originating from goroutine ")) {
		p.step = (*parser).ancestor
		return
	}
	if p.in.cover.other && (isRecord(line) || isLocation(line)) {
		return // of a profile that is none of goroutines
	}
	if isRecord(line) {
		if p.profile && p.snap.Extract {
			p.step = (*parser).record
		} else {
			p.beginProfile(nil)
		}
		p.record(line)
		return
	}
	const word = "goroutine "
	if n := min(len(line), len(word)); p.in.open && n > 0 &&
		string(line[:n]) == word[:n] {
		p.snap.Truncated = true
		p.snap.trouble(p.in.n, string(line), "the input ends within a header")
		return
	}
	if why := p.stray(line); why != "" {
		p.snap.Truncated = true // its header is missing
		p.snap.trouble(p.in.n, string(line), why)
	}
}

// stray names the part of a goroutine that a line outside any goroutine is, or
// returns "".
func (p *parser) stray(line []byte) string {
	line = bytes.TrimLeft(line, " \t")
	if file, _, ok := fileLine(line); ok && bytes.HasSuffix(file, []byte(".go")) &&
		bytes.Contains(line, []byte(" +0x")) {
		return "a call outside any goroutine"
	}
	switch {
	case isCreator(line) && (bytes.Contains(line, []byte(" in goroutine ")) ||
		isSymbol(line[len("created by "):])):
		return "a creator outside any goroutine"
	case isCall(line) && hasArgs(line):
		return "a call outside any goroutine"
	case bytes.HasPrefix(line, []byte("#\t0x")):
		return "a call outside any record"
	}
	return ""
}

func (p *parser) beginGoroutine(line []byte) {
	p.in.cover.other, p.inside, p.aside = false, nil, 0
	h := parseHeader(line)
	if p.started && !p.called && !p.pending && h.id == p.head.id && h.id != 0 {
		p.started = false // it was only mentioned
	}
	p.end()
	if p.profile {
		p.split()
	}
	p.acceptNotice()
	switch {
	case p.report && h.id != 0 && p.byID()[h.id].stack != nil:
		p.relocate(h.id)
	case p.dump.repeats(h.id):
		p.repeat(h.id)
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
	p.started, p.created, p.called, p.parent = true, false, false, 0
	p.pending, p.spaced, p.torn = false, false, false
	p.mention = len(bytes.TrimSpace(p.in.cover.before)) > 0
	if saysLeaked(p.in.cover.before) {
		p.leftover(h.id)
	}
	p.count, p.ids = 1, p.ids[:0]
	p.words.begin()
	p.key = append(p.key[:0], p.state...)
	p.key = append(p.key, '\n', mark(h.leaked), mark(h.bubble), '\n')
	p.step = (*parser).call
	if len(h.tail) > 0 && !p.times(h.tail) && !p.flat(h.tail) &&
		!p.chain(h.tail) && !isRemark(h.tail) {
		p.snap.trouble(p.in.n, string(line), "other text on the line of a header")
		p.mention = true
	}
}

// isRemark reports whether the author of a report put text behind a header.
func isRemark(text []byte) bool {
	for _, begins := range [...]string{"//", "#", "<", "\u2190", "--"} {
		if bytes.HasPrefix(text, []byte(begins)) {
			return true
		}
	}
	return false
}

func mark(b bool) byte {
	if b {
		return '1'
	}
	return '0'
}

// whole reports whether nothing of the goroutine can be missing.
func (p *parser) whole() bool {
	return p.called && !p.pending && len(p.held) == 0 && p.head.id <= 1
}

// end counts the goroutine or the profile's record that has been read.
func (p *parser) end() {
	p.step = p.home
	if !p.started {
		return
	}
	p.orphan()
	p.unchain()
	p.started = false
	if p.mention && !p.profile && !p.called {
		p.snap.trouble(p.in.n, "goroutine "+strconv.FormatUint(p.head.id, 10),
			"a header without a stack")
		if p.snap.Goroutines == 0 {
			p.first = 0
		}
		return
	}
	if p.profile && p.snap.Extract && p.gap && p.index[string(p.key)] != nil {
		p.split() // the same record again, behind other text: a later look
		p.beginProfile(nil)
	}
	s := p.stack()
	if s == nil {
		return
	}
	eachLabel(p.labels, func(kv string) { s.label(kv, p.count) })
	s.Count += p.count
	p.snap.Goroutines += p.count
	if p.profile {
		return
	}
	for i := range p.count {
		m := Member{p.head.id, p.parent, p.head.minutes}
		if len(p.ids) > 0 {
			if m.ID = 0; i < len(p.ids) {
				m.ID = p.ids[i]
			}
		}
		s.members.add(m)
	}
	p.dump.counted(p.head, s)
}

// stack returns the stack of the goroutine that has been read, or nil if
// there are too many different ones.
func (p *parser) stack() *Stack {
	if s := p.index[string(p.key)]; s != nil {
		return s
	}
	if p.stacks == maxStacks {
		p.snap.Truncated = true
		p.snap.Unreadable += p.count
		p.snap.note(p.in.n, "", fmt.Sprintf("goroutines with more than %d "+
			"different stacks are left out", maxStacks))
		return nil
	}
	p.stacks++
	key := string(p.key)
	s := p.decode(key)
	s.members.store, s.key = p.words, key
	p.index[key] = s
	p.snap.Stacks = append(p.snap.Stacks, s)
	return s
}

// decode makes a Stack of a key: state, flags, then function, file and line
// of each call, the creator after an empty function.
func (p *parser) decode(key string) *Stack {
	field := func() string {
		f, rest, _ := strings.Cut(key, "\n")
		key = rest
		return p.name(f)
	}
	frames := p.frames[:0]
	s := &Stack{State: State(field())}
	flags := field()
	s.Leaked, s.Bubble = flags[0] == '1', flags[1] == '1'
	for len(key) > 0 {
		f := Frame{Func: field()}
		creator := f.Func == ""
		if creator {
			f.Func = field()
		}
		if f.Func == "@" {
			f.Func = ""
			f.PC, _ = strconv.ParseUint(field(), 0, 64)
			frames = append(frames, f)
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
			frames = append(frames, f)
		}
	}
	p.frames, s.Frames = frames, slices.Clone(frames)
	return s
}

// name returns s in printable form. Equal names share one string: a hundred
// thousand stacks have a few thousand functions and files.
func (p *parser) name(s string) string {
	known, ok := p.names[s]
	if !ok {
		s = strings.Clone(s) // the key is long
		known = printable.Text(s)
		p.names[s] = known
	}
	return known
}

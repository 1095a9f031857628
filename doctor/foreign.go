package doctor

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"example.com/chanx/internal/printable"
)

// foreignError is [ErrNoDump] for the text of another tool.
type foreignError struct{ remedy string }

func (e foreignError) Error() string { return e.remedy }
func (e foreignError) Unwrap() error { return ErrNoDump }

// toolTexts are lines that identify unreadable output of another tool, with
// the remedy.
var toolTexts = []struct{ begins, remedy string }{
	{"ROUTINE ========================", "the output of go tool " +
		"pprof -list, which has no stacks: give the profile itself, or the " +
		"output of go tool pprof -traces"},
	{"PeriodType: ", "the output of go tool pprof -raw: give the " +
		"profile itself, or the output of go tool pprof -traces"},
	{"heap profile: ", "a heap profile: take " +
		"/debug/pprof/goroutine instead"},
	{"threadcreate profile: ", "a profile of threads: take " +
		"/debug/pprof/goroutine instead"},
	{"--- contention:", "a profile of blocking: take " +
		"/debug/pprof/goroutine instead"},
	{"--- mutex:", "a profile of locks: take " +
		"/debug/pprof/goroutine instead"},
	{"* frame #0: 0x", threadsRemedy},         // lldb
	{"Stack trace of thread ", threadsRemedy}, // coredumpctl
	{"Thread 0 Crashed:", threadsRemedy},
	{"Call graph:", threadsRemedy},                    // sample of macOS
	{"--------------------- thread# ", threadsRemedy}, // pstack of illumos
	{"coroutine root [", "the stack trace of a Temporal workflow, whose coroutines " +
		"are no goroutines: take /debug/pprof/goroutine?debug=2 of the worker"},
	{"Full thread dump ", "a thread dump of Java, not of Go"},
	{"digraph ", "a graph, as go tool pprof -dot draws it: give " +
		"the profile itself"},
}

const threadsRemedy = "stacks of threads, which have no goroutines: send the " +
	"process SIGQUIT, or take /debug/pprof/goroutine?debug=2, or use delve's " +
	"goroutines -t"

// eventTexts are in the events of services that collect errors and profiles. A
// log has them between other lines, so that they count only if it has no
// goroutine.
var eventTexts = []struct{ has, remedy string }{
	{"speedscope.app/file-format-schema.json", "a profile for speedscope: give the " +
		"profile itself, or the output of go tool pprof -traces"},
	{`"in_app":`, eventRemedy},     // Sentry
	{`"abs_path":`, eventRemedy},   // Sentry
	{`"errorClass":`, eventRemedy}, // Bugsnag
}

const eventRemedy = "the frames of an error's stack, which say nothing of other " +
	"goroutines: take /debug/pprof/goroutine?debug=2, or send the process SIGQUIT"

const countedRemedy = "a list of counted calls, which has no stacks: give the dump " +
	"that it was made of"

// countedCall recognizes a call that a script has counted in a dump:
// "   3341 sync.runtime_Semacquire(" or "41 app.(*Queue).Put(...)".
func (p *parser) countedCall(line []byte) bool {
	number, call, ok := bytes.Cut(bytes.TrimSpace(line), []byte{' '})
	if !ok || !isNumber(number) || len(call) == 0 ||
		call[len(call)-1] != '(' && call[len(call)-1] != ')' {
		return false
	}
	i := argsAt(call)
	if i <= 0 || !isSymbol(call[:i]) {
		return false
	}
	p.remedy = cmp.Or(p.remedy, countedRemedy)
	return true
}

// eventIn returns the remedy if line is of such an event, or "".
func eventIn(line []byte) string {
	for i := range eventTexts {
		if bytes.Contains(line, []byte(eventTexts[i].has)) {
			return eventTexts[i].remedy
		}
	}
	return ""
}

// foreign recognizes the output of other tools.
func (p *parser) foreign(line []byte) bool {
	if at := startsAfter(line, traceRule); at >= 0 {
		p.traces(p.behind(line, at))
		return true
	}
	if p.delveBacktrace(line) || p.gdbStack(line) {
		return true
	}
	if isTrace(line) {
		p.traces(line)
		return true
	}
	if at := startsAfter(line, "POTENTIAL DEADLOCK:"); at >= 0 {
		p.deadlock(p.behind(line, at))
		return true
	}
	if at := withinReport(line); at >= 0 && !p.report {
		p.beginReport(nil)
		p.deadlock(p.behind(line, at))
		return true
	}
	if p.table.row(line) || isColumns(line) {
		p.unread(columnsRemedy)
		return true
	}
	if p.folded(line) || p.spec(line) || p.countedCall(line) {
		return true
	}
	for i := range toolTexts {
		if startsAfter(line, toolTexts[i].begins) >= 0 {
			p.unread(toolTexts[i].remedy)
			p.in.cover.other = true
			return true
		}
	}
	if name := ownProfile(line); name != "" {
		p.unread("a profile of " + name + ": take /debug/pprof/goroutine instead")
		p.in.cover.other = true
		return true
	}
	return p.leaked(line) || p.delve(line) || p.editorStack(line) || p.grouped(line) ||
		p.joined(line) || p.debugger(line)
}

// ownProfile returns the name of a profile that a program defines, from the
// line "conns profile: total 12", or "".
func ownProfile(line []byte) string {
	name, rest, ok := bytes.Cut(line, []byte(" profile: total "))
	name = name[bytes.LastIndexAny(name, " \t")+1:]
	if !ok || len(name) == 0 || !isNumber(bytes.TrimSpace(rest)) {
		return ""
	}
	return printable.Text(string(name))
}

// leaked knows the header of go.uber.org/goleak, "[Goroutine 7 in state select,
// with main.f on top of the stack:". The stack follows in the usual form, in
// older releases with the usual header.
func (p *parser) leaked(line []byte) bool {
	_, rest, ok := bytes.Cut(line, []byte("Goroutine "))
	number, rest, ok2 := bytes.Cut(rest, []byte(" in state "))
	state, rest, ok3 := bytes.Cut(rest, []byte(", with "))
	id, err := strconv.ParseUint(string(number), 10, 64)
	if !ok || !ok2 || !ok3 || err != nil ||
		!bytes.Contains(rest, []byte(" on top of the stack")) {
		return false
	}
	p.leftover(id)
	header := strconv.AppendUint([]byte("goroutine "), id, 10)
	header = append(append(append(header, " ["...), state...), "]:"...)
	p.in.cover.before = p.in.cover.before[:0]
	p.line(header)
	return true
}

// leakWords stand before each goroutine in the reports of leaktest and of the
// checks that projects have of their own.
var leakWords = []string{"leaked goroutine", "leaking goroutine",
	"goroutine leak", "goroutine leaked"}

// saysLeaked reports whether the text before a header on its line says that the
// goroutine is leaked.
func saysLeaked(before []byte) bool {
	const most = 32
	before = bytes.TrimRight(before, " :\t")
	before = bytes.ToLower(before[max(len(before)-most, 0):])
	return slices.ContainsFunc(leakWords, func(words string) bool {
		return bytes.HasSuffix(before, []byte(words))
	})
}

// leftover notes a goroutine that was alive when all tests had ended.
func (p *parser) leftover(id uint64) {
	if p.snap.leftover == nil {
		p.snap.leftover = make(map[uint64]bool)
	}
	p.snap.leftover[id] = true
}

// startsAfter returns where text stands in line, at its beginning or behind
// the prefix of a log, or -1.
func startsAfter(line []byte, text string) int {
	at := bytes.Index(line, []byte(text))
	if at > 0 && !plainBefore(line[:at]) {
		return -1
	}
	return at
}

// behind takes the first bytes of line for the cover of the lines to come.
func (p *parser) behind(line []byte, at int) []byte {
	p.in.cover.before = append(p.in.cover.before[:0], line[:at]...)
	p.in.cover.quote = 0
	return line[at:]
}

// unread notes text that is known and cannot be read.
func (p *parser) unread(remedy string) {
	if p.remedy == "" {
		p.remedy = remedy
	}
	if p.snap.Goroutines > 0 || len(p.dumps.all) > 0 {
		p.snap.trouble(p.in.n, "", remedy)
	}
}

// debugger recognizes the output of gdb.
func (p *parser) debugger(line []byte) bool {
	text := bytes.TrimLeft(line, "* ")
	id, rest, ok := bytes.Cut(text, []byte{' '})
	if ok && isNumber(id) {
		state, name, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte{' '})
		switch string(state) {
		case "waiting", "running", "runnable", "syscall", "idle", "moribund":
			if isSymbol(bytes.TrimSpace(name)) {
				p.unread("the output of gdb's info goroutines, which has no stacks: " +
					"send the process SIGQUIT, or take " +
					"/debug/pprof/goroutine?debug=2, or use delve's goroutines -t")
				return true
			}
		}
	}
	if strings.HasPrefix(string(line), "#0 ") &&
		(bytes.Contains(line, []byte(" at ")) || bytes.Contains(line, []byte(" in "))) {
		p.unread("a backtrace of a thread by gdb, which has no goroutines: send the " +
			"process SIGQUIT, or take /debug/pprof/goroutine?debug=2, or use delve's " +
			"goroutines -t")
		return true
	}
	return false
}

// beginStack begins a goroutine, or a sample of n, of another tool.
func (p *parser) beginStack(id uint64, n int, state string) {
	p.end()
	p.head = header{id: id}
	p.state = append(p.state[:0], state...)
	p.labels = p.labels[:0]
	p.started, p.created, p.called, p.pending = true, false, false, false
	p.mention, p.spaced, p.parent, p.count, p.inside, p.aside = false, false, 0, n, nil, 0
	p.ids = p.ids[:0]
	p.words.begin()
	p.key = append(p.key[:0], state...)
	p.key = append(p.key, "\n00\n"...)
}

// addCall adds a call outwards; file has the line behind a colon, if it is
// known.
func (p *parser) addCall(name, file []byte, a args) {
	path, number, ok := fileLine(file)
	if !ok {
		path, number = nil, []byte{'0'}
	}
	p.called = true
	p.words.call(a)
	p.key = append(append(p.key, name...), '\n')
	p.key = append(append(p.key, path...), '\n')
	p.key = append(append(p.key, number...), '\n')
}

// addCreator adds where the goroutine was created.
func (p *parser) addCreator(name, file []byte) {
	path, number, ok := fileLine(file)
	if !ok {
		path, number = nil, []byte{'0'}
	}
	p.key = append(append(append(p.key, '\n'), name...), '\n')
	p.key = append(append(p.key, path...), '\n')
	p.key = append(append(p.key, number...), '\n')
}

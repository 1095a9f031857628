package doctor

import (
	"bytes"
	"strconv"
	"strings"
)

// traceRule begins the lines that go tool pprof -traces draws between samples.
const traceRule = "-----------+-----"

// isTrace reports whether line begins a sample without a rule before it, as in
// an extract.
func isTrace(line []byte) bool {
	text := bytes.TrimLeft(line, " \t")
	number, rest, _ := bytes.Cut(text, []byte{' '})
	return len(text) < len(line) && len(number) < 10 && isNumber(number) &&
		bytes.HasPrefix(rest, []byte("  runtime."))
}

// traces is inside the output of go tool pprof -traces:
//
//	-----------+-------------------------------------------------------
//	      7978   runtime.gopark
//	             runtime.chansend
//	             log4go.(*Writer).Write /src/filelog.go:212
//
// where labels may come first, and files only with -lines. It names the calls
// of the runtime, and with them the operation, which debug=1 does not.
func (p *parser) traces(line []byte) {
	text := bytes.TrimSpace(line)
	if rule := bytes.HasPrefix(text, []byte(traceRule)); rule || !p.profile {
		if !p.profile {
			p.split()
			p.profile = true
			p.home = (*parser).traces
			p.snap.Extract = !rule
		}
		if p.end(); rule {
			return
		}
	}
	if len(text) == 0 {
		p.end()
		return
	}
	number, rest := text[:wordEnd(text)], text[wordEnd(text):]
	n, err := strconv.Atoi(strings.ReplaceAll(string(number), ",", ""))
	switch name := bytes.TrimLeft(rest, " \t"); {
	case len(name) > 0 && err == nil && n > 0 && !p.started:
		p.beginStack(0, n, "")
		p.trace(name)
	case (line[0] == ' ' || line[0] == '\t') && bytes.IndexByte(number, '.') > 0:
		if !p.started {
			p.snap.trouble(p.in.n, string(line), "a call outside any sample")
			return
		}
		p.trace(text)
	case bytes.HasSuffix(number, []byte{':'}) && !p.started:
		// a label of the next sample
	default: // prose between samples
		if p.end(); !p.banner(line) && !p.foreign(line) {
			p.between()
		}
	}
}

// trace adds a call, "main.f /src/a.go:7 (inline)".
func (p *parser) trace(text []byte) {
	text = bytes.TrimSuffix(text, []byte(" (inline)"))
	text = bytes.TrimSuffix(text, []byte(" (partial-inline)"))
	name, file := text, []byte(nil)
	if i := bytes.LastIndexByte(text, ' '); i > 0 && isPath(text[i+1:]) {
		name, file = text[:i], text[i+1:]
	}
	p.addCall(name, file, args{})
}

package doctor

import (
	"bytes"
	"slices"
	"strconv"

	"example.com/chanx/internal/printable"
)

const foldedRemedy = "the folded stacks of a flame graph, of a profile that is none " +
	"of goroutines: take /debug/pprof/goroutine?debug=2 instead"

// folded recognizes the folded stacks of a flame graph, as Pyroscope, Parca and
// scripts write them of a profile, the outermost call first:
//
//	runtime.goexit;app.(*Queue).Put;runtime.chansend;runtime.gopark 7978
//
// Those of goroutines end where they wait; a profile of CPU or memory does not.
func (p *parser) folded(line []byte) bool {
	text := bytes.TrimSpace(line)
	i := bytes.LastIndexByte(text, ' ')
	if i < 0 || bytes.IndexByte(text[:i], ';') < 0 || !isNumber(text[i+1:]) {
		return false
	}
	n, err := strconv.Atoi(string(text[i+1:]))
	calls := bytes.Split(text[:i], []byte{';'})
	for _, call := range calls[1:] { // the first may be the program
		if !isSymbol(call) {
			return false
		}
	}
	if parked := string(calls[len(calls)-1]) == "runtime.gopark"; !parked ||
		err != nil || n < 1 || p.remedy == foldedRemedy && !p.profile {
		p.unread(foldedRemedy)
		return true
	}
	if !p.profile {
		p.split()
		p.profile, p.snap.Extract = true, true
	}
	if !isSymbol(calls[0]) {
		calls = calls[1:]
	}
	p.beginStack(0, n, "")
	for _, call := range slices.Backward(calls) {
		p.addCall([]byte(printable.Text(string(call))), nil, args{})
	}
	p.end()
	return true
}

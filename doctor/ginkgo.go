package doctor

import "bytes"

// spec recognizes the headings of the goroutines in a progress report of Ginkgo,
// which it prints when a spec hangs or times out:
//
//	Goroutines of Interest
//	goroutine 39 [select, 3 minutes]
//	> app.(*Queue).run(0xc0005ded20)
//	    /src/app/queue.go:107
//	      | for {
//	      > 	select {
//	> app.(*Queue).Start
//	    /src/app/queue.go:61
//	  net/http.(*conn).serve(0xc0001a2000)
//	    /go/src/net/http/server.go:2067
//
// The headers have no colon, the creator is the last call, without arguments,
// and marked calls have their source below.
func (p *parser) spec(line []byte) bool {
	for _, heading := range [...]string{"Spec Goroutine", "Goroutines of Interest",
		"Other Goroutines"} {
		if at := startsAfter(line, heading); at >= 0 &&
			string(bytes.TrimSpace(line[at:])) == heading {
			if at > 0 {
				p.behind(line, at)
			}
			p.specs = true
			return true
		}
	}
	return false
}

// specHeader returns the header of a goroutine in such a report with its colon,
// or nil.
func (p *parser) specHeader(line []byte) []byte {
	line = bytes.TrimRight(line, " \t")
	if !p.specs || !endsInBracket(line) {
		return nil
	}
	return append(bytes.Clone(line), ':')
}

// specLine returns a line of a goroutine in such a report as one of a dump, or nil
// if it is of the source.
func (p *parser) specLine(line []byte) []byte {
	text := bytes.TrimLeft(line, " \t")
	if len(text) == 0 || p.pending {
		return line
	}
	depth := len(line) - len(text)
	if depth > 4 && (text[0] == '|' || text[0] == '>') {
		return nil
	}
	name := bytes.TrimPrefix(text, []byte("> "))
	if call, _, ok := bytes.Cut(name, []byte(" in goroutine ")); p.called &&
		argsAt(call) < 0 && isSymbol(call) && (ok || len(call) == len(name)) &&
		!isPath(call) && !isCreator(call) {
		return append([]byte("created by "), name...)
	}
	return name
}

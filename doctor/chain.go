package doctor

import (
	"bytes"
	"slices"
	"strings"
)

// People shorten a stack to a chain of calls, over one line or several:
//
//	goroutine 44 [sync.RWMutex.RLock, 11 minutes]:   # renderer
//	  render.Run → ... → store.(*Store).Objects
//	    → store.(*Store).Len   store/store.go:114  (wants RLock)
//
// A call points to the one that it calls, or with ← to its caller, unless the
// other end of the chain is where a goroutine waits.

// chainLink is one call of a chain.
type chainLink struct{ name, file string }

// arrows are what stands between the calls of a chain, in one form.
var arrows = strings.NewReplacer("\u2192", " > ", "\u27f6", " > ", "\u21d2", " > ",
	"\u00bb", " > ", "\u203a", " > ", " -> ", " > ", " => ", " > ", " --> ", " > ",
	"\u2190", " < ", "\u27f5", " < ", "\u21d0", " < ", " <- ", " < ", " <-- ", " < ",
	" <= ", " < ")

// chain takes a line with a part of a chain, and reports whether it is one.
func (p *parser) chain(text []byte) bool {
	line := " " + string(text) + " "
	if strings.ContainsAny(line, "\u2192\u27f6\u21d2\u00bb\u203a\u2190\u27f5\u21d0<>") {
		line = arrows.Replace(line)
	}
	arrow := " > "
	if !strings.Contains(line, arrow) {
		arrow = " < "
	}
	if !strings.Contains(line, arrow) || p.pending {
		return false
	}
	var links []chainLink
	parts := strings.Split(line, arrow)
	for i, part := range parts {
		part = strings.TrimSpace(part)
		open := i == 0 || i == len(parts)-1 // it goes on in another line
		if part == "" && open || isElided([]byte(part)) {
			continue
		}
		l, ok := linkOf([]byte(part), i == len(parts)-1)
		if !ok {
			return false
		}
		links = append(links, l)
	}
	if len(links) == 0 {
		return false
	}
	p.links, p.called, p.sketch = append(p.links, links...), true, true
	p.inward = arrow == " > "
	return true
}

// linkOf reads a call of a chain, with its arguments, its file and, at the end of
// a line, a remark.
func linkOf(part []byte, last bool) (l chainLink, ok bool) {
	if name, file := splitPlaced(part); name != nil {
		return chainLink{string(name), string(file)}, true
	}
	end := wordEnd(part)
	name, rest := part[:end], bytes.TrimLeft(part[end:], " \t")
	if i := argsAt(name); i > 0 {
		name = name[:i]
	}
	if !isSymbol(name) || len(rest) > 0 && !(last && (rest[0] == '(' ||
		isRemark(rest))) {
		return chainLink{}, false
	}
	return chainLink{string(starred(name)), ""}, true
}

// unchain adds the calls of a chain to the goroutine, the innermost first.
func (p *parser) unchain() {
	if len(p.links) == 0 {
		return
	}
	first, last := p.links[0].name, p.links[len(p.links)-1].name
	if p.inward && !waitsInside(first) || !p.inward && waitsInside(last) {
		slices.Reverse(p.links)
	}
	for _, l := range p.links {
		p.addCall([]byte(l.name), []byte(l.file), args{})
	}
	p.links = p.links[:0]
}

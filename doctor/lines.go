package doctor

import (
	"bytes"
	"html"
	"io"
	"strings"
)

// lines splits an input into lines and passes each one to emit without its
// wrapping: the carriage return, the JSON of a container runtime or of a
// structured logger, the quotes of logfmt, a prefix of time stamps and names,
// the colors and links of a web page. A line longer than maxLine loses its end,
// unless it is wrapped; wrappings are removed as a stream, so memory is bounded
// whatever the input.
type lines struct {
	emit    func(line []byte)
	forget  func() // drops the lines emitted before the first header
	other   func() // the lines to come are of another process
	n       int    // number of the current line of the input, from 1
	open    bool   // the last line ended with the input, not with \n
	event   string // the remedy for a record in JSON of another service
	cover   lineCover
	order   lineOrder
	streams lineStreams
}

const (
	// maxLine is above the 64 kB at which container runtimes cut records.
	maxLine = 128 << 10

	// maxLayers bounds wrappings within wrappings: a container runtime's JSON
	// around a logger's JSON around a quoted dump has three.
	maxLayers = 6
)

// read emits all lines of r. The error is r's, except for io.EOF.
func (l *lines) read(r io.Reader) error {
	top := &layer{l: l}
	l.n = 1
	defer l.order.end(l)
	defer l.streams.end(l)
	chunk := make([]byte, 64<<10)
	var wide utf16Text
	for idle := 0; ; {
		n, err := r.Read(chunk)
		top.write(wide.narrow(chunk[:n]))
		if idle++; n > 0 {
			idle = 0
		}
		if idle == 100 {
			err = io.ErrNoProgress
		}
		if err != nil {
			l.open = top.end()
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

// layer is one level of wrapping: the input itself, or the text of a JSON
// string or of a quoted value in it. It takes bytes, and its lines go to the
// next layer or to emit.
type layer struct {
	l     *lines
	depth int

	part  []byte // the line whose end has not come yet
	marks marks  // of part
	long  bool   // its beginning has been taken already

	field  textField // of the JSON records in it
	inner  *layer    // the text inside the wrapping of the current line
	json   *records  // the current line is within a value of JSON
	quoted *quoted   // the current line is a quoted text
	broken *quoted   // the line before was one, and has no closing mark
	before []byte    // the text before it
	fresh  bool      // json began on this line
	pieces bool      // a record is cut into several lines: more will follow
}

// marks are the kinds of wrapping that a stretch of text may have. The lines
// of a plain dump are not searched for each kind.
type marks uint8

const (
	maybeJSON marks = 1 << iota
	maybeQuoted
	maybeDecorated
	maybeJoined
)

func marksOf(b []byte) (m marks) {
	if bytes.IndexByte(b, '{') >= 0 && bytes.Contains(b, []byte(`{"`)) ||
		startsJSON(b) || bytes.Contains(b, []byte("\n{")) ||
		bytes.Contains(b, []byte("\n[")) {
		m |= maybeJSON
	}
	for _, sign := range [...]string{`]:\`, `}:\`, "]: ", "#012", "|n", "%0A", `total `,
		octetTexts[0].begins, octetTexts[1].begins} {
		if bytes.Contains(b, []byte(sign)) {
			m |= maybeQuoted
		}
	}
	if decorated(b) {
		m |= maybeDecorated
	}
	if joinedLines(b) {
		m |= maybeJoined
	}
	return m
}

// otherEnds are ends of lines that are not \n: a terminal's, HTML's, XML's, those
// of typesetting, and the picture of one.
var otherEnds = [...]string{"\r", "<br>", "<br/>", "<br />", "<BR>", "&#10;", "&#xA;", "&#xa;",
	"\u2028", "\u2029", "\u0085", "\v", "\u240a", "\u21b5"}

// joinedLines reports whether b may have one of otherEnds within a line.
func joinedLines(b []byte) bool {
	for i := bytes.IndexByte(b, '\r'); i >= 0 && i+1 < len(b); {
		if b[i+1] != '\n' {
			return true
		}
		n := bytes.IndexByte(b[i+1:], '\r')
		if n < 0 {
			break
		}
		i += 1 + n
	}
	for _, first := range [...]byte{'\v', '<', '&', 0xc2, 0xe2} {
		if bytes.IndexByte(b, first) < 0 {
			continue
		}
		for _, end := range otherEnds[1:] {
			if end[0] == first && bytes.Contains(b, []byte(end)) {
				return true
			}
		}
	}
	return false
}

// splitEnds takes a line that has other ends of lines within it as several, and
// reports whether it has.
func (y *layer) splitEnds(line []byte, m marks) bool {
	text := string(line)
	for _, end := range otherEnds {
		if strings.Contains(text, end) {
			text = strings.ReplaceAll(text, end, "\n")
		}
	}
	if text = strings.TrimRight(text, "\n"); strings.IndexByte(text, '\n') < 0 {
		return false
	}
	for part := range strings.SplitSeq(text, "\n") {
		y.begin([]byte(part), m&^maybeJoined, true, true)
	}
	return true
}

// write takes more text.
func (y *layer) write(b []byte) {
	if len(b) == 0 {
		return
	}
	m := marksOf(b)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		y.ends(b[:i], m)
		if y.depth == 0 {
			y.l.n++
		}
		b = b[i+1:]
	}
	y.hold(b, m)
}

// ends takes the last bytes of a line.
func (y *layer) ends(b []byte, m marks) {
	if len(y.part) > 0 {
		y.part = append(y.part, b...)
		// The mark itself may lie across the border of two stretches.
		b, m = y.part, m|y.marks|marksOf(y.part)
	}
	first := !y.long
	y.long = false
	y.part, y.marks = y.part[:0], 0
	y.take(b, m, first, true)
}

// hold keeps the beginning of a line; one that is too long goes on in pieces.
func (y *layer) hold(b []byte, m marks) {
	for len(y.part)+len(b) > maxLine {
		n := maxLine - len(y.part)
		y.part = append(y.part, b[:n]...)
		b = b[n:]
		y.take(y.part, y.marks|m|marksOf(y.part), !y.long, false)
		y.part, y.long = y.part[:0], true
	}
	y.part = append(y.part, b...)
	y.marks |= m
}

// end takes the last line if its end is missing, and reports whether it is.
func (y *layer) end() (open bool) {
	open = len(y.part) > 0 || y.long
	if open {
		y.l.open = y.depth == 0
		y.ends(nil, 0)
	}
	if y.json != nil {
		open = true
		y.json.flush()
		y.json = nil
	}
	if y.inner != nil {
		y.inner.end()
	}
	return open
}

// take takes a line, or a piece of one that is too long. Within JSON or a
// quoted text it continues that; otherwise the line decides.
func (y *layer) take(line []byte, m marks, first, last bool) {
	for last && len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	switch {
	case y.json != nil:
		y.records(line, m, first, last)
	case y.quoted != nil:
		y.quoted.write(line)
	case y.pieces:
		y.cri(line, m, first, last)
	default:
		y.begin(line, m, first, last)
	}
	if last && y.quoted != nil {
		y.endQuoted()
	}
}

// endQuoted ends the quoted text with its line, unless its closing mark is
// missing: journald and others cut long lines.
func (y *layer) endQuoted() {
	if y.quoted.style.quote != 0 && !y.quoted.done && len(y.quoted.between) == 0 {
		y.broken = y.quoted
	} else {
		y.inner.end()
	}
	y.quoted = nil
}

// resume goes on with a quoted text if the line does, and reports whether.
func (y *layer) resume(line []byte) bool {
	q := y.broken
	y.broken = nil
	if !bytes.Contains(line, []byte{q.style.mark, 'n'}) {
		y.inner.end()
		return false
	}
	rest := line
	for k := len(y.before); k > 0; k = bytes.LastIndexByte(y.before[:k-1], ' ') + 1 {
		if after, ok := afterPrefix(line, y.before[:k]); ok {
			rest = after
			break
		}
	}
	y.quoted = q
	q.write(rest)
	return true
}

// begin takes a line that continues nothing.
func (y *layer) begin(line []byte, m marks, first, last bool) {
	if m&maybeDecorated != 0 && first && hasQuoteEntity(line) {
		line = []byte(html.UnescapeString(string(line))) // the quotes of a value
		m = marksOf(line)
	}
	if y.depth < maxLayers && y.unwrap(line, m, first, last) {
		return
	}
	if m&maybeJoined != 0 && first && last && y.splitEnds(line, m) {
		return
	}
	if m&maybeDecorated != 0 {
		line = undecorated(line)
	}
	if first {
		y.l.leaf(line[:min(len(line), maxLine/2)])
	}
}

// hasQuoteEntity reports whether a page has written the quotation marks of a line
// as entities, so that a value in them is not recognized.
func hasQuoteEntity(line []byte) bool {
	if bytes.IndexByte(line, '"') >= 0 {
		return false // these enclose the value
	}
	for _, entity := range [...]string{"&quot;", "&#34;", "&#39;", "&#x22;"} {
		if bytes.Contains(line, []byte(entity)) {
			return true
		}
	}
	return false
}

// unwrap begins a further layer if the line is a wrapping.
func (y *layer) unwrap(line []byte, m marks, first, last bool) bool {
	if rest, whole, ok := criRecord(line); ok && first {
		y.next().write(rest)
		y.criEnds(whole && last)
		return true
	}
	if m&maybeJSON != 0 && first {
		if at := jsonAt(line); at >= 0 && (at == 0 || y.l.cover.fieldsAt(line) < 0) {
			y.json, y.fresh = &records{field: &y.field, to: y.next()}, true
			y.recordsIn(line, at, m, last)
			return true
		}
	}
	if y.broken != nil && first && y.resume(line) {
		return true
	}
	if m&maybeQuoted != 0 {
		at, q := quotedAt(line)
		if at < 0 {
			at, q = octetsAt(line)
		}
		if at >= 0 {
			y.before = append(y.before[:0], line[:min(at, maxCover)]...)
			y.quoted = &quoted{to: y.next(), style: q}
			y.quoted.write(line[at:])
			return true
		}
	}
	return false
}

// next returns the layer for the text inside a wrapping.
func (y *layer) next() *layer {
	if y.inner == nil {
		y.inner = &layer{l: y.l, depth: y.depth + 1}
	}
	return y.inner
}

// cri takes another piece of a record that a container runtime has cut.
func (y *layer) cri(line []byte, m marks, first, last bool) {
	rest, whole, ok := criRecord(line)
	switch {
	case ok && first:
		y.inner.write(rest)
		y.criEnds(whole && last)
	case first: // the rest is missing
		y.criEnds(true)
		y.begin(line, m, first, last)
	default: // of a line that is too long itself
		y.inner.write(line)
		y.criEnds(last)
	}
}

// criEnds ends the text of a record, or waits for the rest of it.
func (y *layer) criEnds(whole bool) {
	if y.pieces = !whole; whole {
		y.inner.write([]byte{'\n'})
	}
}

// records feeds a further line of a value in JSON.
func (y *layer) records(line []byte, m marks, first, last bool) {
	if first {
		y.fresh = false
	}
	y.recordsIn(line, 0, m, last)
}

// recordsIn feeds line from at on to the value in JSON, which ends there, goes
// on in the next line, or turns out to be none.
func (y *layer) recordsIn(line []byte, at int, m marks, last bool) {
	if y.l.event == "" && !y.l.order.decided {
		y.l.event = eventIn(line)
	}
	n, state := y.json.write(line[at:])
	if state == jsonMore && (!last || y.json.lineEnds()) {
		return
	}
	if state != jsonDone {
		y.json.flush() // what there is of a record that was cut
	}
	told := y.json.told
	y.json = nil
	switch rest := bytes.TrimLeft(line[at+n:], ", \t"); {
	case state != jsonDone && !told:
		if y.fresh {
			m &^= maybeJSON
		}
		y.begin(line, m, true, last)
	case state == jsonDone && jsonAt(rest) >= 0:
		y.begin(rest, m|maybeJSON, true, last)
	}
}

// leaf is a line in no further wrapping.
func (l *lines) leaf(line []byte) {
	if l.streams.take(l, line) || l.order.take(l, line) {
		return
	}
	l.emit(l.cover.off(line))
}

// criRecord splits a record as the container runtimes of Kubernetes write it,
//
//	2026-11-24T10:00:00.123456789Z stderr F goroutine 1 [running]:
//
// where P instead of F marks one that goes on in the next.
func criRecord(line []byte) (text []byte, whole, ok bool) {
	if len(line) < 30 || line[4] != '-' || line[10] != 'T' {
		return nil, false, false
	}
	_, rest, _ := bytes.Cut(line, []byte{' '})
	stream, rest, _ := bytes.Cut(rest, []byte{' '})
	if string(stream) != "stderr" && string(stream) != "stdout" {
		return nil, false, false
	}
	tag, rest, found := bytes.Cut(rest, []byte{' '})
	if !found && len(tag) == 1 {
		rest = nil
	}
	switch string(tag) {
	case "F":
		return rest, true, true
	case "P":
		return rest, false, true
	}
	return nil, false, false
}

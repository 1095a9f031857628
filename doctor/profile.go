package doctor

import (
	"bytes"
	"strconv"
)

// beginProfile reads "goroutine profile: total 16400", or nothing of an extract
// that begins with a record.
func (p *parser) beginProfile(line []byte) {
	if p.profile && p.snap.Extract && line != nil && p.in.order.newest {
		p.endProfile(line)
		return
	}
	if empty := p.profile && p.snap.Goroutines == 0 && !p.started; empty {
		p.profile, p.total = false, 0 // its first line alone was pasted
	}
	p.split()
	p.notice = p.notice[:0]
	p.profile = true
	p.step = (*parser).record
	p.home = p.step
	if line == nil {
		p.snap.Extract = true
		return
	}
	p.in.cover.other = false
	p.announce(line)
}

// endProfile reads the first line of a profile that is printed backwards.
func (p *parser) endProfile(line []byte) {
	p.end()
	p.announce(line)
	p.snap.Extract = false
	for _, s := range p.snap.Stacks {
		s.Leaked = s.Leaked || p.leaks
	}
}

// announce reads the kind and the size of a profile.
func (p *parser) announce(line []byte) {
	p.leaks = bytes.HasPrefix(line, []byte("goroutineleak"))
	number := line[bytes.Index(line, []byte("total "))+len("total "):]
	number = number[:len(number)-len(bytes.TrimLeft(number, "0123456789"))]
	n, err := strconv.Atoi(string(number))
	if err != nil {
		p.snap.trouble(p.in.n, string(line), "a profile without its total")
	}
	p.total = n
}

// record is inside a profile with debug=1:
//
//	7978 @ 0x43e0c5 0x40a1b2 0x6d2f15
//	# labels: {"tenant":"a"}
//	#	0x6d2f14	log4go.(*Writer).Write+0x55	/src/filelog.go:212
//
// The first line has an address per call; the others name them, without
// those of the runtime at the top, which is where the operation is. The tabs
// may have become blanks.
func (p *parser) record(line []byte) {
	line = bytes.Trim(line, " \t")
	labels, isLabels := bytes.CutPrefix(line, labelMark)
	switch {
	case len(line) == 0:
		// An empty line ends a record; one between all lines does not.
		if p.spaced = p.spaced || p.started && !p.called; !p.spaced {
			p.end()
		}
	case bytes.Equal(line, elided):
	case isLabels && p.started:
		p.labels = append(p.labels[:0], bytes.Trim(labels, "{}")...)
	case isLocation(line):
		p.location(line)
	case isRecord(line):
		p.end()
		p.addresses(line)
	case p.started && isPath(line) && len(p.held) > 0:
	default:
		p.end()
		p.afterRecord(line)
	}
}

// labelMark begins the labels of a record.
var labelMark = []byte("# labels: ")

// isLocation reports whether line names a call of a record: "#	0x6d2f14 …",
// or without the # where a page took it for a heading.
func isLocation(line []byte) bool {
	rest, mark := bytes.CutPrefix(line, []byte{'#'})
	rest = bytes.TrimLeft(rest, " \t")
	return bytes.HasPrefix(rest, []byte("0x")) &&
		(mark || bytes.Contains(rest, []byte("+0x")))
}

// afterRecord is a line that is no part of a profile. After the last record
// the profile is over; before, it is trouble.
func (p *parser) afterRecord(line []byte) {
	switch {
	case p.snap.Extract:
		p.step = (*parser).outside // more records of it may follow
		p.outside(line)
		return
	case p.snap.Goroutines >= p.total:
		p.split()
		p.outside(line)
		return
	}
	p.snap.trouble(p.in.n, string(line), "a foreign line within a profile")
}

// isRecord reports whether line begins a record, "7978 @ 0x43e0c5 0x40a1b2".
// Those of other profiles have more before the sign.
func isRecord(line []byte) bool {
	n, rest, ok := bytes.Cut(line, []byte(" @"))
	if !ok || !isNumber(n) || len(n) > 10 {
		return false
	}
	rest = bytes.TrimLeft(rest, " ")
	count, err := strconv.Atoi(string(n))
	return err == nil && count > 0 && count <= 1<<30 &&
		(len(rest) == 0 || bytes.HasPrefix(rest, []byte("0x")))
}

// addresses begins a record.
func (p *parser) addresses(line []byte) {
	n, rest, _ := bytes.Cut(line, []byte(" @"))
	p.count, _ = strconv.Atoi(string(n))
	p.started, p.called, p.pending, p.spaced = true, false, false, false
	p.labels = p.labels[:0]
	p.words.begin()
	p.key = append(p.key[:0], '\n', mark(p.leaks), '0', '\n')
	for pc := range bytes.FieldsSeq(rest) {
		p.key = append(p.key, '@', '\n')
		p.key = append(p.key, pc...)
		p.key = append(p.key, '\n')
	}
}

// location reads "#	0x6d2f14	log4go.(*Writer).Write+0x55	/src/filelog.go:212"
// and puts it in the place of the address. The addresses that have no name
// yet stay: see [Snapshot.Resolve].
func (p *parser) location(line []byte) {
	pc, name, file := splitLocation(line)
	why := ""
	path, number, ok := fileLine(file)
	switch {
	case !p.started || len(pc) == 0:
		why = "a call outside any record"
	case len(name) == 0:
		return // an address without a name, which the record has already
	case len(file) == 0:
		why = "a call without its file"
	case !ok:
		why = "a call without its line"
	}
	if why != "" {
		p.snap.trouble(p.in.n, string(line), why)
		return
	}
	if !p.called {
		p.unnamed(pc)
	}
	p.called = true
	p.key = append(p.key, starred(name)...)
	p.key = append(p.key, '\n')
	p.key = append(p.key, path...)
	p.key = append(p.key, '\n')
	p.key = append(p.key, number...)
	p.key = append(p.key, '\n')
}

// splitLocation splits the text after the # at tabs, or if there are none at
// the blanks after the address and after the offset of the name: names and
// paths may contain blanks.
func splitLocation(line []byte) (pc, name, file []byte) {
	line = bytes.TrimLeft(line, "# \t")
	if i := bytes.IndexByte(line, '\t'); i >= 0 {
		pc, line = line[:i], bytes.TrimLeft(line[i:], "\t")
		name, file, _ = bytes.Cut(line, []byte{'\t'})
		file = bytes.TrimLeft(file, "\t")
	} else {
		pc, line, _ = bytes.Cut(line, []byte{' '})
		line = bytes.TrimLeft(line, " ")
		end := bytes.LastIndex(line, []byte("+0x"))
		if end < 0 {
			end = 0
		}
		if i := bytes.IndexByte(line[end:], ' '); i >= 0 {
			name, file = line[:end+i], bytes.TrimLeft(line[end+i:], " ")
		} else {
			name = line
		}
	}
	if i := bytes.LastIndex(name, []byte("+0x")); i > 0 {
		name = name[:i]
	}
	return bytes.TrimRight(pc, " "), bytes.TrimRight(name, " "), file
}

// unnamed cuts the addresses from pc on: those have names. The text has the
// address of the call, one below the return address of the record.
func (p *parser) unnamed(pc []byte) {
	const first = len("\n00\n") // what addresses writes before them
	want, err := strconv.ParseUint(string(pc), 0, 64)
	if err != nil {
		return // removed by its author: any of them may be without a name
	}
	for i := first; i < len(p.key); {
		field, _, _ := bytes.Cut(p.key[i+len("@\n"):], []byte{'\n'})
		got, _ := strconv.ParseUint(string(field), 0, 64)
		if got == want || got == want+1 {
			p.key = p.key[:i]
			return
		}
		i += len("@\n") + len(field) + len("\n")
	}
}

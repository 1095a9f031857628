package doctor

import (
	"bytes"
	"strconv"
)

// beginProfile reads "goroutine profile: total 16400".
func (p *parser) beginProfile(line []byte) {
	p.split()
	p.profile = true
	p.leaks = bytes.HasPrefix(line, []byte("goroutineleak"))
	i := bytes.LastIndexByte(line, ' ')
	n, err := strconv.Atoi(string(line[i+1:]))
	if err != nil {
		p.snap.trouble(p.in.n, string(line), "a profile without its total")
	}
	p.total = n
	p.step = (*parser).record
}

// record is inside a profile with debug=1:
//
//	7978 @ 0x43e0c5 0x40a1b2 0x6d2f15
//	# labels: {"tenant":"a"}
//	#	0x6d2f14	log4go.(*Writer).Write+0x55	/src/filelog.go:212
//
// The first line has an address per call; the others name them, without
// those of the runtime at the top, which is where the operation is.
func (p *parser) record(line []byte) {
	labels, isLabels := bytes.CutPrefix(line, []byte("# labels: "))
	switch {
	case len(line) == 0:
		p.end()
	case isLabels && p.started:
		p.labels = append(p.labels[:0], bytes.Trim(labels, "{}")...)
	case line[0] == '#':
		p.named(line)
	default:
		p.end()
		if !p.addresses(line) {
			p.foreign(line)
		}
	}
}

// foreign is a line that is no part of a profile. After the last record the
// profile is over; before, it is trouble.
func (p *parser) foreign(line []byte) {
	if p.snap.Goroutines >= p.total {
		p.split()
		p.outside(line)
		return
	}
	p.snap.trouble(p.in.n, string(line), "a foreign line within a profile")
}

// addresses begins a record with "7978 @ 0x43e0c5 0x40a1b2".
func (p *parser) addresses(line []byte) bool {
	n, rest, ok := bytes.Cut(line, []byte(" @"))
	count, _ := strconv.Atoi(string(n))
	if !ok || count < 1 || count > 1<<30 {
		return false
	}
	p.started, p.count, p.called = true, count, false
	p.labels = p.labels[:0]
	p.key = append(p.key[:0], '\n', mark(p.leaks), '0', '\n')
	for _, pc := range bytes.Fields(rest) {
		p.key = append(p.key, '@', '\n')
		p.key = append(p.key, pc...)
		p.key = append(p.key, '\n')
	}
	return true
}

// named reads "#	0x6d2f14	log4go.(*Writer).Write+0x55	/src/filelog.go:212"
// and puts it in the place of the address. The addresses that have no name
// yet stay: see [Snapshot.Resolve].
func (p *parser) named(line []byte) {
	fields := bytes.FieldsFunc(line[1:], func(r rune) bool { return r == '\t' })
	if !p.started || len(fields) == 0 {
		p.snap.trouble(p.in.n, string(line), "a call outside any record")
		return
	}
	if len(fields) == 1 {
		return // an address without a name, which the record has already
	}
	if len(fields) < 3 {
		p.snap.trouble(p.in.n, string(line), "a call without its file")
		return
	}
	file, number, ok := fileLine(fields[2])
	if !ok {
		p.snap.trouble(p.in.n, string(line), "a call without its line")
		return
	}
	name := fields[1]
	if i := bytes.LastIndex(name, []byte("+0x")); i > 0 {
		name = name[:i]
	}
	if !p.called {
		p.unnamed(fields[0])
	}
	p.called = true
	p.key = append(p.key, name...)
	p.key = append(p.key, '\n')
	p.key = append(p.key, file...)
	p.key = append(p.key, '\n')
	p.key = append(p.key, number...)
	p.key = append(p.key, '\n')
}

// unnamed cuts the addresses from pc on: those have names. The text has the
// address of the call, one below the return address of the record.
func (p *parser) unnamed(pc []byte) {
	const first = len("\n00\n") // what addresses writes before them
	want, _ := strconv.ParseUint(string(pc), 0, 64)
	for i := first; i < len(p.key); {
		field, _, _ := bytes.Cut(p.key[i+len("@\n"):], []byte{'\n'})
		got, _ := strconv.ParseUint(string(field), 0, 64)
		if want == 0 || got == want || got == want+1 {
			p.key = p.key[:i]
			return
		}
		i += len("@\n") + len(field) + len("\n")
	}
}

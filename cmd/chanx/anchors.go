package main

import (
	"bytes"
	"strconv"
)

// anchors are the functions whose address a profile with debug=1 has: in
//
//	#	0x6d2f14	log4go.(*Writer).Write+0x55	/src/filelog.go:212
//
// Write is at 0x6d2f14 - 0x55. They are read from the bytes as they pass:
// only a reader of the binary needs them, and package doctor drops them.
type anchors struct {
	entry map[string]uint64
	line  []byte // of the current line, as far as it has been read
}

const maxAnchors = 1000

// Write never fails. It keeps the lines of anchors only.
func (a *anchors) Write(b []byte) (int, error) {
	n := len(b)
	for len(a.entry) < maxAnchors {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		if len(a.line)+len(line) <= 4096 {
			a.line = append(a.line, line...)
		}
		if !whole {
			break
		}
		a.note()
		a.line = a.line[:0]
		b = rest
	}
	return n, nil
}

func (a *anchors) note() {
	i := bytes.IndexByte(a.line, '#')
	if i < 0 {
		return
	}
	fields := bytes.Fields(a.line[i+1:]) // tabs may have become blanks
	if len(fields) < 3 || !bytes.HasPrefix(fields[0], []byte("0x")) {
		return
	}
	plus := bytes.LastIndexByte(fields[1], '+')
	if plus < 0 {
		return
	}
	pc, err := strconv.ParseUint(string(fields[0]), 0, 64)
	offset, err2 := strconv.ParseUint(string(fields[1][plus+1:]), 0, 64)
	if err != nil || err2 != nil {
		return
	}
	if a.entry == nil {
		a.entry = make(map[string]uint64)
	}
	a.entry[string(fields[1][:plus])] = pc - offset
}

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"example.com/chanx/doctor"
)

// decode reads what r holds: a profile in protobuf form or any text with
// goroutines in it, either of them compressed by gzip or not. The content
// decides, never the name: a profile saved by curl has no suffix.
//
// If the input breaks off, decode returns the part before without an error,
// marked as truncated: half a dump is better than none. Addresses that text has
// along with a name go to known.
func decode(r io.Reader, target string,
	known *anchors) ([]*doctor.Snapshot, error) {
	return decodeLayer(r, target, known, 0)
}

// decodeLayer is decode below some layers of gzip. Two are a common accident,
// a compressed profile served compressed; some files unpack to themselves
// forever.
func decodeLayer(r io.Reader, target string, known *anchors,
	layer int) ([]*doctor.Snapshot, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(64)
	if len(head) == 0 {
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("%s: cut short (%w): fetch it again", target, err)
		}
		return nil, fmt.Errorf("%s: empty: the program that wrote it may have "+
			"failed, or have no goroutine that it may show", target)
	}
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		if layer > 1 {
			return nil, fmt.Errorf("%s: compressed more than twice", target)
		}
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%s: damaged gzip header (%w): fetch it "+
				"again, in binary mode", target, err)
		}
		return decodeLayer(z, target, known, layer+1)
	}
	if isProtobuf(head) {
		return decodeProtobuf(in, target)
	}
	if remedy := foreign(head); remedy != "" {
		return nil, fmt.Errorf("%s: %s", target, remedy)
	}
	return decodeText(io.TeeReader(in, known), head, target)
}

// decodeText is decode for text.
func decodeText(in io.Reader, head []byte,
	target string) ([]*doctor.Snapshot, error) {
	page := isPage(head) // head does not outlive the next read
	snaps, err := doctor.Parse(in, target)
	switch {
	case err == nil:
		return snaps, nil
	case len(snaps) > 0:
		last := snaps[len(snaps)-1]
		last.Truncated = true
		last.Unreadable++
		last.Troubles = append(last.Troubles, doctor.Trouble{Why: err.Error()})
		return snaps, nil
	case page && errors.Is(err, doctor.ErrNoDump):
		return nil, fmt.Errorf("%s: a web page without goroutines: %w; the "+
			"profile is at /debug/pprof/goroutine of a server", target,
			doctor.ErrNoDump)
	}
	return nil, err
}

// isProtobuf recognizes the first field of a profile, the type of its samples
// (field 1, as go tool pprof writes it) or of its period (field 11, as the
// runtime does): the field, its length, and in it field 1 or 2 as a number.
// No text begins with two control characters after the first.
func isProtobuf(head []byte) bool {
	return len(head) > 3 && (head[0] == 0x0a || head[0] == 0x5a) &&
		head[1] < 0x20 && (head[2] == 0x08 || head[2] == 0x10)
}

func isPage(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(head, " \t\r\n\ufeff"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) ||
		bytes.HasPrefix(head, []byte("<html"))
}

// foreign describes an input passed by mistake, and the remedy.
func foreign(head []byte) string {
	for _, f := range []struct{ magic, remedy string }{
		{"\x28\xb5\x2f\xfd", "compressed by zstd: try zstd -dc FILE | chanx doctor -"},
		{"\xfd7zXZ\x00", "compressed by xz: try xz -dc FILE | chanx doctor -"},
		{"BZh", "compressed by bzip2: try bzip2 -dc FILE | chanx doctor -"},
		{"PK\x03\x04", "a zip archive: try unzip -p FILE | chanx doctor -"},
		{"\x7fELF", "a binary or a core dump, not a goroutine dump: a binary " +
			"belongs after -binary, a core dump into a debugger"},
		{"\xcf\xfa\xed\xfe", "a binary: it belongs after -binary"},
		{"MZ\x90\x00", "a binary: it belongs after -binary"},
		{"go 1.", "an execution trace: it has events, not stacks; take " +
			"/debug/pprof/goroutine instead"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.remedy
		}
	}
	return ""
}

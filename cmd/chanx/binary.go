package main

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"debug/macho"
	"debug/pe"
	encoding "encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"example.com/chanx/doctor"
)

// binary is an executable written by Go, for the names of addresses. Its
// function table remains in a stripped one.
type binary struct {
	name  string
	table *gosym.Table
	entry map[string]uint64 // of the functions
}

func openBinary(name string) (*binary, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("-binary %s: %w", name, errors.Unwrap(err))
	}
	defer f.Close()
	lines, text, err := functionTable(f)
	if err == nil {
		err = plausible(lines)
	}
	if err != nil {
		return nil, fmt.Errorf("-binary %s: %w", name, err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(lines, text))
	if err != nil || len(table.Funcs) == 0 {
		return nil, fmt.Errorf("-binary %s: its table of functions cannot be read "+
			"(%v): is it built by a newer Go than this command?", name, err)
	}
	b := &binary{name, table, make(map[string]uint64, len(table.Funcs))}
	for _, fn := range table.Funcs {
		b.entry[fn.Name] = fn.Entry
	}
	return b, nil
}

// maxName bounds the text between two zero bytes of a function table. A name
// with type arguments has some kilobytes.
const maxName = 64 << 10

// plausible rejects a table with false sizes. Package gosym allocates
// by the sizes in the header and copies names up to the next zero byte, so a
// damaged or patched file would take all memory.
func plausible(lines []byte) error {
	bad := errors.New("its table of functions is damaged: give the very file " +
		"that ran")
	if len(lines) < 16 {
		return bad
	}
	var order encoding.ByteOrder = encoding.LittleEndian
	if lines[0] == 0xff {
		order = encoding.BigEndian
	}
	functions := uint64(order.Uint32(lines[8:]))
	if lines[7] == 8 {
		functions = order.Uint64(lines[8:])
	}
	if functions > uint64(len(lines))/8 {
		return bad
	}
	for rest := lines; len(rest) > 0; {
		i := bytes.IndexByte(rest[:min(len(rest), maxName)], 0)
		if i < 0 && len(rest) > maxName {
			return bad
		}
		rest = rest[i+1:]
		if i < 0 {
			break
		}
	}
	return nil
}

// functionTable returns the table and the address where code begins. If that
// address is not exact, as in a program linked by C's linker, or the program
// was loaded elsewhere, [binary.moved] finds the difference.
func functionTable(f io.ReaderAt) (lines []byte, text uint64, err error) {
	if e, err := elf.NewFile(f); err == nil {
		for _, s := range e.Sections {
			switch s.Name {
			case ".text":
				text = s.Addr
			case ".gopclntab", ".data.rel.ro.gopclntab":
				// No linker compresses it, and a compressed one may be a bomb.
				if s.Flags&elf.SHF_COMPRESSED != 0 {
					return nil, 0, errors.New("its table of functions is compressed")
				}
				lines, err = s.Data()
			}
		}
		return found(lines, text, err)
	}
	if m, err := macho.NewFile(f); err == nil {
		if s := m.Section("__text"); s != nil {
			text = s.Addr
		}
		if s := m.Section("__gopclntab"); s != nil {
			lines, err = s.Data()
		}
		return found(lines, text, err)
	}
	if p, err := pe.NewFile(f); err == nil {
		return windowsTable(p)
	}
	return nil, 0, errors.New("not an executable of Linux, macOS or Windows")
}

func found(lines []byte, text uint64, err error) ([]byte, uint64, error) {
	if err == nil && lines == nil {
		err = errors.New("no table of functions in it: not a Go program")
	}
	return lines, text, err
}

// windowsTable searches, since a PE file has no section for the table: its
// first bytes are the version, two zeros, and the sizes of an instruction and
// of a pointer.
func windowsTable(p *pe.File) ([]byte, uint64, error) {
	var base uint64
	switch h := p.OptionalHeader.(type) {
	case *pe.OptionalHeader64:
		base = h.ImageBase
	case *pe.OptionalHeader32:
		base = uint64(h.ImageBase)
	}
	var lines []byte
	var text uint64
	for _, s := range p.Sections {
		if s.Name == ".text" {
			text = base + uint64(s.VirtualAddress)
			continue
		}
		data, err := s.Data()
		for i := 0; err == nil && lines == nil && i+8 < len(data); i += 8 {
			if d := data[i:]; (d[0] == 0xf1 || d[0] == 0xf0) && d[1] == 0xff &&
				d[2] == 0xff && d[3] == 0xff && d[4] == 0 && d[5] == 0 &&
				(d[6] == 1 || d[6] == 4) && (d[7] == 4 || d[7] == 8) {
				lines = d
			}
		}
	}
	return found(lines, text, nil)
}

// moved returns by how much the addresses of a process differ from those in
// the file, from the functions whose name and address the dump has. Inlined
// ones have the address of the function around them, hence the majority.
func (b *binary) moved(known map[string]uint64) (uint64, error) {
	votes := make(map[uint64]int)
	var best uint64
	total := 0
	for name, at := range known {
		if entry, ok := b.entry[name]; ok {
			by := at - entry
			total++
			votes[by]++
			if votes[by] > votes[best] || votes[by] == votes[best] && by == 0 {
				best = by
			}
		}
	}
	if len(known) > 0 && 2*votes[best] <= total {
		return 0, fmt.Errorf("-binary %s: not the program of this dump: its "+
			"functions are at other addresses; give the very file that ran", b.name)
	}
	return best, nil
}

// at returns the call at a return address. It looks one byte before: a call
// that never returns may be the last instruction of its function.
func (b *binary) at(pc uint64) []doctor.Frame {
	file, line, fn := b.table.PCToLine(pc - 1)
	if fn == nil {
		return nil
	}
	return []doctor.Frame{{Func: fn.Name, File: file, Line: line}}
}

// resolve names the addresses in the snapshots of the targets. Without a
// binary it only prints how many there are. It reports whether the binary, if
// there is one, is that of the program.
func (b *binary) resolve(targets []*target, c *console) bool {
	ok := true
	for _, t := range targets {
		nameless := 0
		var by uint64
		var err error
		for _, snap := range t.snaps {
			snap.Resolve(func(pcs []uint64) map[uint64][]doctor.Frame {
				if b != nil && nameless == 0 {
					by, err = b.moved(t.anchors.entry)
				}
				if nameless += len(pcs); b == nil || err != nil {
					return nil
				}
				calls := make(map[uint64][]doctor.Frame)
				for _, pc := range pcs {
					calls[pc] = b.at(pc - by)
				}
				return calls
			})
		}
		switch {
		case nameless == 0:
		case b == nil:
			c.say("%s: %d addresses have no names, so that the operation may be "+
				"unknown: give the program with -binary FILE", t.name, nameless)
		case err != nil:
			c.say("%s: %v", t.name, err)
			ok = false
		}
	}
	return ok
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/chanx/doctor"
)

const (
	// maxSymbols bounds the addresses of a profile that a server is asked
	// about: a process has some hundred.
	maxSymbols = 10_000

	// maxAnswer bounds what a server may answer about 200 of them. A name with
	// type arguments has a few kilobytes at most.
	maxAnswer = 1 << 20
)

// resolve asks the server that sent a profile with debug=1 for the names of
// the addresses in it. An address that the server does not know stays without a
// name, and the operation unknown, which the report states.
func (s *server) resolve(ctx context.Context, snap *doctor.Snapshot,
	profile *url.URL) {
	i := strings.LastIndexByte(strings.TrimSuffix(profile.Path, "/"), '/')
	if i < 0 {
		return
	}
	u := *profile
	u.Path, u.RawQuery = u.Path[:i]+"/symbol", ""
	ctx, cancel := context.WithTimeout(ctx, 10*s.fetch.timeout)
	defer cancel()
	snap.Resolve(func(pcs []uint64) map[uint64][]doctor.Frame {
		names := make(map[uint64]string)
		for batch := range slices.Chunk(pcs[:min(len(pcs), maxSymbols)], 200) {
			if err := s.ask(ctx, &u, batch, names); err != nil {
				snap.Troubles = append(snap.Troubles, doctor.Trouble{
					Why: fmt.Sprintf("the runtime's calls have no names: %s: %v",
						u.Redacted(), err)})
				snap.Unreadable++
				break
			}
		}
		calls := make(map[uint64][]doctor.Frame, len(names))
		for pc, name := range names {
			if name != "" {
				calls[pc+1] = []doctor.Frame{{Func: name}}
			}
		}
		return calls
	})
}

// ask sends "0x43e0c4+0x40a1b1" and adds the names in the answer, lines of
// "0x43e0c4 runtime.gopark". The addresses are of the calls, one below the
// return addresses: a call that never returns may be the last instruction of
// its function, and the next address another one's.
func (s *server) ask(ctx context.Context, u *url.URL, pcs []uint64,
	names map[uint64]string) error {
	var question strings.Builder
	asked := make(map[uint64]bool, len(pcs))
	answer := make(map[uint64]string, len(pcs))
	for i, pc := range pcs {
		if i > 0 {
			question.WriteByte('+')
		}
		fmt.Fprintf(&question, "%#x", pc-1)
		asked[pc-1] = true
	}
	read := func(body io.Reader) error {
		limited := &io.LimitedReader{R: body, N: maxAnswer}
		lines := bufio.NewScanner(limited)
		for lines.Scan() {
			address, name, ok := strings.Cut(lines.Text(), " ")
			pc, err := strconv.ParseUint(address, 0, 64)
			if ok && err == nil && asked[pc] {
				answer[pc] = name
			}
		}
		if limited.N <= 0 {
			return fmt.Errorf("answers more than %d kB", maxAnswer>>10)
		}
		if lines.Err() == nil {
			maps.Copy(names, answer)
		}
		return lines.Err()
	}
	// A query of 200 addresses has less than 4 kB, which every proxy passes on,
	// and net/http/pprof registers itself for GET only since Go 1.22.
	get := *u
	get.RawQuery = question.String()
	return s.fetch.do(ctx, get.String(), read)
}

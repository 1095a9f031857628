package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"example.com/chanx/cmd/chanx/internal/chanflow"
	"example.com/chanx/doctor"
)

// source is the program's source code, loaded once something is blocked on
// a channel: that takes seconds, and most programs are well.
type source struct {
	dir     string
	stacks  []*doctor.Stack
	program *chanflow.Program
	err     error
	notes   []string
}

// newSource returns nil for no directory.
func newSource(dir string) (*source, error) {
	if dir == "" {
		return nil, nil
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("-src %s: no such directory", dir)
	case !info.IsDir():
		return nil, fmt.Errorf("-src %s: a file: give the directory of its go.mod",
			dir)
	}
	return &source{dir: dir}, nil
}

// receivers returns a function for [doctor.Rules], which finds the other users
// of a channel, or nil without source.
func (s *source) receivers(snaps []*doctor.Snapshot) func(doctor.Finding) []string {
	if s == nil {
		return nil
	}
	for _, snap := range snaps {
		s.stacks = append(s.stacks, snap.Stacks...)
	}
	return func(f doctor.Finding) []string {
		send := f.Operation == "chan send"
		if !send && f.Operation != "chan receive" || !s.load() {
			return nil
		}
		functions, ok := s.program.Others(chanflow.Site{
			Package: packageOf(f.Function), File: f.File, Line: f.Line, Send: send})
		if !ok {
			s.note("-src %s: not known who else is on the channel at %s:%d: is "+
				"it the source of what ran?", s.dir, f.File, f.Line)
			return nil
		}
		return s.symbols(functions)
	}
}

func (s *source) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(s.notes, n) {
		s.notes = append(s.notes, n)
	}
}

func (s *source) load() bool {
	if s.program == nil && s.err == nil {
		s.program, s.err = chanflow.Load(s.dir, s.elsewhere())
		if s.err == nil {
			for _, ill := range s.program.Ill {
				s.note("-src %s: left out: %s", s.dir, ill)
			}
		}
	}
	return s.err == nil
}

// maxElsewhere bounds the packages that are not below the directory.
const maxElsewhere = 200

// elsewhere returns the packages of the functions blocked on channels: those
// of a dependency are not below the directory. The dump may come from anyone,
// and the go command takes more than import paths: "file=x", "a...", a path
// that leaves the directory. Only import paths get through.
func (s *source) elsewhere() []string {
	var pkgs []string
	seen := make(map[string]bool)
	for _, stack := range s.stacks {
		for _, f := range stack.Frames {
			pkg := packageOf(f.Func)
			first, _, path := strings.Cut(pkg, "/")
			if seen[pkg] || !path || !strings.Contains(first, ".") {
				continue
			}
			seen[pkg] = true
			if module.CheckImportPath(pkg) == nil && len(pkgs) < maxElsewhere {
				pkgs = append(pkgs, pkg)
			}
		}
	}
	return pkgs
}

// symbols returns the functions as the stacks name them. A closure has
// another symbol where the function around it is inlined, so a call counts by
// its place. A caller of one of them counts too if it is in any stack: a loop
// that receives by calling next is not in next while it is busy.
func (s *source) symbols(functions []chanflow.Function) []string {
	names := []string{}
	for _, f := range functions {
		seen := s.inside(f)
		for _, caller := range s.program.Callers(f) {
			seen = append(seen, s.inside(caller)...)
		}
		if len(seen) == 0 {
			seen = []string{f.Symbol}
		}
		names = append(names, seen...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// inside returns the symbols of the calls in f.
func (s *source) inside(f chanflow.Function) []string {
	var names []string
	for _, stack := range s.stacks {
		for _, call := range stack.Frames {
			if s.program.Inside(f, packageOf(call.Func), call.File, call.Line) &&
				!slices.Contains(names, call.Func) {
				names = append(names, call.Func)
			}
		}
	}
	return names
}

// said prints the problems with the source. It reports whether any source was
// loaded.
func (s *source) said(c *console) bool {
	if s == nil {
		return true
	}
	for _, n := range s.notes {
		c.say("%s", n)
	}
	if s.err != nil {
		c.say("-src %v", s.err)
	}
	return s.err == nil
}

// packageOf is the import path in a symbol, up to the first dot after the
// last slash; a generic's type arguments have slashes, too.
func packageOf(symbol string) string {
	path, _, _ := strings.Cut(symbol, "[")
	slash := strings.LastIndexByte(path, '/') + 1
	name, _, _ := strings.Cut(path[slash:], ".")
	return path[:slash] + strings.ReplaceAll(name, "%2e", ".")
}

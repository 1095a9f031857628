package vet

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// Report is the result of [Check].
type Report struct {
	Packages int       `json:"packages"`
	Unread   []string  `json:"unread,omitempty"` // packages, each with the reason
	Findings []Finding `json:"findings"`
}

// Finding is one place that is likely wrong.
type Finding struct {
	Check    string  `json:"check"`
	Category string  `json:"category"`
	File     string  `json:"file"`
	Line     int     `json:"line"`
	Column   int     `json:"column"`
	Message  string  `json:"message"`
	Related  []Place `json:"related,omitempty"`
	Fixable  bool    `json:"fixable"`

	edits []edit
}

// Place is a position that a finding refers to.
type Place struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Options are how [Check] looks. The zero value reports likely findings.
type Options struct {
	// More adds the findings of the weaker checks.
	More bool
}

// Check applies the checks to the packages in dir that patterns of the go
// command name. The error reports that no package could be read. The go command
// prepares the packages as it does for go vet: cgo runs the C compiler.
func Check(dir string, patterns []string, o Options) (*Report, error) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule, Dir: dir,
		BuildFlags: []string{"-buildvcs=false"},
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	r := &Report{Findings: []Finding{}}
	well := r.readable(loaded)
	if len(well) == 0 {
		return nil, errors.New(dir + ": no Go package that compiles: " +
			strings.Join(append(r.Unread, "is there a go.mod?"), "; "))
	}
	graph, err := checker.Analyze(newSuite(module(well), o.More), well, nil)
	if err != nil {
		return nil, err
	}
	for act := range graph.All() {
		if act.Err != nil {
			r.Unread = append(r.Unread, fmt.Sprintf("%s: %v", act, act.Err))
		}
		for _, d := range act.Diagnostics {
			r.Findings = append(r.Findings, newFinding(act, d))
		}
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Check, b.Check))
	})
	return r, nil
}

// readable returns the packages that compile, connected only with each other:
// the others have no source, and so no facts.
func (r *Report) readable(loaded []*packages.Package) []*packages.Package {
	var well []*packages.Package
	for _, p := range loaded {
		switch {
		case len(p.Errors) > 0:
			r.Unread = append(r.Unread, p.PkgPath+": "+
				strings.ReplaceAll(p.Errors[0].Error(), "\n", "; "))
		case len(p.Syntax) > 0 && p.Types != nil:
			p.IllTyped = false // an import may be
			well = append(well, p)
		}
	}
	for _, p := range well {
		for path, dep := range p.Imports {
			if !slices.Contains(well, dep) {
				delete(p.Imports, path)
			}
		}
	}
	r.Packages = len(well)
	return well
}

// module returns the knowledge of the packages about each other.
func module(pkgs []*packages.Package) *chanflow.Module {
	if pkgs[0].Module == nil {
		return nil
	}
	m := chanflow.NewModule(pkgs[0].Module.Path)
	for _, p := range pkgs {
		m.Add(p.Types, p.TypesInfo.Uses)
	}
	return m
}

func newFinding(act *checker.Action, d analysis.Diagnostic) Finding {
	fset := act.Package.Fset
	p := fset.Position(d.Pos)
	f := Finding{Check: act.Analyzer.Name, Category: d.Category,
		File: relative(p.Filename), Line: p.Line, Column: p.Column,
		Message: d.Message, Fixable: len(d.SuggestedFixes) > 0}
	for _, rel := range d.Related {
		p := fset.Position(rel.Pos)
		f.Related = append(f.Related, Place{relative(p.Filename), p.Line, rel.Message})
	}
	if f.Fixable {
		for _, e := range d.SuggestedFixes[0].TextEdits {
			f.edits = append(f.edits, edit{fset.Position(e.Pos).Filename,
				fset.Position(e.Pos).Offset, fset.Position(e.End).Offset, e.NewText})
		}
	}
	return f
}

// relative returns a file name as seen from the working directory, if that is
// shorter.
func relative(file string) string {
	if dir, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(dir, file); err == nil && len(rel) < len(file) {
			return rel
		}
	}
	return file
}

package vet

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/astutil"
	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// reporter reports the findings of one check.
type reporter struct {
	*model
	pass *analysis.Pass
	more bool
}

// report reports a finding, unless it is ignored, or in generated or test code.
func (r *reporter) report(d analysis.Diagnostic) {
	file := r.pass.Fset.Position(d.Pos).Filename
	if !d.Pos.IsValid() || strings.HasSuffix(file, "_test.go") || r.generated(d.Pos) {
		return
	}
	switch reason, ok := r.ignored.at(r.pass.Fset.Position(d.Pos)); {
	case ok && reason != "":
		return
	case ok:
		d.Message += "; //chanx:ignore counts only with a reason after it"
	}
	r.pass.Report(d)
}

func (m *model) generated(pos token.Pos) bool {
	f := m.file(pos)
	return f != nil && ast.IsGenerated(f)
}

func (m *model) file(pos token.Pos) *ast.File {
	for _, f := range m.pass.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return f
		}
	}
	return nil
}

// enclosing returns the syntax around a position, innermost first.
func (m *model) enclosing(pos token.Pos) []ast.Node {
	f := m.file(pos)
	if f == nil {
		return nil
	}
	path, _ := astutil.PathEnclosingInterval(f, pos, pos)
	return path
}

// line returns a position as file.go:12.
func (m *model) line(pos token.Pos) string {
	p := m.pass.Fset.Position(pos)
	return fmt.Sprintf("%s:%d", filepath.Base(p.Filename), p.Line)
}

// name returns a function as its package names it.
func name(fn *ssa.Function) string {
	if fn.Pkg != nil {
		return fn.RelString(fn.Pkg.Pkg)
	}
	return fn.Name()
}

// describe names a channel: its variables, its capacity.
func (m *model) describe(c *chanflow.Class) string {
	var names []string
	for _, f := range c.Fields {
		names = appendNew(names, f.Name())
	}
	for _, mk := range c.Makes {
		if len(c.Fields) == 0 {
			names = appendNew(names, m.variableOf(mk))
		}
	}
	if len(names) > 3 {
		names = append(names[:3], "...")
	}
	s := "a channel"
	if len(names) > 0 {
		s = "channel " + strings.Join(names, ", ")
	}
	if len(c.Makes) == 1 {
		s += fmt.Sprintf(" (made at %s)", m.line(c.Makes[0].Pos()))
	}
	return s
}

func appendNew(all []string, s string) []string {
	for _, t := range all {
		if t == s {
			return all
		}
	}
	if s == "" {
		return all
	}
	return append(all, s)
}

// variableOf returns the name of the variable that a channel is assigned to.
func (m *model) variableOf(mk *ssa.MakeChan) string {
	for _, n := range m.enclosing(mk.Pos()) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, v := range n.Rhs {
				if v.Pos() <= mk.Pos() && mk.Pos() < v.End() && i < len(n.Lhs) {
					return types.ExprString(n.Lhs[i])
				}
			}
		case *ast.ValueSpec:
			return n.Names[0].Name
		case *ast.KeyValueExpr:
			return types.ExprString(n.Key)
		case *ast.FuncDecl, *ast.FuncLit:
			return ""
		}
	}
	return ""
}

// maxRoute bounds the callers that a message names.
const maxRoute = 3

// route tells how a request gets to fn: the callers up to the first that other
// packages can call.
func (m *model) route(fn *ssa.Function) string {
	var names []string
	for seen := map[*ssa.Function]bool{}; len(names) < maxRoute && !seen[fn]; {
		seen[fn] = true
		next := m.caller(fn)
		if next == nil {
			break
		}
		fn = next
		names = append(names, name(fn))
	}
	if len(names) == 0 {
		return ""
	}
	return ", reached from " + strings.Join(names, " from ")
}

func (m *model) caller(fn *ssa.Function) *ssa.Function {
	for _, c := range m.Calls(fn) {
		if c.Parent() != fn {
			return c.Parent()
		}
	}
	return fn.Parent()
}

// sendSites describes sends, with the routes to them, and returns them as
// related places.
func (m *model) sendSites(ops []*chanflow.Op, c *chanflow.Class) (string,
	[]analysis.RelatedInformation) {
	var at []string
	var related []analysis.RelatedInformation
	for _, o := range ops {
		where := fmt.Sprintf("%s (%s%s)", name(o.Fn), m.line(o.Pos), m.route(o.Fn))
		at = append(at, where)
		related = append(related, analysis.RelatedInformation{Pos: o.Pos,
			Message: "sends without another way out"})
	}
	for _, o := range c.Remote {
		if o.Kind == chanflow.Send && o.Bare {
			at = append(at, o.Where)
		}
	}
	if len(at) > maxSites {
		at = append(at[:maxSites], fmt.Sprintf("%d more", len(at)-maxSites))
	}
	return strings.Join(at, "; "), related
}

// maxSites bounds the places that a message names.
const maxSites = 3

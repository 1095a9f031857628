package vet

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// fix returns the edit that makes the channel with room for all values, and that
// capacity. It returns nil if the number of values is not known where the
// channel is made.
func (a *abandoned) fix(s sender) ([]analysis.SuggestedFix, string) {
	if s.many || a.more(s) || a.calledBack(s) || a.othersSend() {
		return nil, ""
	}
	n := strconv.Itoa(len(a.startsOf()))
	if a.receiver != a.maker {
		n = "1"
	} else if a.loops.contains(s.site.Block()) {
		n = a.lengthAround(s.site, a.made)
	}
	if n == "" || n == "0" {
		return nil, ""
	}
	return a.setCapacity(a.made, n), n
}

// calledBack reports whether the sender is a callback, which may run any number
// of times.
func (a *abandoned) calledBack(s sender) bool {
	c, ok := s.site.(*ssa.Call)
	return ok && c.Parent() == a.maker && a.started[s.send.Fn] != c
}

// othersSend reports whether goroutines send that the maker does not start.
func (a *abandoned) othersSend() bool {
	known := make(map[*chanflow.Op]bool)
	for _, s := range a.senders() {
		known[s.send] = true
	}
	for _, s := range a.sends {
		if s.Bare() && !known[s] {
			return true
		}
	}
	return false
}

// more reports whether a goroutine sends more than once.
func (a *abandoned) more(s sender) bool {
	for _, t := range a.senders() {
		if t.many {
			return true
		}
		if t.send.Fn == s.send.Fn && t.send != s.send &&
			(reachable(t.send.Instr.Block(), s.send.Instr.Block()) ||
				reachable(s.send.Instr.Block(), t.send.Instr.Block())) {
			return true
		}
	}
	return false
}

func (a *abandoned) startsOf() map[ssa.CallInstruction]bool {
	return starts(a.senders())
}

// setCapacity returns the fix that makes a channel with a capacity.
func (m *model) setCapacity(mk *ssa.MakeChan, n string) []analysis.SuggestedFix {
	call := m.makeCall(mk)
	if call == nil {
		return nil
	}
	edit := analysis.TextEdit{Pos: call.Args[0].End(), End: call.Rparen,
		NewText: []byte(", " + n)}
	return []analysis.SuggestedFix{{Message: "Make room for every value",
		TextEdits: []analysis.TextEdit{edit}}}
}

func (m *model) makeCall(mk *ssa.MakeChan) *ast.CallExpr {
	for _, n := range m.enclosing(mk.Pos()) {
		if call, ok := n.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "make" {
				return call
			}
		}
	}
	return nil
}

// lengthAround returns the number of iterations of the range loop around a
// start as an expression that can be used at the make, or "".
func (m *model) lengthAround(site ssa.CallInstruction, mk *ssa.MakeChan) string {
	loops := 0
	expr := ""
	for _, n := range m.enclosing(site.Pos()) {
		switch n := n.(type) {
		case *ast.ForStmt:
			loops++
		case *ast.RangeStmt:
			loops++
			expr = m.length(n.X, mk.Pos())
		case *ast.FuncDecl, *ast.FuncLit:
			if loops != 1 {
				return ""
			}
			return expr
		}
	}
	return ""
}

// length returns the expression for the number of elements of x, if x is a
// variable that is declared before pos and has not been assigned to since.
func (m *model) length(x ast.Expr, pos token.Pos) string {
	id, ok := x.(*ast.Ident)
	if !ok {
		return ""
	}
	v, ok := m.pass.TypesInfo.Uses[id].(*types.Var)
	if !ok || v.Pos() >= pos || m.assigned(v, pos, id.Pos()) {
		return ""
	}
	switch u := v.Type().Underlying().(type) {
	case *types.Slice, *types.Array, *types.Map:
		return "len(" + id.Name + ")"
	case *types.Basic:
		if u.Kind() == types.Int {
			return id.Name
		}
	}
	return ""
}

// assigned reports whether v is assigned to between two positions.
func (m *model) assigned(v *types.Var, from, to token.Pos) bool {
	found := false
	ast.Inspect(m.file(from), func(n ast.Node) bool {
		if s, ok := n.(*ast.AssignStmt); ok && from < s.Pos() && s.Pos() < to {
			for _, l := range s.Lhs {
				id, ok := l.(*ast.Ident)
				found = found || ok && m.pass.TypesInfo.Uses[id] == v
			}
		}
		return !found
	})
	return found
}

package vet

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// defaultSend finds a select that returns when it is told to stop, and sends in
// its default: the send does not hear of the stop.
func defaultSend(r *reporter) {
	for _, f := range r.pass.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectStmt); ok {
				r.selectStmt(s)
			}
			return true
		})
	}
}

func (r *reporter) selectStmt(s *ast.SelectStmt) {
	var def *ast.CommClause
	done := false
	for _, c := range s.Body.List {
		clause := c.(*ast.CommClause)
		if clause.Comm == nil {
			def = clause
		} else {
			done = done || r.isDone(clause)
		}
	}
	if def == nil || !done {
		return
	}
	for _, st := range def.Body {
		send, ok := st.(*ast.SendStmt)
		if !ok {
			continue
		}
		r.report(analysis.Diagnostic{Pos: send.Arrow, Category: "k",
			Message: "likely blocked send: the select asks whether to stop before the " +
				"send, and not while it waits; once its receiver has stopped it blocks " +
				"forever: make the send a case of the select",
			SuggestedFixes: r.sendCase(def, send)})
	}
}

// isDone reports whether a case receives from a channel without values, and
// leaves the select.
func (r *reporter) isDone(c *ast.CommClause) bool {
	var x ast.Expr
	switch s := c.Comm.(type) {
	case *ast.ExprStmt:
		x = s.X
	case *ast.AssignStmt:
		x = s.Rhs[0]
	}
	u, ok := ast.Unparen(x).(*ast.UnaryExpr)
	if !ok || u.Op != token.ARROW {
		return false
	}
	ch, ok := r.pass.TypesInfo.TypeOf(u.X).Underlying().(*types.Chan)
	if !ok {
		return false
	}
	st, ok := ch.Elem().Underlying().(*types.Struct)
	return ok && st.NumFields() == 0 && leavesSelect(c.Body)
}

// leavesSelect reports whether a case does not fall out of its select.
func leavesSelect(body []ast.Stmt) bool {
	if len(body) == 0 {
		return false
	}
	switch s := body[len(body)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Label != nil || s.Tok != token.BREAK
	}
	return false
}

// sendCase returns the fix that makes the send, the first statement of the
// default, a case of the select.
func (r *reporter) sendCase(def *ast.CommClause, s *ast.SendStmt) []analysis.SuggestedFix {
	if def.Body[0] != s {
		return nil
	}
	var text bytes.Buffer
	text.WriteString("case ")
	if format.Node(&text, r.pass.Fset, s) != nil {
		return nil
	}
	text.WriteString(":")
	return []analysis.SuggestedFix{{Message: "Make the send a case",
		TextEdits: []analysis.TextEdit{{Pos: def.Pos(), End: s.End(),
			NewText: text.Bytes()}}}}
}

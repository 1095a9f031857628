package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// insertion is text that goes before the byte at offset.
type insertion struct {
	offset int
	text   string
}

// weaver puts all mutants of a file into it. It only ever inserts: where one
// mutant is within another, the outer one has a copy of the original, which
// is enough, since only one of them is made at a time.
type weaver struct {
	fset   *token.FileSet
	info   *types.Info
	pkg    *types.Package
	name   string // of the file, within the module
	source []byte

	mutants []mutant // of all files so far
	inserts []insertion
	opening map[ast.Node]int    // where in inserts those before a node begin
	closing map[ast.Node]string // the text after a node
	stack   []ast.Node
}

// weave returns the source of file with its mutants.
func (w *weaver) weave(file *ast.File) []byte {
	w.inserts, w.closing = nil, make(map[ast.Node]string)
	w.opening = make(map[ast.Node]int)
	ast.Inspect(file, w.visit)
	slices.SortStableFunc(w.inserts, func(a, b insertion) int {
		return a.offset - b.offset
	})
	var out strings.Builder
	at := 0
	for _, in := range w.inserts {
		out.Write(w.source[at:in.offset])
		out.WriteString(in.text)
		at = in.offset
	}
	out.Write(w.source[at:])
	return []byte(out.String())
}

func (w *weaver) visit(n ast.Node) bool {
	if n == nil {
		top := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if text := w.closing[top]; text != "" {
			w.insert(top.End(), text)
		}
		return true
	}
	if d, ok := n.(*ast.GenDecl); ok && d.Tok != token.VAR {
		return false // nothing happens there
	}
	switch n := n.(type) {
	case *ast.BinaryExpr:
		w.binary(n)
	case ast.Stmt:
		w.statement(n)
	case ast.Expr:
		w.condition(n)
	}
	w.stack = append(w.stack, n)
	return true
}

func (w *weaver) parent() ast.Node { return w.stack[len(w.stack)-1] }

func (w *weaver) offset(p token.Pos) int { return w.fset.Position(p).Offset }

func (w *weaver) insert(p token.Pos, text string) {
	w.inserts = append(w.inserts, insertion{w.offset(p), text})
}

func (w *weaver) text(n ast.Node) string {
	return string(w.source[w.offset(n.Pos()):w.offset(n.End())])
}

// around puts n between two texts; of two calls the second is outside.
func (w *weaver) around(n ast.Node, before, after string) {
	if _, ok := w.closing[n]; !ok {
		w.opening[n] = len(w.inserts)
	}
	w.inserts = slices.Insert(w.inserts, w.opening[n],
		insertion{w.offset(n.Pos()), before})
	w.closing[n] += after
}

func (w *weaver) number(p token.Pos, what string) int {
	pos := w.fset.Position(p)
	pos.Filename = w.name
	w.mutants = append(w.mutants, mutant{len(w.mutants) + 1, pos, what})
	return len(w.mutants)
}

// choice replaces an expression that is true or false.
func (w *weaver) choice(n ast.Expr, at token.Pos, what, instead string) {
	i := w.number(at, what)
	w.around(n, fmt.Sprintf("(activeMutant != %d && (", i),
		fmt.Sprintf(") || activeMutant == %d && (%s))", i, instead))
}

func (w *weaver) binary(n *ast.BinaryExpr) {
	if t := w.info.Types[n]; t.Value != nil || t.IsType() {
		return // a constant, or a constraint
	}
	swap := func(to token.Token) (what, instead string) {
		return fmt.Sprintf("%v for %v", to, n.Op),
			fmt.Sprintf("%s %v %s", w.text(n.X), to, w.text(n.Y))
	}
	for _, to := range compared[n.Op] {
		what, instead := swap(to)
		w.choice(n, n.OpPos, what, instead)
	}
	if to, ok := joined[n.Op]; ok {
		what, instead := swap(to)
		w.choice(n, n.OpPos, what, instead)
	}
	if to, ok := computed[n.Op]; ok && !isString(w.info.TypeOf(n)) {
		what, instead := swap(to)
		w.compute(n, what, instead)
	}
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// compute is a function called on the spot, since Go has no conditional
// expression and both sides must not be evaluated.
func (w *weaver) compute(n *ast.BinaryExpr, what, instead string) {
	i := w.number(n.OpPos, what)
	of := types.TypeString(w.info.TypeOf(n), func(p *types.Package) string {
		if p == w.pkg {
			return ""
		}
		return p.Name()
	})
	w.around(n, fmt.Sprintf("(func() %s { if activeMutant == %d { return %s }; return ",
		of, i, instead), "}())")
}

// condition negates what stands alone as a condition.
func (w *weaver) condition(n ast.Expr) {
	var cond ast.Expr
	switch p := w.parent().(type) {
	case *ast.IfStmt:
		cond = p.Cond
	case *ast.ForStmt:
		cond = p.Cond
	}
	if cond == n {
		w.choice(n, n.Pos(), "condition negated", "!("+w.text(n)+")")
	}
}

// statement leaves n out, if that is possible where it stands.
func (w *weaver) statement(n ast.Stmt) {
	if !w.inList(n) {
		return
	}
	switch s := n.(type) {
	case *ast.IncDecStmt:
		w.replace(n, s.TokPos, s.Tok, w.text(s.X)+assigned[s.Tok].String())
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			return
		}
		if to, ok := assigned[s.Tok]; ok && !isString(w.info.TypeOf(s.Lhs[0])) {
			w.replace(n, s.TokPos, s.Tok, fmt.Sprintf("%s %v %s",
				w.text(s.Lhs[0]), to, w.text(s.Rhs[0])))
		}
	case *ast.ExprStmt:
		if w.isLastPanic(s) {
			return
		}
	case *ast.BranchStmt:
		if s.Tok == token.FALLTHROUGH {
			return
		}
	case *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
	default:
		return
	}
	i := w.number(n.Pos(), "left out: "+firstLine(w.text(n)))
	w.around(n, fmt.Sprintf("if activeMutant != %d { ", i), " }")
}

// replace has another statement in the place of n.
func (w *weaver) replace(n ast.Stmt, at token.Pos, from token.Token, instead string) {
	i := w.number(at, fmt.Sprintf("%v for %v", assigned[from], from))
	w.around(n, fmt.Sprintf("if activeMutant == %d { %s } else { ", i, instead), " }")
}

// inList reports whether n is one of the statements of a block, and not a part
// of an if or a for.
func (w *weaver) inList(n ast.Stmt) bool {
	switch p := w.parent().(type) {
	case *ast.BlockStmt:
		return true
	case *ast.CaseClause:
		return true
	case *ast.CommClause:
		return p.Comm != n
	}
	return false
}

// isLastPanic reports whether a function would lack its return without s.
func (w *weaver) isLastPanic(s *ast.ExprStmt) bool {
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := call.Fun.(*ast.Ident)
	block, inBlock := w.parent().(*ast.BlockStmt)
	if !ok || name.Name != "panic" || !inBlock || block.List[len(block.List)-1] != s {
		return false
	}
	_, inFunc := w.stack[len(w.stack)-2].(*ast.FuncDecl)
	return inFunc
}

func firstLine(s string) string {
	line, _, more := strings.Cut(s, "\n")
	if more {
		line += " …"
	}
	return line
}

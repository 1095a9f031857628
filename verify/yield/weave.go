// Package yield runs the tests of a package whose sources yield the processor
// at random around every lock, so that goroutines meet where they hardly ever
// do otherwise. It found five faults in the Supervisor that no other test did.
package yield

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// here is the name of the function that yields.
const here = "yieldHere"

// yieldFile is the file with it, for a package of that name. One call in four
// yields, and up to three times, which lets several others run.
func yieldFile(pkg string) []byte {
	return fmt.Appendf(nil, `package %s

import (
	"math/rand/v2"
	"runtime"
)

func %s() {
	if n := rand.Uint32(); n%%4 == 0 {
		for range n / 4 %% 4 {
			runtime.Gosched()
		}
	}
}
`, pkg, here)
}

type insertion struct {
	offset int
	text   string
}

// weave returns source with a yield before and after each statement that locks
// or unlocks, and how many these are. It only inserts, so that lines keep their
// numbers.
func weave(name string, source []byte) (woven []byte, locks int, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, 0, err
	}
	var inserts []insertion
	insert := func(at token.Pos, text string) {
		inserts = append(inserts, insertion{fset.Position(at).Offset, text})
	}
	ast.Inspect(file, func(n ast.Node) bool {
		for _, s := range statements(n) {
			switch s := s.(type) {
			case *ast.ExprStmt:
				if isLock(s.X) {
					insert(s.Pos(), here+"(); ")
					insert(s.End(), "; "+here+"()")
					locks++
				}
			case *ast.DeferStmt: // run in the reverse order
				if isLock(s.Call) {
					insert(s.Pos(), "defer "+here+"(); ")
					insert(s.End(), "; defer "+here+"()")
					locks++
				}
			}
		}
		return true
	})
	slices.SortStableFunc(inserts, func(a, b insertion) int {
		return a.offset - b.offset
	})
	var out bytes.Buffer
	at := 0
	for _, in := range inserts {
		out.Write(source[at:in.offset])
		out.WriteString(in.text)
		at = in.offset
	}
	out.Write(source[at:])
	return out.Bytes(), locks, nil
}

// statements returns the statements of n that stand in a list.
func statements(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// isLock reports whether x calls a method that locks, unlocks or stores.
func isLock(x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch strings.ToLower(sel.Sel.Name) {
	case "lock", "unlock", "rlock", "runlock", "store":
		return true
	}
	return false
}

package doctor

import (
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// costly are dumps that would make a search of everything for everything take
// hours: each is some megabytes of text.
var costly = map[string]func(n int) []*Snapshot{
	"senders of one type": func(n int) []*Snapshot {
		p := &Snapshot{}
		for i := range n {
			p.Add(&Stack{State: "chan send", Count: 2, Frames: []Frame{{
				Func: fmt.Sprintf("app.(*T).f%d", i), File: "/a.go", Line: i}}})
		}
		return []*Snapshot{p}
	},
	"lockers of one type": func(n int) []*Snapshot {
		p := &Snapshot{}
		for i := range n {
			p.Add(standing(2, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
				fmt.Sprintf("app.(*T).f%d", i)))
		}
		return []*Snapshot{p}
	},
	"lockers in the library": func(n int) []*Snapshot {
		p := &Snapshot{Extract: true}
		for i := range n {
			p.Add(standing(2, "sync.Mutex.Lock", "sync.(*Mutex).Lock",
				fmt.Sprintf("net/http.(*T).f%d", i), fmt.Sprintf("app.f%d", i)))
		}
		return []*Snapshot{p}
	},
	"senders and vanished workers": func(n int) []*Snapshot {
		then, now := &Snapshot{}, &Snapshot{}
		for i := range n {
			then.Add(standing(1, "select", fmt.Sprintf("app.w%d", i)))
			now.Add(standing(2, "chan send", fmt.Sprintf("app.s%d", i)))
		}
		return []*Snapshot{then, now}
	},
	"many snapshots": func(n int) []*Snapshot {
		all := make([]*Snapshot, n)
		for i := range all {
			all[i] = process(standing(1+i%7, "select", "app.f"))
		}
		for i := range n {
			all[n-1].Add(standing(2, "chan send", fmt.Sprintf("app.s%d", i)))
		}
		return all
	},
	"waits that rise": func(n int) []*Snapshot {
		p := &Snapshot{}
		for i := range n {
			s := standing(1+i, "select", "app.f", fmt.Sprintf("app.g%d", i))
			s.Frames[0].Line = 1
			p.Add(s)
		}
		return []*Snapshot{p}
	},
}

// The work is linear in the input: eight times the input is not thirty times
// the comparisons. What was not compared is said.
func TestJudgingIsLinear(t *testing.T) {
	for name, make := range costly {
		t.Run(name, func(t *testing.T) {
			small, large := make(1000), make(8000)
			few, many := spent(small), spent(large)
			assert.LessOrEqual(t, many, 8*few+2*effortOf(large[len(large)-1]),
				"%d and %d comparisons", few, many)
			r := Diagnose(Rules{}, large...)
			size := 0
			for _, f := range r.Findings {
				assert.LessOrEqual(t, len(f.Evidence), 2*maxEvidence)
				size += len(f.Sentence) + len(strings.Join(f.Evidence, ""))
			}
			assert.Less(t, size, 8000*1200, "a report within some times its input")
		})
	}
}

// spent returns how many comparisons judging has cost.
func spent(all []*Snapshot) int {
	rules := Rules{}.withDefaults()
	var sc *scene
	for _, p := range all[max(0, len(all)-maxSeries):] {
		next := newScene(rules, p)
		if sc != nil {
			next.past = append(sc.past, sc)
		}
		sc = next
	}
	before := sc.effort
	sc.judge()
	return before - sc.effort + maxGraph - sc.graph.effort
}

func TestLongSeriesIsCut(t *testing.T) {
	var all []*Snapshot
	for i := range 50 {
		all = append(all, process(standing(1+i, "select", "app.f")))
	}
	r := Diagnose(Rules{}, all...)
	assert.Equal(t, []string{"18 snapshots between the first and the last 31 were " +
		"not compared"}, r.Notes)
	assert.Equal(t, 50, r.Goroutines)
	require.NotEmpty(t, r.Changes)
	assert.Equal(t, 1, r.Changes[0].Then, "the first is kept")
}

// A dump that is given twice says nothing the second time.
func TestTheSameDumpTwice(t *testing.T) {
	dump := func() *Snapshot {
		return process(born(standing(1, "chan send", "app.f"), 7))
	}
	once, twice := Diagnose(Rules{}, dump()), Diagnose(Rules{}, dump(), dump())
	assert.Equal(t, once.Findings, twice.Findings)
	require.Len(t, twice.Notes, 1)
	assert.Contains(t, twice.Notes[0], "has the same dump again, 1 time,")
	many := Diagnose(Rules{}, dump(), dump(), dump(), dump())
	require.Len(t, many.Notes, 1, "one line, however often")
	assert.Contains(t, many.Notes[0], "again, 3 times,")
	named := dump()
	named.Target = "copy"
	assert.Contains(t, Diagnose(Rules{}, dump(), named).Notes[0],
		" and copy are the same dump")
	other := dump()
	waited(other.Stacks[0], 3)
	assert.Empty(t, Diagnose(Rules{}, dump(), other).Notes)
}

// pairs is a dump of n objects, each with a goroutine in a method of it and one
// that was started with it.
func pairs(n int, call, loop string, types int) []*Snapshot {
	var b strings.Builder
	for i := range n {
		at := fmt.Sprintf("app.(*T%d)", i%types)
		for j, state := range []string{call, loop} {
			method := []string{"Close", "loop"}[j]
			fmt.Fprintf(&b, "goroutine %d [%s, 9 minutes]:\n", 10+2*i+j, state)
			if state == "sync.WaitGroup.Wait" {
				fmt.Fprintf(&b, "sync.(*WaitGroup).Wait(0xc0001%05x)\n\t/wg.go:1\n", i)
			}
			fmt.Fprintf(&b, "%s.%s(0xc0000%05x)\n\t/a.go:%d\n"+
				"app.f%d(0x1)\n\t/f.go:1\n"+
				"created by %s.Start in goroutine %d\n\t/a.go:1\n\n",
				at, method, i*16, 2*i+j+1, i, at, 9_000_000+i)
		}
	}
	all, err := Parse(strings.NewReader(b.String()), "x")
	if err != nil {
		panic(err)
	}
	return all
}

// Where each goroutine has another one that it is asked for by an object or a
// type, the work is that of finding these, not of trying all.
func TestCounterpartsAreFoundNotTried(t *testing.T) {
	for _, c := range []struct{ call, loop string }{
		{"sync.WaitGroup.Wait", "IO wait"}, {"sync.WaitGroup.Wait", "chan send"},
		{"chan receive", "IO wait"}, {"chan receive", "sync.Mutex.Lock"},
		{"chan receive", "syscall"}, {"sync.WaitGroup.Wait", "select"},
	} {
		few := spent(pairs(250, c.call, c.loop, 2000))
		many := spent(pairs(2000, c.call, c.loop, 2000))
		assert.LessOrEqual(t, many, 9*few, "%v: %d and %d comparisons", c, few, many)
	}
}

// bounded are the functions that look at all sites for one site within another
// bound than the effort: extracts of less than a thousand goroutines, and the one
// sender that is alone at work.
var bounded = map[string]bool{"chosenWith": true, "abandoned": true}

// A rule about one site looks at all sites only if the look counts as effort, or
// if the result is kept for the next site: to compare each with each is not
// linear.
func TestRulesDoNotCompareEachWithEach(t *testing.T) {
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := 0
	for _, name := range names {
		f, err := goparser.ParseFile(files, name, nil, 0)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || strings.HasSuffix(name, "_test.go") || !aboutOne(fn) {
				continue
			}
			seen++
			for _, loop := range uncounted(fn) {
				assert.True(t, bounded[fn.Name.Name], "%s: %s looks at everything",
					files.Position(loop.Pos()), fn.Name.Name)
			}
		}
	}
	assert.Greater(t, seen, 100)
}

// aboutOne reports whether a function is given a site, a stack or a goroutine, or
// asked for by ones that are.
func aboutOne(fn *ast.FuncDecl) bool {
	for _, p := range fn.Type.Params.List {
		switch typ := p.Type.(type) {
		case *ast.StarExpr:
			id, ok := typ.X.(*ast.Ident)
			if ok && (id.Name == "site" || id.Name == "Stack" || id.Name == "node") {
				return true
			}
		case *ast.Ident:
			if typ.Name == "ref" || typ.Name == "stdLock" {
				return true
			}
		}
	}
	return fn.Name.Name == "hidden" || fn.Name.Name == "copier"
}

// uncounted returns the loops of a function over all sites or stacks that neither
// count their effort nor run once.
func uncounted(fn *ast.FuncDecl) (loops []ast.Node) {
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			if c, ok := n.Cond.(*ast.BinaryExpr); ok && c.Op == token.EQL &&
				isName(c.Y, "nil") {
				return false
			}
		case *ast.RangeStmt:
			if everything(n.X) && !counts(n.Body) {
				loops = append(loops, n)
			}
		case *ast.CallExpr:
			s, ok := n.Fun.(*ast.SelectorExpr)
			if ok && s.Sel.Name == "two" || len(n.Args) == 2 &&
				everything(n.Args[0]) && !counts(n.Args[1]) {
				loops = append(loops, n)
			}
		}
		return true
	})
	return loops
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// everything reports whether e is all sites or stacks of a scene.
func everything(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "sites" && s.Sel.Name != "Stacks" {
		return false
	}
	of, ok := s.X.(*ast.SelectorExpr)
	return isName(s.X, "sc") || ok && (of.Sel.Name == "sc" || of.Sel.Name == "now")
}

func counts(body ast.Node) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		found = found || ok && (s.Sel.Name == "spend" || s.Sel.Name == "afford" ||
			s.Sel.Name == "effort")
		return !found
	})
	return found
}

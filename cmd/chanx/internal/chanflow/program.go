// Package chanflow follows the channels of a program through its source: it
// finds the operations that may be on the same channel.
//
// It follows a channel from its make through fields, variables, parameters and
// results by merging all values that are assigned to each other into one
// class, in the manner of Steensgaard: fast, without an entry point, and wrong
// only by taking two channels for one. That errs toward a receiver too many, so
// the answer that there is none can be relied on, unless the channel reaches
// code that is not read; then there is no answer.
//
// [Load] reads a whole program, for the question of chanx doctor: which
// functions receive where this one is blocked. [New] returns an
// analysis.Analyzer that reads one package and knows the others from facts, for
// chanx vet. Both use the same classes.
//
// A pointer analysis per allocation would be more exact. It was rejected: it
// needs a whole program with its main, and a field is the unit that people mean
// by "the channel of the log writer".
package chanflow

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph"
	"golang.org/x/tools/go/callgraph/cha"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// Program is the source of a program, with the flow of its channels.
type Program struct {
	ssa   *ssa.Program
	calls *callgraph.Graph
	flow  *Flow

	// Ill has the packages that could not be used, each with the reason.
	Ill []string
}

// Load reads the packages below dir and the others named, such as the package
// of a blocked call in a dependency; one that cannot be found is in Ill. The
// error reports that there is nothing to analyze.
//
// Nothing in dir is run, so it may be a tree that is not trusted: cgo, whose
// flags go to the C compiler, is off; the toolchain that go.mod names is not
// fetched; version control, whose configuration names programs, is not asked.
// Modules that are not on this machine are downloaded as the go command does.
func Load(dir string, besides []string) (*Program, error) {
	cfg := &packages.Config{Mode: packages.LoadSyntax, Dir: dir,
		BuildFlags: []string{"-buildvcs=false"},
		Env:        append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local")}
	all, err := packages.Load(cfg, append([]string{"./..."}, besides...)...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	p := &Program{}
	var well []*packages.Package
	for _, pkg := range all {
		switch {
		case len(pkg.Errors) > 0:
			p.Ill = append(p.Ill, fmt.Sprintf("%s: %v", pkg.PkgPath, pkg.Errors[0]))
		case !pkg.IllTyped && len(pkg.Syntax) > 0:
			well = append(well, pkg)
		}
	}
	if len(well) == 0 {
		return nil, errors.New(dir + ": no Go package that compiles: " +
			strings.Join(append(p.Ill, "is there a go.mod?"), "; "))
	}
	p.build(well)
	return p, nil
}

func (p *Program) build(pkgs []*packages.Package) {
	prog, _ := ssautil.Packages(pkgs, ssa.InstantiateGenerics)
	prog.Build()
	p.ssa = prog
	p.calls = cha.CallGraph(prog)
	p.flow = newFlow(whole{p.calls}, slices.Collect(maps.Keys(
		ssautil.AllFunctions(prog))))
}

// Site is a place in the source, as a stack names it: the path is the one on
// the machine that built the program.
type Site struct {
	Package string // import path, or main
	File    string
	Line    int
	Send    bool // the operation that blocks there
}

// Function is a function of the program.
type Function struct {
	Symbol      string // as the linker names it, unless it is inlined
	Package     string
	File        string
	First, Last int // its lines

	fn *ssa.Function
}

// Others returns the functions that do the opposite of what s does on the
// same channel: those that receive where s sends, and those that send or close
// where s receives. It reports false if the answer is not known: no such
// operation is at s, or the channel also reaches code that is not read, and no
// function is found. Otherwise an empty answer is an answer too.
func (p *Program) Others(s Site) (functions []Function, ok bool) {
	at := p.at(s)
	known := len(at) > 0
	seen := make(map[*ssa.Function]bool)
	for _, blocked := range at {
		c := p.flow.class(blocked.Chan)
		known = known && !(s.Send && c.RecvOut()) && !(!s.Send && c.SendOut())
		for _, o := range c.Ops {
			if (o.Kind == Recv) == s.Send && !seen[o.Fn] {
				seen[o.Fn] = true
				functions = append(functions, p.function(o.Fn))
			}
		}
	}
	slices.SortFunc(functions, func(a, b Function) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.First, b.First))
	})
	return functions, known || len(functions) > 0
}

// at returns the operations at s. Of several packages main with the same file
// name, the one counts whose path ends most like that of s.
func (p *Program) at(s Site) []*Op {
	var found []*Op
	best := 0
	for _, o := range p.flow.ops {
		pos := p.ssa.Fset.Position(o.Pos)
		if o.Kind == Close || (o.Kind == Send) != s.Send || !o.Bare() ||
			pos.Line != s.Line || packageOf(o.Fn) != s.Package {
			continue
		}
		n := common(pos.Filename, s.File)
		if n > best {
			best, found = n, nil
		}
		if n == best && n > 0 {
			found = append(found, o)
		}
	}
	return found
}

// common is the number of elements that two paths end in alike.
func common(a, b string) int {
	a, b = filepath.ToSlash(a), strings.ReplaceAll(b, `\`, "/")
	n := 0
	for a != "" && b != "" && path.Base(a) == path.Base(b) {
		n++
		a = strings.TrimSuffix(path.Dir(a), "/")
		b = strings.TrimSuffix(path.Dir(b), "/")
		if a == "." || b == "." {
			break
		}
	}
	return n
}

// Callers returns the functions that call f directly or through others, but
// for those that start it as a goroutine: they have f on their stack when it
// runs, and are the place to look at when it does not run now. Calls through
// interfaces and function values are left out; they would make every function a
// caller of every other.
func (p *Program) Callers(f Function) []Function {
	var callers []Function
	seen := map[*ssa.Function]bool{f.fn: true}
	for queue := []*ssa.Function{f.fn}; len(queue) > 0; queue = queue[1:] {
		node := p.calls.Nodes[queue[0]]
		if node == nil {
			continue
		}
		for _, in := range node.In {
			if _, started := in.Site.(*ssa.Go); started || in.Site == nil ||
				in.Site.Common().StaticCallee() == nil || seen[in.Caller.Func] {
				continue
			}
			seen[in.Caller.Func] = true
			callers = append(callers, p.function(in.Caller.Func))
			queue = append(queue, in.Caller.Func)
		}
	}
	return callers
}

// Inside reports whether a stack's call at file and line is in f itself, not
// in a closure within it.
func (p *Program) Inside(f Function, pkg, file string, line int) bool {
	if pkg != f.Package || line < f.First || line > f.Last ||
		common(f.File, file) == 0 {
		return false
	}
	for _, inner := range f.fn.AnonFuncs {
		g := p.function(inner)
		if g.Last > g.First && line >= g.First && line <= g.Last {
			return false
		}
	}
	return true
}

func (p *Program) function(fn *ssa.Function) Function {
	f := Function{Symbol: symbol(fn), Package: packageOf(fn), fn: fn}
	if syntax := fn.Syntax(); syntax != nil {
		first := p.ssa.Fset.Position(syntax.Pos())
		f.File, f.First = first.Filename, first.Line
		f.Last = p.ssa.Fset.Position(syntax.End()).Line
	}
	return f
}

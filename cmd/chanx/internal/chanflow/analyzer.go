package chanflow

import (
	"reflect"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/ssa"
)

// Package is the flow of the channels of one package.
type Package struct {
	*Flow
	*single
}

// New returns the analyzer whose result is the [Package] of each package. The
// module, which may be nil, tells it who uses the exported names.
func New(m *Module) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:       "chanflow",
		Doc:        "follow the channels of a package through its source",
		Requires:   []*analysis.Analyzer{buildssa.Analyzer},
		FactTypes:  []analysis.Fact{new(funcFact), new(varFact)},
		ResultType: reflect.TypeFor[*Package](),
		Run: func(pass *analysis.Pass) (any, error) {
			return newPackage(pass, m), nil
		},
	}
}

func newPackage(pass *analysis.Pass, m *Module) *Package {
	built := pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA)
	var fns []*ssa.Function
	seen := make(map[*ssa.Function]bool)
	var add func(fn *ssa.Function)
	add = func(fn *ssa.Function) {
		if fn == nil || seen[fn] || len(fn.Blocks) == 0 {
			return
		}
		seen[fn] = true
		fns = append(fns, fn)
		for _, inner := range fn.AnonFuncs {
			add(inner)
		}
	}
	for _, fn := range built.SrcFuncs {
		add(fn)
	}
	add(built.Pkg.Func("init"))
	s := newSingle(pass, m, fns)
	p := &Package{newFlow(s, fns), s}
	p.exportFacts()
	return p
}

// Calls returns the calls of fn in the package, go and defer statements among
// them.
func (p *Package) Calls(fn *ssa.Function) []ssa.CallInstruction {
	return p.single.calls[fn]
}

package vet

import (
	"reflect"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// model is a package as the checks see it.
type model struct {
	*chanflow.Package
	pass    *analysis.Pass
	started map[*ssa.Function]ssa.CallInstruction
	ignored ignores
}

// newModelAnalyzer returns the analyzer that all checks share.
func newModelAnalyzer(flow *analysis.Analyzer) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:       "chanmodel",
		Doc:        "find goroutines and their loops for the checks of chanx vet",
		Requires:   []*analysis.Analyzer{flow},
		ResultType: reflect.TypeFor[*model](),
		Run: func(pass *analysis.Pass) (any, error) {
			m := &model{Package: pass.ResultOf[flow].(*chanflow.Package),
				pass: pass, started: make(map[*ssa.Function]ssa.CallInstruction),
				ignored: findIgnores(pass)}
			m.findStarted()
			return m, nil
		},
	}
}

// operations returns the operations of a kind on c in the package.
func operations(c *chanflow.Class, k chanflow.Kind) []*chanflow.Op {
	var all []*chanflow.Op
	for _, o := range c.Ops {
		if o.Kind == k {
			all = append(all, o)
		}
	}
	return all
}

// remote reports whether other packages do an operation of a kind on c.
func remote(c *chanflow.Class, k chanflow.Kind) bool {
	for _, o := range c.Remote {
		if o.Kind == k {
			return true
		}
	}
	return false
}

// makeBlocks returns the blocks of fn that make a channel of c.
func makeBlocks(c *chanflow.Class, fn *ssa.Function) map[*ssa.BasicBlock]bool {
	blocks := make(map[*ssa.BasicBlock]bool)
	for _, m := range c.Makes {
		if m.Parent() == fn {
			blocks[m.Block()] = true
		}
	}
	return blocks
}

// loops returns the loops of fn in which the channels of c stay the same.
func (m *model) loops(c *chanflow.Class, fn *ssa.Function) *loops {
	return findLoops(fn, makeBlocks(c, fn))
}

// made reports whether a make of the channel is known.
func made(c *chanflow.Class) bool { return len(c.Makes) > 0 || c.RemoteMade }

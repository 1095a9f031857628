package chanflow

import (
	"go/types"

	"golang.org/x/tools/go/callgraph"
	"golang.org/x/tools/go/ssa"
)

// whole is the world of a program whose packages are all read: class hierarchy
// analysis resolves calls through interfaces and function values.
type whole struct{ calls *callgraph.Graph }

func (w whole) callees(call ssa.CallInstruction) ([]*ssa.Function, bool) {
	var fns []*ssa.Function
	all := true
	if node := w.calls.Nodes[call.Parent()]; node != nil {
		for _, out := range node.Out {
			if out.Site != call {
				continue
			}
			fns = append(fns, out.Callee.Func)
			all = all && len(out.Callee.Func.Blocks) > 0
		}
	}
	return fns, all && len(fns) > 0
}

// called reports whether fn has callers that are not read: it is called by
// none that is.
func (w whole) called(fn *ssa.Function) bool {
	if node := w.calls.Nodes[fn]; node != nil {
		for _, in := range node.In {
			if in.Site != nil {
				return false
			}
		}
	}
	return fn.Parent() == nil
}

func (whole) visible(types.Object, types.Type) bool { return false }

func (whole) importedCall(*Flow, ssa.CallInstruction) bool { return false }

func (whole) importedVar(*Flow, *Class, types.Object) bool { return false }

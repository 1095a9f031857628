package chanflow

import (
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// single is the world of one package: calls are static, or through interfaces
// to the methods of the package with the same name and number of parameters.
// Other packages are known from their facts.
type single struct {
	pass   *analysis.Pass
	module *Module

	calls   map[*ssa.Function][]ssa.CallInstruction
	taken   map[*ssa.Function]bool // used as values
	methods map[string][]*ssa.Function
	invoked map[string]bool
	applied map[ssa.CallInstruction]bool // calls whose facts are applied
}

func newSingle(pass *analysis.Pass, m *Module, fns []*ssa.Function) *single {
	s := &single{pass: pass, module: m,
		calls:   make(map[*ssa.Function][]ssa.CallInstruction),
		taken:   make(map[*ssa.Function]bool),
		methods: make(map[string][]*ssa.Function),
		invoked: make(map[string]bool),
		applied: make(map[ssa.CallInstruction]bool)}
	for _, fn := range fns {
		if fn.Signature.Recv() != nil {
			s.methods[fn.Name()] = append(s.methods[fn.Name()], fn)
		}
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				s.uses(instr)
			}
		}
	}
	return s
}

// uses notes the functions that an instruction calls or takes as values.
func (s *single) uses(instr ssa.Instruction) {
	var called ssa.Value
	if c, ok := instr.(ssa.CallInstruction); ok {
		if c.Common().IsInvoke() {
			s.invoked[c.Common().Method.Name()] = true
		} else if fn := Callee(c); fn != nil {
			s.calls[fn] = append(s.calls[fn], c)
			called = c.Common().Value
		}
	}
	if closure, ok := instr.(*ssa.MakeClosure); ok {
		s.closure(closure)
		return
	}
	var buf [8]*ssa.Value
	for _, v := range instr.Operands(buf[:0]) {
		if fn, ok := (*v).(*ssa.Function); ok && *v != called {
			s.taken[generic(fn)] = true
		}
	}
}

func (s *single) closure(c *ssa.MakeClosure) {
	fn := c.Fn.(*ssa.Function)
	for _, r := range *c.Referrers() {
		call, ok := r.(ssa.CallInstruction)
		if _, debug := r.(*ssa.DebugRef); !debug && (!ok || call.Common().Value != c) {
			s.taken[fn] = true
		}
	}
}

// Callee returns the function that a call names, as its source is: for an
// instance of a generic function, the generic one. It returns nil for a call
// through an interface or a function value.
func Callee(call ssa.CallInstruction) *ssa.Function {
	return generic(call.Common().StaticCallee())
}

func generic(fn *ssa.Function) *ssa.Function {
	if fn != nil && fn.Origin() != nil {
		return fn.Origin()
	}
	return fn
}

// Local reports whether fn is a function of the package.
func (s *single) Local(fn *ssa.Function) bool {
	if fn == nil || len(fn.Blocks) == 0 {
		return false
	}
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	return fn.Pkg != nil && fn.Pkg.Pkg == s.pass.Pkg
}

func (s *single) callees(call ssa.CallInstruction) ([]*ssa.Function, bool) {
	common := call.Common()
	if !common.IsInvoke() {
		if fn := Callee(call); s.Local(fn) {
			return []*ssa.Function{fn}, true
		}
		return nil, false
	}
	var fns []*ssa.Function
	for _, m := range s.methods[common.Method.Name()] {
		if m.Signature.Params().Len() == len(common.Args) &&
			m.Signature.Results().Len() == common.Signature().Results().Len() {
			fns = append(fns, m)
		}
	}
	return fns, len(fns) > 0 && s.implemented(common)
}

// implemented reports whether only types of the package can implement the
// interface that a method is called on.
func (s *single) implemented(call *ssa.CallCommon) bool {
	if call.Method.Pkg() != s.pass.Pkg {
		return false
	}
	named, ok := types.Unalias(call.Value.Type()).(*types.Named)
	return !call.Method.Exported() || s.pass.Pkg.Name() == "main" ||
		ok && !named.Obj().Exported()
}

// called reports whether fn has callers that are not read: it is exported, used
// as a value, or called by none that is.
func (s *single) called(fn *ssa.Function) bool {
	if s.taken[fn] || fn.Object() != nil && s.exported(fn.Object()) {
		return true
	}
	return len(s.calls[fn]) == 0 && fn.Parent() == nil &&
		!(fn.Signature.Recv() != nil && s.invoked[fn.Name()])
}

// exported reports whether other packages can use a name of this one. Those of
// a command cannot.
func (s *single) exported(o types.Object) bool {
	return o.Exported() && s.pass.Pkg.Name() != "main" && s.module.outside(o)
}

func (s *single) visible(v types.Object, of types.Type) bool {
	if v.Pkg() != s.pass.Pkg {
		return true
	}
	if of != nil {
		named, ok := types.Unalias(of).(*types.Named)
		if ok && !named.Obj().Exported() {
			return false
		}
	}
	return s.exported(v)
}

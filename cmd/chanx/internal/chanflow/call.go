package chanflow

import (
	"golang.org/x/tools/go/ssa"
)

// call follows the arguments and the result of a call.
func (f *Flow) call(fn *ssa.Function, call ssa.CallInstruction) {
	if b, ok := call.Common().Value.(*ssa.Builtin); ok {
		f.builtin(fn, call, b.Name())
		return
	}
	if f.importedCall(f, call) {
		return
	}
	callees, all := f.callees(call)
	for _, callee := range callees {
		f.arguments(call, callee)
	}
	if v := call.Value(); v != nil && carries(v.Type()) {
		f.returned(v, call, 0)
	}
	for _, arg := range call.Common().Args {
		switch {
		case all:
		case notifies(call) && carries(arg.Type()):
			f.class(arg).wild.Send = true
		default:
			f.leave(arg)
		}
	}
}

func (f *Flow) builtin(fn *ssa.Function, call ssa.CallInstruction, name string) {
	args := call.Common().Args
	switch name {
	case "close":
		f.note(&Op{Kind: Close, Fn: fn, Instr: call, Chan: args[0]})
	case "append", "copy":
		f.same(args[0], args[1])
		if v := call.Value(); v != nil {
			f.same(v, args[0])
		}
	}
}

// arguments joins the arguments of a call with the parameters of a callee.
func (f *Flow) arguments(call ssa.CallInstruction, callee *ssa.Function) {
	params := callee.Params
	if call.Common().IsInvoke() && len(params) > 0 {
		params = params[1:]
	}
	for i, arg := range call.Common().Args {
		if i < len(params) {
			f.same(arg, params[i])
		} else { // a function without source has no parameters
			f.leave(arg)
		}
	}
}

// returned joins v with the i-th result of the callees of a call.
func (f *Flow) returned(v ssa.Value, call ssa.CallInstruction, i int) {
	if f.importedCall(f, call) {
		return
	}
	callees, all := f.callees(call)
	for _, callee := range callees {
		union(f.class(v), f.class(result{callee, i}))
	}
	if !all {
		f.enter(v)
	}
}

// notifies reports whether the callee only sends to its arguments. Every
// program has such a channel, so an unknown callee would be a loss here.
func notifies(call ssa.CallInstruction) bool {
	callee := call.Common().StaticCallee()
	return callee != nil && callee.Pkg != nil &&
		callee.Pkg.Pkg.Path() == "os/signal"
}

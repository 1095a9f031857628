package vet

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// goStatements returns the go statements that start fn directly.
func (m *model) goStatements(fn *ssa.Function) []*ssa.Go {
	var all []*ssa.Go
	for _, c := range m.Calls(fn) {
		if g, ok := c.(*ssa.Go); ok {
			all = append(all, g)
		}
	}
	return all
}

// goroutine reports whether fn runs as a goroutine, or is called by one that
// does, within some calls.
func (m *model) goroutine(fn *ssa.Function, depth int) bool {
	if len(m.goStatements(fn)) > 0 || m.started[fn] != nil {
		return true
	}
	return depth > 0 && m.calledBy(fn, func(caller *ssa.Function) bool {
		return m.goroutine(caller, depth-1)
	})
}

// startless reports whether the package has no start of fn: it may be run by
// other packages, as a goroutine or not.
func (m *model) startless(fn *ssa.Function, depth int) bool {
	if len(m.Calls(fn)) == 0 && fn.Parent() == nil {
		return fn.Name() != "main" && fn.Name() != "init"
	}
	return depth > 0 && m.calledBy(fn, func(caller *ssa.Function) bool {
		return m.startless(caller, depth-1)
	})
}

// calledBy reports whether an ordinary call of fn is in a function with a
// property.
func (m *model) calledBy(fn *ssa.Function, has func(*ssa.Function) bool) bool {
	for _, c := range m.callsOf(fn) {
		if has(c.Parent()) {
			return true
		}
	}
	return false
}

// callsOf returns the ordinary calls of fn from other functions.
func (m *model) callsOf(fn *ssa.Function) []*ssa.Call {
	var all []*ssa.Call
	for _, c := range m.Calls(fn) {
		if call, ok := c.(*ssa.Call); ok && call.Parent() != fn {
			all = append(all, call)
		}
	}
	return all
}

// target returns the function that a function value is, if it is known.
func target(v ssa.Value) *ssa.Function {
	if c, ok := v.(*ssa.ChangeType); ok {
		v = c.X
	}
	var fn *ssa.Function
	switch x := v.(type) {
	case *ssa.MakeClosure:
		fn = x.Fn.(*ssa.Function)
	case *ssa.Function:
		fn = x
	}
	if fn != nil && strings.HasPrefix(fn.Synthetic, "bound") {
		if o, ok := fn.Object().(*types.Func); ok {
			if method := fn.Prog.FuncValue(o); method != nil {
				return method
			}
		}
	}
	return fn
}

// findStarted notes the functions that are passed as values to something that
// runs them as goroutines: an errgroup, sync.WaitGroup.Go, a helper here.
func (m *model) findStarted() {
	runners := make(map[*ssa.Function]map[int]bool)
	for _, fn := range m.Funcs {
		if r := m.runsParameter(fn); r != nil {
			runners[fn] = r
		}
	}
	for _, fn := range m.Funcs {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				if c, ok := instr.(ssa.CallInstruction); ok {
					m.starts(c, runners)
				}
			}
		}
	}
}

func (m *model) starts(c ssa.CallInstruction, runners map[*ssa.Function]map[int]bool) {
	_, isGo := c.(*ssa.Go)
	callee := c.Common().StaticCallee()
	for i, arg := range c.Common().Args {
		fn := target(arg)
		if fn != nil && (isGo || runsLikeGo(calleeName(c)) || runners[callee][i]) {
			m.started[fn] = c
		}
	}
	if isGo && callee != nil && strings.HasPrefix(callee.Synthetic, "bound") {
		if fn := target(c.Common().Value); fn != nil {
			m.started[fn] = c
		}
	}
}

// calleeName returns the name of the function or method that is called, or "".
func calleeName(c ssa.CallInstruction) string {
	if c.Common().IsInvoke() {
		return c.Common().Method.Name()
	}
	if fn := c.Common().StaticCallee(); fn != nil {
		return fn.Name()
	}
	return ""
}

// runsLikeGo reports whether functions of that name run their argument as a
// goroutine, by the conventions of errgroup and its like.
func runsLikeGo(name string) bool {
	switch name {
	case "Go", "TryGo", "GoFunc", "Spawn", "AfterFunc", "GoCtx", "GoAttach":
		return true
	}
	return strings.Contains(strings.ToLower(name), "goroutine") ||
		strings.HasPrefix(name, "RunAsync")
}

// runsParameter returns the parameters that fn runs as goroutines, or nil.
func (m *model) runsParameter(fn *ssa.Function) map[int]bool {
	var found map[int]bool
	for i, p := range fn.Params {
		if _, ok := p.Type().Underlying().(*types.Signature); !ok {
			continue
		}
		if m.runsValue(fn, aliases(p)) {
			if found == nil {
				found = make(map[int]bool)
			}
			found[i] = true
		}
	}
	return found
}

// aliases returns the parameter with the variables of fn and its closures that
// hold it.
func aliases(p *ssa.Parameter) map[ssa.Value]bool {
	all := map[ssa.Value]bool{p: true}
	for _, r := range *p.Referrers() {
		switch r := r.(type) {
		case *ssa.Store:
			all[r.Addr] = true
			if a, ok := r.Addr.(*ssa.Alloc); ok {
				for _, c := range *a.Referrers() {
					captured(c, a, all)
				}
			}
		case *ssa.MakeClosure:
			captured(r, p, all)
		}
	}
	return all
}

func captured(r ssa.Instruction, v ssa.Value, all map[ssa.Value]bool) {
	c, ok := r.(*ssa.MakeClosure)
	if !ok {
		return
	}
	for i, b := range c.Bindings {
		if b == v {
			all[c.Fn.(*ssa.Function).FreeVars[i]] = true
		}
	}
}

// runsValue reports whether fn starts a goroutine of one of the values, itself
// or in a closure.
func (m *model) runsValue(fn *ssa.Function, values map[ssa.Value]bool) bool {
	for _, f := range append([]*ssa.Function{fn}, fn.AnonFuncs...) {
		for _, b := range f.Blocks {
			for _, instr := range b.Instrs {
				c, ok := instr.(ssa.CallInstruction)
				if !ok {
					continue
				}
				v := c.Common().Value
				if u, ok := v.(*ssa.UnOp); ok {
					v = u.X
				}
				_, isGo := c.(*ssa.Go)
				if values[v] && (isGo || len(m.goStatements(f)) > 0) {
					return true
				}
			}
		}
	}
	return false
}

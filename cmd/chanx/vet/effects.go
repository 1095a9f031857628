package vet

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// effects are those of the code after the exit of a receiver.
type effects struct {
	*model
	class *chanflow.Class
	self  *ssa.Function // the receiver

	ends     bool // the process, or the channel
	drains   bool
	restarts bool
	notifies []string
	stores   map[types.Object]bool
}

func (m *model) effectsOn(c *chanflow.Class, self *ssa.Function) *effects {
	return &effects{model: m, class: c, self: self,
		stores: make(map[types.Object]bool)}
}

// settled reports whether senders do not wait in vain after the exit.
func (e *effects) settled() bool { return e.ends || e.drains || e.restarts }

func (e *effects) blocks(bs []*ssa.BasicBlock, depth int) {
	for _, b := range bs {
		for _, in := range b.Instrs {
			e.instruction(in, depth)
		}
	}
}

// defers adds the deferred calls of fn.
func (e *effects) defers(fn *ssa.Function, depth int) {
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			if d, ok := in.(*ssa.Defer); ok {
				e.instruction(d, depth)
			}
		}
	}
}

func (e *effects) instruction(in ssa.Instruction, depth int) {
	switch x := in.(type) {
	case *ssa.Panic:
		e.ends = true
	case *ssa.UnOp:
		if x.Op == token.ARROW && e.Class(x.X) == e.class {
			e.drains = true
		}
	case *ssa.Send:
		if e.Class(x.Chan) != e.class {
			e.notifies = append(e.notifies, "a send")
		}
	case *ssa.Select:
		for _, s := range x.States {
			switch {
			case s.Dir == types.SendOnly:
				e.notifies = append(e.notifies, "a send")
			case e.Class(s.Chan) == e.class:
				e.drains = true
			}
		}
	case *ssa.Store:
		if v := variable(x.Addr); v != nil {
			e.stores[v] = true
		}
	case ssa.CallInstruction:
		e.call(x, depth)
	}
}

// call adds the effects of a call, a go or a defer statement.
func (e *effects) call(c ssa.CallInstruction, depth int) {
	common := c.Common()
	if b, ok := common.Value.(*ssa.Builtin); ok {
		e.builtin(b.Name(), common.Args)
		return
	}
	_, isCall := c.(*ssa.Call)
	e.ends = e.ends || isCall && noReturn(c)
	for _, o := range e.class.Ops {
		if o.Instr == c && o.Kind == chanflow.Recv {
			e.drains = true
		}
	}
	fn := chanflow.Callee(c)
	if fn == nil && !common.IsInvoke() {
		e.notifies = append(e.notifies, "a function value")
		return
	}
	if _, isGo := c.(*ssa.Go); e.self != nil && fn != nil &&
		(fn == e.self || isGo && calls(fn, e.self)) {
		e.restarts = true
		return
	}
	if callsPackage(c, "sync/atomic") {
		if v := stores(c); v != nil {
			e.stores[v] = true
		}
		return
	}
	e.named(c)
	if depth > 0 && e.Local(fn) {
		e.blocks(fn.Blocks, depth-1)
	}
}

func (e *effects) builtin(name string, args []ssa.Value) {
	switch {
	case name == "close" && e.Class(args[0]) == e.class:
		e.ends = true // a send panics: loud
	case name == "close":
		e.notifies = append(e.notifies, "a close")
	}
}

// telling has parts of names of functions that tell others about the exit.
var telling = []string{"close", "stop", "shutdown", "cancel", "kill", "abort",
	"exit", "leave", "fail", "remove", "delete", "unregister", "quit", "notify",
	"trigger", "terminate", "disconnect", "cleanup", "destroy"}

// named judges a callee by its name, unless it cannot know the senders.
func (e *effects) named(c ssa.CallInstruction) {
	name := strings.ToLower(calleeName(c))
	switch {
	case foreignType(c):
	case strings.Contains(name, "close") && !e.own(c):
	case containsAny(name, "restart", "reconnect"):
		e.restarts = true
	case containsAny(name, telling...):
		e.notifies = append(e.notifies, calleeName(c))
	}
}

// foreignType reports whether a method is of a type that no sender listens to.
func foreignType(c ssa.CallInstruction) bool {
	fn := c.Common().StaticCallee()
	if fn == nil || fn.Signature.Recv() == nil {
		return false
	}
	return containsAny(fn.Signature.Recv().Type().String(), "sync.", "time.",
		"os.File", "net.")
}

// own reports whether the callee is of this package, or of an interface of it.
func (e *effects) own(c ssa.CallInstruction) bool {
	if c.Common().IsInvoke() {
		return c.Common().Method.Pkg() == e.pass.Pkg
	}
	return e.Local(chanflow.Callee(c))
}

// stores returns the variable that a function of sync/atomic writes.
func stores(c ssa.CallInstruction) types.Object {
	name, args := calleeName(c), c.Common().Args
	if len(args) == 0 || !strings.HasPrefix(name, "Store") &&
		!strings.HasPrefix(name, "Swap") &&
		!strings.HasPrefix(name, "CompareAndSwap") {
		return nil
	}
	return variable(args[0])
}

// calls reports whether f calls g.
func calls(f, g *ssa.Function) bool {
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			if c, ok := in.(ssa.CallInstruction); ok && chanflow.Callee(c) == g {
				return true
			}
		}
	}
	return false
}

// variable returns the field or package-level variable at an address.
func variable(addr ssa.Value) types.Object {
	switch x := addr.(type) {
	case *ssa.FieldAddr:
		if p, ok := x.X.Type().Underlying().(*types.Pointer); ok {
			if s, ok := p.Elem().Underlying().(*types.Struct); ok {
				return s.Field(x.Field).Origin()
			}
		}
	case *ssa.Global:
		return x.Object()
	}
	return nil
}

// reads adds the variables that fn reads.
func reads(fn *ssa.Function, all map[types.Object]bool) {
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			switch x := in.(type) {
			case *ssa.UnOp:
				if v := variable(x.X); v != nil && x.Op == token.MUL {
					all[v] = true
				}
			case ssa.CallInstruction:
				for _, a := range x.Common().Args {
					if v := variable(a); v != nil {
						all[v] = true
					}
				}
			}
		}
	}
}

// noReturn reports whether control does not come back from a call: it ends the
// process, the goroutine or the test.
func noReturn(c ssa.CallInstruction) bool {
	name := calleeName(c)
	if callsPackage(c, "runtime") {
		return name == "Goexit"
	}
	if strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic") {
		return true
	}
	switch name {
	case "Exit", "FailNow", "Fail", "Failf", "Skip", "Skipf", "SkipNow":
		return true
	}
	return false
}

// recovers reports whether fn calls recover itself.
func recovers(fn *ssa.Function) bool {
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			if c, ok := in.(ssa.CallInstruction); ok {
				if b, ok := c.Common().Value.(*ssa.Builtin); ok && b.Name() == "recover" {
					return true
				}
			}
		}
	}
	return false
}

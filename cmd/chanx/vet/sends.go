package vet

import (
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// many reports whether more values may be sent at s than the buffer holds.
func (m *model) many(c *chanflow.Class, s *chanflow.Op) bool {
	most, known := largest(c)
	switch {
	case known && most == 0:
		return true
	case s.Callee != nil && s.Callee.Loop,
		m.loops(c, s.Fn).contains(s.Instr.Block()):
		return true
	case m.startedOnce(c, s.Fn):
		return false
	}
	if fn := m.maker(c, s.Fn); fn != nil {
		return known && m.startedInLoop(c, s.Fn, fn)
	}
	return s.Fn.Signature.Recv() != nil || len(c.Fields) > 0 ||
		len(m.Calls(s.Fn)) > 0
}

// largest returns the largest capacity of the class, if all are constant.
func largest(c *chanflow.Class) (int64, bool) {
	most, known := int64(0), !c.RemoteMade
	for _, mk := range c.Makes {
		k, ok := capacity(mk)
		known = known && ok
		most = max(most, k)
	}
	return most, known
}

// startedOnce reports whether fn is only started by go statements, each once
// for each channel, in the functions that make it.
func (m *model) startedOnce(c *chanflow.Class, fn *ssa.Function) bool {
	calls := m.Calls(fn)
	for _, site := range calls {
		f := site.Parent()
		_, isGo := site.(*ssa.Go)
		if !isGo || len(makeBlocks(c, f)) == 0 || m.loops(c, f).contains(site.Block()) {
			return false
		}
	}
	return len(calls) > 0
}

// maker returns the function around fn, or fn, that makes the channel.
func (m *model) maker(c *chanflow.Class, fn *ssa.Function) *ssa.Function {
	for ; fn != nil; fn = fn.Parent() {
		if len(makeBlocks(c, fn)) > 0 {
			return fn
		}
	}
	return nil
}

// startedInLoop reports whether the closure of maker that fn is in is started
// in a loop of it.
func (m *model) startedInLoop(c *chanflow.Class, fn, maker *ssa.Function) bool {
	for fn != maker && fn.Parent() != maker {
		fn = fn.Parent()
	}
	if fn == maker {
		return false
	}
	l := m.loops(c, maker)
	for _, site := range m.Calls(fn) {
		if site.Parent() == maker && l.contains(site.Block()) {
			return true
		}
	}
	return false
}

// drained reports whether the sender has made room before it sends.
func (m *model) drained(s *chanflow.Op) bool {
	for _, o := range operations(m.Class(s.Chan), chanflow.Recv) {
		if o.Fn == s.Fn && o.Select != nil && !o.Select.Blocking &&
			o.Instr.Block().Dominates(s.Instr.Block()) {
			return true
		}
	}
	return false
}

// measured reports whether len or cap of the channel is a condition of s.
func (m *model) measured(c *chanflow.Class, s *chanflow.Op) bool {
	found := false
	for _, g := range guards(s.Instr.Block(), nil, nil) {
		origins(g.cond, func(v ssa.Value) bool {
			call, ok := v.(*ssa.Call)
			if !ok {
				return !found
			}
			b, ok := call.Common().Value.(*ssa.Builtin)
			found = found || ok && (b.Name() == "len" || b.Name() == "cap") &&
				m.Class(call.Common().Args[0]) == c
			return false
		})
	}
	return found
}

// sentOnce reports whether a variable that is set before the send is a
// condition of it: if x.done { return }; x.done = true; ch <- v.
func sentOnce(s *chanflow.Op) bool {
	for _, g := range guards(s.Instr.Block(), nil, nil) {
		if phi, ok := g.cond.(*ssa.Phi); ok && switched(phi, s.Instr.Block(), g.negated) {
			return true
		}
	}
	set := setBefore(s)
	found := false
	for _, g := range guards(s.Instr.Block(), nil, nil) {
		origins(g.cond, func(v ssa.Value) bool {
			switch x := v.(type) {
			case *ssa.FieldAddr:
				found = found || set[variable(x)]
			case *ssa.Call:
				args := x.Common().Args
				found = found || callsPackage(x, "sync/atomic") && len(args) > 0 &&
					set[variable(args[0])]
			}
			return !found
		})
	}
	return found
}

// setBefore returns the variables that are set to a constant before a send.
func setBefore(s *chanflow.Op) map[types.Object]bool {
	set := make(map[types.Object]bool)
	note := func(addr, v ssa.Value) {
		if _, ok := v.(*ssa.Const); ok && variable(addr) != nil {
			set[variable(addr)] = true
		}
	}
	for _, b := range s.Fn.Blocks {
		for _, in := range b.Instrs {
			if !before(in, s.Instr) {
				continue
			}
			switch x := in.(type) {
			case *ssa.Store:
				note(x.Addr, x.Val)
			case *ssa.Call:
				if callsPackage(x, "sync/atomic") && stores(x) != nil {
					note(x.Common().Args[0], x.Common().Args[len(x.Common().Args)-1])
				}
			}
		}
	}
	return set
}

// switched reports whether a local variable, which must be true, or false if
// negated, for control to reach b, has the opposite value after b.
func switched(cond *ssa.Phi, b *ssa.BasicBlock, negated bool) bool {
	seen := map[*ssa.Phi]bool{}
	found, all := false, true
	var visit func(phi *ssa.Phi)
	visit = func(phi *ssa.Phi) {
		if seen[phi] {
			return
		}
		seen[phi] = true
		for i, e := range phi.Edges {
			after := b.Dominates(phi.Block().Preds[i])
			switch e := e.(type) {
			case *ssa.Phi:
				visit(e)
			case *ssa.Const:
				if after {
					opposite := constant.BoolVal(e.Value) == negated
					found, all = found || opposite, all && opposite
				}
			default:
				all = all && !after
			}
		}
	}
	visit(cond)
	return found && all
}

// switchedOff reports whether a channel variable may be nil: the receive is
// turned off and on.
func switchedOff(v ssa.Value) bool { return nilPhi(v, 4) }

func nilPhi(v ssa.Value, depth int) bool {
	phi, ok := v.(*ssa.Phi)
	if !ok || depth == 0 {
		return false
	}
	for _, e := range phi.Edges {
		if k, ok := e.(*ssa.Const); ok && k.IsNil() || nilPhi(e, depth-1) {
			return true
		}
	}
	return false
}

// fromMessage reports whether a channel was itself received, or found in a
// collection: a reply channel.
func fromMessage(ch ssa.Value) bool {
	found := false
	origins(ch, func(v ssa.Value) bool {
		switch x := v.(type) {
		case *ssa.UnOp:
			found = found || x.Op == token.ARROW
		case *ssa.Select, *ssa.Next:
			found = true
		}
		return !found
	})
	return found
}

// fresh reports whether a receive outside of a loop is on the result of a call:
// on another channel each time.
func (l *lost) fresh(r *chanflow.Op) bool {
	if findLoops(r.Fn, nil).contains(r.Instr.Block()) {
		return false
	}
	found := false
	origins(r.Chan, func(v ssa.Value) bool {
		_, ok := v.(*ssa.Call)
		found = found || ok
		return !found
	})
	return found
}

// reply reports whether the channel has a buffer and is sent to after it came
// out of a message: the room is for the one reply.
func (l *lost) reply() bool {
	most, known := largest(l.class)
	if known && most == 0 {
		return false
	}
	for _, s := range operations(l.class, chanflow.Send) {
		if s.Bare() && fromMessage(s.Chan) {
			return true
		}
	}
	return false
}

// pool reports whether one function takes values and gives them back: tokens,
// whose number never exceeds the capacity.
func (l *lost) pool(recvs []*chanflow.Op) bool {
	if k, known := largest(l.class); known && k == 0 {
		return false
	}
	for _, r := range recvs {
		for _, s := range operations(l.class, chanflow.Send) {
			if outermost(s.Fn) == outermost(r.Fn) && (s.Fn == r.Fn ||
				s.Fn.Parent() == r.Fn || r.Fn.Parent() == s.Fn) &&
				!l.makes(outermost(r.Fn)) {
				return true
			}
		}
	}
	return false
}

// makes reports whether fn or a closure in it makes the channel.
func (l *lost) makes(fn *ssa.Function) bool {
	for _, mk := range l.class.Makes {
		if outermost(mk.Parent()) == fn {
			return true
		}
	}
	return false
}

func outermost(fn *ssa.Function) *ssa.Function {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	return fn
}

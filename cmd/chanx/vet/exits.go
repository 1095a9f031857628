package vet

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// exit is a way out of the loop of a receiver.
type exit struct {
	fn       *ssa.Function
	pos      token.Pos
	cause    cause
	after    *effects
	running  bool // the receiver is a goroutine
	presumed bool // it is one only if another package starts it so
	pooled   bool // its object is not found by senders unless it goes on
}

// maxDepth bounds the calls up to the loop of a receiver, and those down into the
// code after its exit.
const maxDepth = 3

// exits returns the ways out of the loop around a block that receives from c.
// A function that is called in a loop is in that loop. It reports false if
// there is no loop.
func (m *model) exits(c *chanflow.Class, at *ssa.BasicBlock, depth int) ([]exit, bool) {
	fn := at.Parent()
	l := m.loops(c, fn)
	if l.contains(at) {
		return append(m.edges(c, l, at, depth), m.recovers(c, fn, depth)...), true
	}
	calls := m.callsOf(fn)
	if depth == 0 || len(calls) == 0 || len(makeBlocks(c, fn)) > 0 {
		return nil, false
	}
	var all []exit
	for _, call := range calls {
		found, ok := m.exits(c, call.Block(), depth-1)
		if !ok {
			return nil, false
		}
		all = append(all, found...)
	}
	return all, true
}

// edges returns the exits of the loop of a block by its edges.
func (m *model) edges(c *chanflow.Class, l *loops, at *ssa.BasicBlock, depth int) []exit {
	var all []exit
	inside := func(b *ssa.BasicBlock) bool { return l.same(b, at) }
	for _, b := range at.Parent().Blocks {
		if !inside(b) {
			continue
		}
		for _, s := range b.Succs {
			if inside(s) || impossible(s) {
				continue
			}
			from, to := lastCase(b, s)
			if e, ok := m.edge(c, from, to, inside, depth); ok {
				all = append(all, e)
			}
		}
	}
	return all
}

// edge judges one edge out of a loop.
func (m *model) edge(c *chanflow.Class, b, s *ssa.BasicBlock,
	inside func(*ssa.BasicBlock) bool, depth int) (exit, bool) {
	fn := b.Parent()
	conditions := guards(b, s, func(x *ssa.BasicBlock) bool {
		return inside(x) || x == b
	})
	why := m.causeOf(c, conditions)
	if why == closed {
		return exit{}, false
	}
	e := exit{fn: fn, pos: exitPos(b, s), cause: why, after: m.effectsOn(c, fn)}
	e.after.blocks(tail(b, inside), maxDepth-1)
	e.after.blocks(reach(s, inside), maxDepth-1)
	if passedOn(b, conditions, inside) {
		e.after.notifies = append(e.after.notifies, "a send before")
	}
	e.pooled = handsBack(fn, inside)
	m.afterReturn(&e, depth)
	return e, true
}

// handsBack reports whether a method that receives in a loop hands its receiver
// back in it, as to a pool of connections. The object with a lost consumer is
// then not found there by the next sender.
func handsBack(fn *ssa.Function, inside func(*ssa.BasicBlock) bool) bool {
	if fn.Signature.Recv() == nil {
		return false
	}
	for _, r := range *fn.Params[0].Referrers() {
		c, ok := r.(*ssa.Call)
		if !ok || !inside(c.Block()) || !containsAny(strings.ToLower(calleeName(c)),
			"release", "put", "idle", "recycle", "free") {
			continue
		}
		args := c.Common().Args
		if !c.Common().IsInvoke() && len(args) > 0 && args[0] == fn.Params[0] {
			args = args[1:] // a method on itself
		}
		if slices.Contains(args, ssa.Value(fn.Params[0])) {
			return true
		}
	}
	return false
}

// tail returns the blocks up to b, within the loop, from which there is only
// the way out.
func tail(b *ssa.BasicBlock, inside func(*ssa.BasicBlock) bool) []*ssa.BasicBlock {
	var all []*ssa.BasicBlock
	for ; b != nil && inside(b); b = b.Idom() {
		for _, s := range b.Succs {
			if inside(s) {
				return all
			}
		}
		all = append(all, b)
	}
	return all
}

// recovers returns the exits by a panic that a deferred call recovers.
func (m *model) recovers(c *chanflow.Class, fn *ssa.Function, depth int) []exit {
	var all []exit
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			d, ok := in.(*ssa.Defer)
			if !ok {
				continue
			}
			if f := d.Common().StaticCallee(); f != nil && recovers(f) {
				e := exit{fn: fn, pos: d.Pos(), cause: recovered,
					after: m.effectsOn(c, fn)}
				m.afterReturn(&e, depth)
				all = append(all, e)
			}
		}
	}
	return all
}

// afterReturn adds the effects of the deferred calls and of the callers.
func (m *model) afterReturn(e *exit, depth int) {
	e.after.defers(e.fn, maxDepth-1)
	m.callers(e.fn, e.after, depth)
	e.running = m.goroutine(e.fn, maxDepth)
	if !e.running && worker(e.fn) && m.startless(e.fn, maxDepth) {
		e.running, e.presumed = true, true
	}
}

// worker reports whether other packages may start fn as a goroutine: its
// signature is func(...) or func(...) error.
func worker(fn *ssa.Function) bool {
	r := fn.Signature.Results()
	return r.Len() == 0 || r.Len() == 1 && isError(r.At(0).Type())
}

// callers adds the effects of the callers of fn after its return.
func (m *model) callers(fn *ssa.Function, e *effects, depth int) {
	e.ends = e.ends || isMain(fn)
	if depth == 0 {
		return
	}
	for _, call := range m.callsOf(fn) {
		caller := call.Parent()
		if m.loops(e.class, caller).contains(call.Block()) {
			e.restarts = true
			continue
		}
		above := m.effectsOn(e.class, nil)
		above.blocks(reach(call.Block(), nil), maxDepth-1)
		above.defers(caller, maxDepth-1)
		e.merge(above)
		m.callers(caller, e, depth-1)
	}
}

func (e *effects) merge(f *effects) {
	e.ends = e.ends || f.ends
	e.drains = e.drains || f.drains
	e.restarts = e.restarts || f.restarts
	e.notifies = append(e.notifies, f.notifies...)
	for v := range f.stores {
		e.stores[v] = true
	}
}

// isMain reports whether fn is the entry point: its return ends the process.
func isMain(fn *ssa.Function) bool {
	return fn.Name() == "main" && fn.Parent() == nil && fn.Pkg != nil &&
		fn.Pkg.Pkg.Name() == "main"
}

// exitPos returns the position of the return after an edge, or the nearest to
// it.
func exitPos(b, s *ssa.BasicBlock) token.Pos {
	for _, in := range s.Instrs {
		if r, ok := in.(*ssa.Return); ok && r.Pos().IsValid() {
			return r.Pos()
		}
	}
	for ; b != nil; b = b.Idom() {
		for i := len(b.Instrs) - 1; i >= 0; i-- {
			if f, ok := b.Instrs[i].(*ssa.If); ok && f.Cond.Pos().IsValid() {
				return f.Cond.Pos()
			}
			if pos := b.Instrs[i].Pos(); pos.IsValid() {
				return pos
			}
		}
	}
	return token.NoPos
}

// score rates an exit by how much it looks like an oversight, up to 100. Read has
// the variables that senders read.
func (e *exit) score(read map[types.Object]bool) int {
	n := map[cause]int{failure: 100, recovered: 60, callResult: 50,
		errorSignal: 30, message: 30, flag: 20, signal: 10, count: 5, always: 5,
		unknown: 5}[e.cause]
	if len(e.after.notifies) > 0 || e.pooled {
		n -= 45
	}
	if e.presumed {
		n -= 50
	}
	for v := range e.after.stores {
		if read[v] {
			return n - 30
		}
	}
	return n
}

// passedOn reports whether a loop sends the value that an exit depends on
// before it, such as a result with its error: the other end knows.
func passedOn(b *ssa.BasicBlock, exit []guard, inside func(*ssa.BasicBlock) bool) bool {
	tested := make(map[ssa.Value]bool)
	for _, g := range exit {
		if c, ok := g.cond.(*ssa.BinOp); ok {
			tested[c.X] = true
		}
	}
	for ; b != nil && inside(b); b = b.Idom() {
		for _, in := range b.Instrs {
			for _, v := range sentBy(in) {
				if holds(v, tested) {
					return true
				}
			}
		}
	}
	return false
}

// sentBy returns the values that an instruction sends.
func sentBy(in ssa.Instruction) []ssa.Value {
	switch x := in.(type) {
	case *ssa.Send:
		return []ssa.Value{x.X}
	case *ssa.Select:
		var all []ssa.Value
		for _, s := range x.States {
			if s.Send != nil {
				all = append(all, s.Send)
			}
		}
		return all
	}
	return nil
}

// holds reports whether v is one of the values, or a struct with one.
func holds(v ssa.Value, values map[ssa.Value]bool) bool {
	u, ok := v.(*ssa.UnOp)
	if !ok || values[v] {
		return values[v]
	}
	a, ok := u.X.(*ssa.Alloc)
	if !ok {
		return false
	}
	for _, r := range *a.Referrers() {
		f, ok := r.(*ssa.FieldAddr)
		if !ok {
			continue
		}
		for _, s := range *f.Referrers() {
			if st, ok := s.(*ssa.Store); ok && values[st.Val] {
				return true
			}
		}
	}
	return false
}

package vet

import (
	"go/constant"
	"go/token"

	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// walk looks for a path on which a function returns before it has received a
// value of each goroutine that it has started.
type walk struct {
	*abandoned
	sites map[ssa.CallInstruction]bool
	send  *chanflow.Op

	truth map[ssa.Value]bool       // of conditions on the path
	value map[ssa.Value]*ssa.Const // of phis on the path
	seen  map[*ssa.BasicBlock]int
	steps int

	end token.Pos // the return that was found
	why string
}

// maxSteps bounds the walk, and maxVisits how often a loop is entered.
const (
	maxSteps  = 4000
	maxVisits = 2
)

// assume takes the conditions under which b is reached as given.
func (w *walk) assume(b *ssa.BasicBlock) {
	w.truth = make(map[ssa.Value]bool)
	for _, g := range guards(b, nil, nil) {
		w.truth[g.cond] = !g.negated
	}
}

// from walks from after a start, or from the entry of its function.
func (w *walk) from(site ssa.CallInstruction, after bool) bool {
	if w.truth == nil {
		w.truth = make(map[ssa.Value]bool)
	}
	w.value = make(map[ssa.Value]*ssa.Const)
	w.seen = make(map[*ssa.BasicBlock]int)
	if !after {
		return w.block(site.Parent().Blocks[0], nil, 0, 0)
	}
	b := site.Block()
	for i, in := range b.Instrs {
		if in == site {
			return w.instructions(b, i+1, 1)
		}
	}
	return false
}

// block enters b with a number of values that are under way.
func (w *walk) block(b, from *ssa.BasicBlock, start int, pending int) bool {
	w.steps++
	if w.steps > maxSteps || w.seen[b] >= maxVisits {
		return false
	}
	w.seen[b]++
	defer func() {
		if len(w.sites) > 1 {
			w.seen[b]-- // paths differ in the values pending
		}
	}()
	restore := w.phis(b, from)
	defer restore()
	return w.instructions(b, start, pending)
}

// phis sets the values that the phis of b get from a predecessor.
func (w *walk) phis(b, from *ssa.BasicBlock) (restore func()) {
	old := make(map[ssa.Value]*ssa.Const)
	for _, in := range b.Instrs {
		phi, ok := in.(*ssa.Phi)
		if !ok {
			break
		}
		for i, p := range b.Preds {
			if p == from {
				old[phi] = w.value[phi]
				w.value[phi] = w.constant(phi.Edges[i])
			}
		}
	}
	return func() {
		for phi, k := range old {
			w.value[phi] = k
		}
	}
}

func (w *walk) constant(v ssa.Value) *ssa.Const {
	if k, ok := v.(*ssa.Const); ok {
		return k
	}
	return w.value[v]
}

func (w *walk) instructions(b *ssa.BasicBlock, start, pending int) bool {
	for _, in := range b.Instrs[start:] {
		if c, ok := in.(ssa.CallInstruction); ok && w.sites[c] {
			pending++
		}
		if w.receives(in) {
			pending--
			if len(w.sites) == 1 {
				return false
			}
		}
		switch x := in.(type) {
		case *ssa.Call:
			if noReturn(x) {
				return false
			}
		case *ssa.Panic:
			return false
		case *ssa.Return:
			w.end = returnPos(x)
			return pending > int(w.room)
		case *ssa.If:
			return w.branch(b, x, pending)
		}
	}
	for _, s := range b.Succs {
		if w.block(s, b, 0, pending) {
			return true
		}
	}
	return false
}

// receives reports whether an instruction surely receives, itself or in a
// closure that it calls.
func (w *walk) receives(in ssa.Instruction) bool {
	for _, r := range w.recvs {
		if r.Instr == in && r.Bare() {
			return true
		}
	}
	c, ok := in.(*ssa.Call)
	if !ok {
		return false
	}
	fn := c.Common().StaticCallee()
	if fn == nil || fn.Parent() != w.receiver {
		return false
	}
	e := w.effectsOn(w.class, nil)
	e.blocks(fn.Blocks, 1)
	return e.drains
}

// branch walks the two ways of a condition, but for those that the path rules
// out.
func (w *walk) branch(b *ssa.BasicBlock, f *ssa.If, pending int) bool {
	cond, negated := positive(f.Cond)
	value, isConst := w.evaluate(f.Cond)
	for n, s := range b.Succs {
		truth := (n == 0) != negated
		if isConst && (n == 0) != value {
			continue
		}
		left, ok := w.chosen(cond, truth, pending)
		if !ok {
			continue
		}
		was, known := w.truth[cond]
		if known && was != truth {
			if _, _, isCase := selectCase(cond); !isCase {
				continue
			}
		}
		w.truth[cond] = truth
		found := w.block(s, b, 0, left)
		delete(w.truth, cond)
		if known {
			w.truth[cond] = was
		}
		if found {
			w.reason(cond, truth)
			return true
		}
	}
	return false
}

// chosen returns the values under way after a case of a select is chosen. It
// reports false if none can be.
func (w *walk) chosen(cond ssa.Value, truth bool, pending int) (int, bool) {
	sel, k, ok := selectCase(cond)
	if !ok || !truth {
		return pending, true
	}
	d := w.Class(sel.States[k].Chan)
	if d != w.class && !w.insteadOf(d) {
		return pending, true
	}
	return pending - 1, len(w.sites) > 1
}

// reason notes why a path does not receive: the condition nearest to its end.
func (w *walk) reason(cond ssa.Value, truth bool) {
	if w.why != "" {
		return
	}
	w.why = " early"
	if _, _, ok := selectCase(cond); ok && truth {
		w.why = " in another case of a select"
	}
}

// insteadOf reports whether a value of d, or its end, says that the send has
// been done or will not be: the sender alone sends to d or closes it, and does
// not come to the send after that.
func (w *walk) insteadOf(d *chanflow.Class) bool {
	if d.SendOut() || d.Foreign() {
		return false
	}
	n := 0
	for _, o := range d.Ops {
		if o.Kind == chanflow.Recv {
			continue
		}
		if _, deferred := o.Instr.(*ssa.Defer); o.Fn != w.send.Fn ||
			!deferred && follows(w.send.Instr, o.Instr) {
			return false
		}
		n++
	}
	return n > 0
}

// follows reports whether control may come to a after b.
func follows(a, b ssa.Instruction) bool {
	if a.Block() == b.Block() && before(a, b) {
		return findLoops(a.Parent(), nil).contains(a.Block())
	}
	return reachable(b.Block(), a.Block())
}

// evaluate returns the truth of a condition, if the path decides it.
func (w *walk) evaluate(cond ssa.Value) (value, ok bool) {
	switch x := cond.(type) {
	case *ssa.BinOp:
		l, r := w.constant(x.X), w.constant(x.Y)
		if l == nil || r == nil || l.Value == nil || r.Value == nil {
			return false, false
		}
		switch x.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			return constant.Compare(l.Value, x.Op, r.Value), true
		}
	case *ssa.UnOp:
		if x.Op == token.NOT {
			value, ok = w.evaluate(x.X)
			return !value, ok
		}
	case *ssa.Phi, *ssa.Const:
		k := w.constant(x)
		if k != nil && k.Value != nil && k.Value.Kind() == constant.Bool {
			return constant.BoolVal(k.Value), true
		}
	}
	return false, false
}

// returnPos returns the position of a return, or of the end of its function.
func returnPos(r *ssa.Return) token.Pos {
	if syntax := r.Parent().Syntax(); !r.Pos().IsValid() && syntax != nil {
		return syntax.End() - 1
	}
	return r.Pos()
}

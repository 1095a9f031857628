package vet

import (
	"go/constant"
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// guard is a condition that holds on an edge of the control flow, or fails if
// negated.
type guard struct {
	cond    ssa.Value
	negated bool
}

// edgeGuard returns the condition under which x goes on with y.
func edgeGuard(x, y *ssa.BasicBlock) (guard, bool) {
	f, ok := x.Instrs[len(x.Instrs)-1].(*ssa.If)
	if !ok || x.Succs[0] == x.Succs[1] {
		return guard{}, false
	}
	cond, negated := positive(f.Cond)
	return guard{cond, negated != (x.Succs[1] == y)}, true
}

// positive strips the negations off a condition.
func positive(cond ssa.Value) (ssa.Value, bool) {
	negated := false
	for {
		u, ok := cond.(*ssa.UnOp)
		if !ok || u.Op != token.NOT {
			return cond, negated
		}
		cond, negated = u.X, !negated
	}
}

// guards returns the conditions under which control goes from b to s, nearest
// first, up the dominator tree while keep holds. Without an s they are those of
// b itself.
func guards(b, s *ssa.BasicBlock, keep func(*ssa.BasicBlock) bool) []guard {
	var all []guard
	add := func(x, y *ssa.BasicBlock) {
		if g, ok := edgeGuard(x, y); ok {
			all = append(all, g)
		}
	}
	if s != nil {
		add(b, s)
	}
	for x := b; x.Idom() != nil && (keep == nil || keep(x.Idom())); x = x.Idom() {
		for _, y := range x.Idom().Succs {
			if len(y.Preds) == 1 && y.Dominates(x) {
				add(x.Idom(), y)
			}
		}
	}
	return all
}

// selectCase returns the select and the number of the case that cond tests for.
func selectCase(cond ssa.Value) (*ssa.Select, int, bool) {
	b, ok := cond.(*ssa.BinOp)
	if !ok || b.Op != token.EQL {
		return nil, 0, false
	}
	e, ok := b.X.(*ssa.Extract)
	if !ok || e.Index != 0 {
		return nil, 0, false
	}
	s, ok := e.Tuple.(*ssa.Select)
	k, isConst := b.Y.(*ssa.Const)
	if !ok || !isConst || int(k.Int64()) >= len(s.States) {
		return nil, 0, false
	}
	return s, int(k.Int64()), true
}

// lastCase returns the edge into the last case of a select for the edge to its
// test. The comparison for the last case is outside the loop if that case
// leaves the loop.
func lastCase(b, s *ssa.BasicBlock) (*ssa.BasicBlock, *ssa.BasicBlock) {
	f, ok := s.Instrs[len(s.Instrs)-1].(*ssa.If)
	if !ok || len(s.Preds) != 1 {
		return b, s
	}
	sel, k, ok := selectCase(f.Cond)
	if !ok || k != len(sel.States)-1 || !sel.Blocking {
		return b, s
	}
	return s, s.Succs[0]
}

// impossible reports whether b is the panic of a select without a match.
func impossible(b *ssa.BasicBlock) bool {
	p, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Panic)
	return ok && !p.Pos().IsValid()
}

// origins visits v and the values that it is computed from, until visit
// returns false.
func origins(v ssa.Value, visit func(ssa.Value) bool) {
	walkOrigins(v, make(map[ssa.Value]bool), visit)
}

// maxOrigins bounds the walk in generated code.
const maxOrigins = 200

func walkOrigins(v ssa.Value, seen map[ssa.Value]bool, visit func(ssa.Value) bool) {
	if v == nil || seen[v] || len(seen) > maxOrigins {
		return
	}
	seen[v] = true
	if !visit(v) {
		return
	}
	for _, from := range sources(v) {
		walkOrigins(from, seen, visit)
	}
}

// sources returns the values that v is computed from.
func sources(v ssa.Value) []ssa.Value {
	switch x := v.(type) {
	case *ssa.Phi:
		return x.Edges
	case *ssa.Extract:
		return []ssa.Value{x.Tuple}
	case *ssa.UnOp:
		if a, ok := x.X.(*ssa.Alloc); ok && x.Op == token.MUL {
			return append(stored(a), a)
		}
		return []ssa.Value{x.X}
	case *ssa.BinOp:
		return []ssa.Value{x.X, x.Y}
	case *ssa.ChangeType:
		return []ssa.Value{x.X}
	case *ssa.Convert:
		return []ssa.Value{x.X}
	case *ssa.ChangeInterface:
		return []ssa.Value{x.X}
	case *ssa.MakeInterface:
		return []ssa.Value{x.X}
	case *ssa.TypeAssert:
		return []ssa.Value{x.X}
	case *ssa.Field:
		return []ssa.Value{x.X}
	case *ssa.FieldAddr:
		return []ssa.Value{x.X}
	case *ssa.Index:
		return []ssa.Value{x.X}
	case *ssa.IndexAddr:
		return []ssa.Value{x.X}
	}
	return nil
}

// stored returns the values that are stored in a local variable.
func stored(a *ssa.Alloc) []ssa.Value {
	var all []ssa.Value
	for _, r := range *a.Referrers() {
		if s, ok := r.(*ssa.Store); ok && s.Addr == a {
			all = append(all, s.Val)
		}
	}
	return all
}

// capacity returns the capacity that a channel is made with, if constant.
func capacity(m *ssa.MakeChan) (int64, bool) {
	c, ok := m.Size.(*ssa.Const)
	if !ok || c.Value == nil {
		return 0, false
	}
	return constant.Int64Val(constant.ToInt(c.Value))
}

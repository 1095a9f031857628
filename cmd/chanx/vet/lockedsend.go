package vet

import (
	"fmt"
	"go/types"
	"maps"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// lockedSend finds sends that hold a mutex which every receiver takes between
// two receives.
func lockedSend(r *reporter) {
	for _, c := range r.Classes() {
		recvs := operations(c, chanflow.Recv)
		if c.RecvOut() || !made(c) || len(recvs) == 0 ||
			remote(c, chanflow.Recv) {
			continue
		}
		for _, s := range operations(c, chanflow.Send) {
			if !s.Bare() || !r.many(c, s) || r.measured(c, s) || sentOnce(s) {
				continue
			}
			held := heldAt(s.Instr)
			if where := r.takenBy(recvs, held); len(held) > 0 && where != "" {
				r.report(analysis.Diagnostic{Pos: s.Pos, Category: "d",
					Message: fmt.Sprintf("likely deadlock: this send on %s holds a mutex "+
						"that its receiver %s also takes; once the buffer is full, each "+
						"waits for the other: send after the unlock, or with "+
						"chanx.TrySend", r.describe(c), where)})
				break
			}
		}
	}
}

// mutexes has the mutexes held, with the method that took each.
type mutexes map[types.Object]string

// lockCall returns the mutex and the method of a call, if it is one.
func lockCall(in ssa.Instruction) (mutex types.Object, method string) {
	c, ok := in.(*ssa.Call)
	if !ok || c.Common().IsInvoke() || len(c.Common().Args) == 0 {
		return nil, ""
	}
	t := strings.TrimPrefix(c.Common().Args[0].Type().String(), "*")
	if t != "sync.Mutex" && t != "sync.RWMutex" {
		return nil, ""
	}
	return variable(c.Common().Args[0]), calleeName(c)
}

func (m mutexes) apply(in ssa.Instruction) {
	switch v, method := lockCall(in); {
	case v == nil:
	case method == "Lock", method == "RLock":
		m[v] = method
	case method == "Unlock", method == "RUnlock":
		delete(m, v)
	}
}

// heldAt returns the mutexes that are held at an instruction on every path in
// its function.
func heldAt(at ssa.Instruction) mutexes {
	entry := at.Parent().Blocks[0]
	in := map[*ssa.BasicBlock]mutexes{entry: {}}
	for work := []*ssa.BasicBlock{entry}; len(work) > 0; work = work[1:] {
		b := work[0]
		out := maps.Clone(in[b])
		for _, i := range b.Instrs {
			out.apply(i)
		}
		for _, s := range b.Succs {
			if in[s] == nil {
				in[s] = maps.Clone(out)
			} else if !in[s].intersect(out) {
				continue
			}
			work = append(work, s)
		}
	}
	held := maps.Clone(in[at.Block()])
	for _, i := range at.Block().Instrs {
		if i == at {
			break
		}
		held.apply(i)
	}
	return held
}

// intersect removes the mutexes that are not in other. It reports whether there
// were any.
func (m mutexes) intersect(other mutexes) bool {
	n := len(m)
	maps.DeleteFunc(m, func(v types.Object, _ string) bool {
		_, ok := other[v]
		return !ok
	})
	return len(m) < n
}

// takenBy returns the last of the receivers, if all take one of the mutexes
// between two receives.
func (m *model) takenBy(recvs []*chanflow.Op, held mutexes) string {
	where := ""
	for _, r := range recvs {
		blocks := m.between(r.Instr.Block(), 2)
		if !m.takes(blocks, held, maxDepth, make(map[*ssa.Function]bool)) {
			return ""
		}
		where = fmt.Sprintf("%s (%s)", name(r.Fn), m.line(r.Pos))
	}
	return where
}

// takes reports whether blocks, or the functions they call, take one of the
// mutexes in a way that has to wait.
func (m *model) takes(blocks []*ssa.BasicBlock, held mutexes, depth int,
	seen map[*ssa.Function]bool) bool {
	for _, b := range blocks {
		for _, in := range b.Instrs {
			v, method := lockCall(in)
			if how, ok := held[v]; ok && v != nil && (method == "Lock" ||
				method == "RLock" && how == "Lock") {
				return true
			}
			c, ok := in.(*ssa.Call)
			if !ok || depth == 0 {
				continue
			}
			if fn := chanflow.Callee(c); m.Local(fn) && !seen[fn] {
				seen[fn] = true
				if m.takes(fn.Blocks, held, depth-1, seen) {
					return true
				}
			}
		}
	}
	return false
}

// between returns the blocks that run between one receive and the next, or nil
// if there is no loop.
func (m *model) between(at *ssa.BasicBlock, depth int) []*ssa.BasicBlock {
	fn := at.Parent()
	l := findLoops(fn, nil)
	var all []*ssa.BasicBlock
	if l.contains(at) {
		for _, b := range fn.Blocks {
			if l.same(b, at) {
				all = append(all, b)
			}
		}
		return all
	}
	if depth == 0 {
		return nil
	}
	for _, c := range m.callsOf(fn) {
		above := m.between(c.Block(), depth-1)
		if above == nil {
			return nil
		}
		all = append(all, above...)
	}
	if all == nil {
		return nil
	}
	return append(all, fn.Blocks...)
}

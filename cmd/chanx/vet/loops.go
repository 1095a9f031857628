package vet

import "golang.org/x/tools/go/ssa"

// loops has the strongly connected components of a function's blocks.
type loops struct {
	component map[*ssa.BasicBlock]int
	cyclic    map[int]bool
}

// contains reports whether b is in a loop.
func (l *loops) contains(b *ssa.BasicBlock) bool {
	id, ok := l.component[b]
	return ok && l.cyclic[id]
}

// same reports whether a and b are in one component.
func (l *loops) same(a, b *ssa.BasicBlock) bool {
	i, ok := l.component[a]
	j, ok2 := l.component[b]
	return ok && ok2 && i == j
}

// tarjan finds the components by Tarjan's algorithm.
type tarjan struct {
	loops
	without    map[*ssa.BasicBlock]bool
	index, low map[*ssa.BasicBlock]int
	on         map[*ssa.BasicBlock]bool
	stack      []*ssa.BasicBlock
	next       int
}

// findLoops returns the loops of fn that avoid some blocks: a loop through the
// make of a channel has another channel each time.
func findLoops(fn *ssa.Function, without map[*ssa.BasicBlock]bool) *loops {
	t := &tarjan{without: without,
		loops: loops{make(map[*ssa.BasicBlock]int), make(map[int]bool)},
		index: make(map[*ssa.BasicBlock]int), low: make(map[*ssa.BasicBlock]int),
		on: make(map[*ssa.BasicBlock]bool)}
	for _, b := range fn.Blocks {
		if t.index[b] == 0 && !without[b] {
			t.visit(b)
		}
	}
	return &t.loops
}

func (t *tarjan) visit(b *ssa.BasicBlock) {
	t.next++
	t.index[b], t.low[b] = t.next, t.next
	t.stack = append(t.stack, b)
	t.on[b] = true
	for _, s := range b.Succs {
		switch {
		case t.without[s]:
		case t.index[s] == 0:
			t.visit(s)
			t.low[b] = min(t.low[b], t.low[s])
		case t.on[s]:
			t.low[b] = min(t.low[b], t.index[s])
		}
	}
	if t.low[b] == t.index[b] {
		t.pop(b)
	}
}

func (t *tarjan) pop(b *ssa.BasicBlock) {
	id := t.index[b]
	for size := 1; ; size++ {
		last := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.on[last] = false
		t.component[last] = id
		if last == b {
			t.cyclic[id] = size > 1
			break
		}
	}
	for _, s := range b.Succs {
		t.cyclic[id] = t.cyclic[id] || s == b
	}
}

// reach returns the blocks that control may reach from b, b among them, without
// entering those that stop.
func reach(b *ssa.BasicBlock, stop func(*ssa.BasicBlock) bool) []*ssa.BasicBlock {
	seen := make(map[*ssa.BasicBlock]bool)
	var all []*ssa.BasicBlock
	var visit func(b *ssa.BasicBlock)
	visit = func(b *ssa.BasicBlock) {
		if seen[b] || stop != nil && stop(b) {
			return
		}
		seen[b] = true
		all = append(all, b)
		for _, s := range b.Succs {
			visit(s)
		}
	}
	visit(b)
	return all
}

func reachable(a, b *ssa.BasicBlock) bool {
	for _, x := range reach(a, nil) {
		if x == b {
			return true
		}
	}
	return false
}

// before reports whether a is executed before b whenever b is.
func before(a, b ssa.Instruction) bool {
	if a.Block() != b.Block() {
		return a.Block().Dominates(b.Block())
	}
	for _, in := range a.Block().Instrs {
		switch in {
		case a:
			return a != b
		case b:
			return false
		}
	}
	return false
}

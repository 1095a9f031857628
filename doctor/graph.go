package doctor

import (
	"cmp"
	"slices"
)

// graph is the wait-for graph of one snapshot, as far as the words of the
// tracebacks tell it: a goroutine waits for an object, and another one that has
// the same object as the receiver of a call further out holds it.
type graph struct {
	sc      *scene
	nodes   map[ref]*node
	groups  map[*site]*node // sites that are known by name only
	sites   map[*site][]*node
	order   []*node
	sets    map[uint64]*waitSet
	settled map[uint64]uint64 // the set of an owner whose lock is not known
	ids     map[uint64]ref    // of goroutines that others may wait for
	born    map[uint64][]ref  // children, of goroutines that may wait for them
	inside  map[uint64][]insideCall
	keys    map[*site]map[uint64]bool // see locks
	several map[uint64]bool           // owners with more than one lock
	types   map[string]string         // see methodType
	byType  map[string][]ref          // see workersOf
	given   map[uint64][]ref          // see handed
	buf     []args
	effort  int
	cut     map[*Stack]int // goroutines that were not compared
	linked  bool           // the wait sets have their edges

	cycles [][]*node
}

// ref is one goroutine: a member of a stack.
type ref struct {
	stack *Stack
	i     int
}

func (r ref) member() Member { return r.stack.members.member(r.i) }

// node is a goroutine that waits or is waited for, several that wait for the
// same object in the same place, or all those of a site.
type node struct {
	ref     ref // i is -1 for several; stack is nil for a site
	site    *site
	count   int
	longest uint32 // minutes, of several
	to      *node
	object  string // as in "(*Cache) 0xc000442730", or toEnd
	from    []*node
	behind  int
	pending int // of from, while behind is summed
	cyclic  bool
	sure    Confidence // that it holds what those behind it wait for
	may     bool       // it is not seen to hold it, only to know it
	likely  bool       // that it waits for to is no proof of a deadlock
	self    string     // its own call that holds the object it waits for
	queued  uint64     // the goroutine that waits to write before it may read
}

// minutes is how long n has waited.
func (n *node) minutes() int {
	switch {
	case n.ref.stack == nil:
		return n.site.longest
	case n.ref.i < 0:
		return int(n.longest)
	}
	return int(n.ref.member().Minutes)
}

// id is the goroutine's, or 0.
func (n *node) id() uint64 {
	if n.ref.stack == nil || n.ref.i < 0 {
		return 0
	}
	return n.ref.member().ID
}

// maxGraph bounds the calls whose words are read, some seconds' worth for
// millions of goroutines; small stacks come first, since the holder is rarely
// one of many.
const maxGraph = 16 << 20

// newGraph links each waiting goroutine with the holder of its object.
func newGraph(sc *scene) *graph {
	g := &graph{sc: sc, effort: maxGraph, nodes: make(map[ref]*node),
		groups: make(map[*site]*node), sites: make(map[*site][]*node),
		sets: make(map[uint64]*waitSet), settled: make(map[uint64]uint64),
		cut: make(map[*Stack]int), ids: make(map[uint64]ref), born: make(map[uint64][]ref),
		keys: make(map[*site]map[uint64]bool), several: make(map[uint64]bool),
		types: make(map[string]string)}
	stacks := slices.Clone(sc.now.Stacks)
	slices.SortStableFunc(stacks, func(a, b *Stack) int {
		return cmp.Compare(a.Count, b.Count)
	})
	owners := g.collect(stacks)
	if len(owners)+len(g.ids)+len(g.born) > 0 {
		g.find(stacks, owners)
	}
	keys := sortedKeys(g.sets)
	for _, key := range keys {
		g.choose(g.sets[key])
	}
	g.single()
	for _, key := range keys {
		g.link(g.sets[key])
	}
	g.linked = true
	g.families(stacks)
	g.sum()
	return g
}

func sortedKeys(m map[uint64]*waitSet) []uint64 {
	keys := make([]uint64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// skip counts n goroutines of s as not compared. Those that are left out in
// several searches count once.
func (g *graph) skip(s *Stack, n int) { g.cut[s] = max(g.cut[s], n) }

// skipped returns how many goroutines were not compared.
func (g *graph) skipped() (n int) {
	for _, some := range g.cut {
		n += some
	}
	return n
}

// afford reports whether the words of another goroutine may be read.
func (g *graph) afford(s *Stack) bool {
	g.effort -= len(s.Frames) + 1
	return g.effort >= 0
}

// maxKin bounds the parents and children that are looked for.
const maxKin = 1 << 17

// note keeps the ids of parents and children that the goroutines of stack may
// wait for.
func (g *graph) note(stack *Stack, at *site) {
	for i, m := range stack.members.all() {
		if len(g.ids)+len(g.born) > maxKin {
			g.skip(stack, stack.members.len()-i)
			return
		}
		switch at.op {
		case ChanSend:
			if m.Parent != 0 {
				g.ids[m.Parent] = ref{}
			}
		case WaitGroup:
			g.born[m.ID], g.born[m.Parent] = nil, nil
		case ChanReceive:
			g.born[m.ID] = nil
		}
	}
}

// node returns the node of a goroutine.
func (g *graph) node(r ref) *node {
	n := g.nodes[r]
	if n == nil && g.linked {
		n = g.apart(r)
	}
	if n == nil {
		n = g.add(&node{ref: r, site: g.sc.of[r.stack], count: 1})
	}
	return n
}

// group returns the node of all goroutines of a site.
func (g *graph) group(s *site) *node {
	if s.count == 1 && s.stacks[0].members.len() == 1 {
		return g.node(ref{s.stacks[0], 0})
	}
	n := g.groups[s]
	if n == nil {
		n = g.add(&node{site: s, count: s.count})
		g.groups[s] = n
	}
	return n
}

func (g *graph) add(n *node) *node {
	g.order = append(g.order, n)
	g.sites[n.site] = append(g.sites[n.site], n)
	if n.ref.stack != nil && n.ref.i >= 0 {
		g.nodes[n.ref] = n
	}
	return n
}

// edge says that a waits for b.
func (g *graph) edge(a, b *node, object string) {
	if a.to != nil {
		return
	}
	a.to, a.object = b, object
	b.from = append(b.from, a)
}

// guess makes an edge that is known by names only, which does not prove a
// deadlock.
func (g *graph) guess(a, b *node, object string) {
	if !b.reaches(a) {
		g.edge(a, b, object)
	}
}

// join is guess after sum: it counts those that are behind b from then on. The
// sum of everything for each edge would not be linear.
func (g *graph) join(a, b *node, object string) {
	if a.to != nil || b.reaches(a) {
		return // b is in no cycle, and a few steps from the end
	}
	g.edge(a, b, object)
	for n := b; n != nil; n = n.to {
		n.behind += a.behind + a.count
	}
}

// reaches reports whether n waits for other, over a few steps.
func (n *node) reaches(other *node) bool {
	for range 64 {
		if n == nil {
			return false
		}
		if n == other {
			return true
		}
		n = n.to
	}
	return true
}

// What a goroutine waits for, where that is no object.
const (
	toEnd     = "to end"
	toReceive = "to receive"
	toUnlock  = "to unlock"
)

// sum counts how many goroutines are behind each node, and finds the cycles:
// they are what remains when all that nothing waits for has been taken away.
func (g *graph) sum() {
	g.cycles = nil
	var leaves []*node
	for _, n := range g.order {
		n.behind, n.pending, n.cyclic = 0, len(n.from), false
		if n.pending == 0 {
			leaves = append(leaves, n)
		}
	}
	done := make(map[*node]bool, len(g.order))
	for len(leaves) > 0 {
		n := leaves[len(leaves)-1]
		leaves = leaves[:len(leaves)-1]
		done[n] = true
		if n.to == nil {
			continue
		}
		n.to.behind += n.behind + n.count
		if n.to.pending--; n.to.pending == 0 {
			leaves = append(leaves, n.to)
		}
	}
	for _, n := range g.order {
		if done[n] {
			continue
		}
		var cycle []*node
		behind := 0
		for c := n; !done[c]; c = c.to {
			done[c], c.cyclic = true, true
			behind += c.behind
			cycle = append(cycle, c)
		}
		for _, c := range cycle {
			c.behind = behind
		}
		slices.SortFunc(cycle, func(a, b *node) int {
			return cmp.Or(cmp.Compare(a.joins(), b.joins()),
				cmp.Compare(b.site.count, a.site.count),
				cmp.Compare(a.id(), b.id()))
		})
		g.cycles = append(g.cycles, rotate(cycle[0]))
	}
}

// joins orders the goroutines of a cycle: one that waits for the others to end
// is rarely the one to look at.
func (n *node) joins() int {
	if n.site.op == WaitGroup || n.site.op == ChanReceive {
		return 1
	}
	return 0
}

// rotate lists a cycle from first on, each before the one it waits for.
func rotate(first *node) []*node {
	cycle := []*node{first}
	for n := first.to; n != first; n = n.to {
		cycle = append(cycle, n)
	}
	return cycle
}

// roots are the nodes that others wait for and that wait for none, and one of
// each cycle; those with the most behind first.
func (g *graph) roots() []*node {
	var roots []*node
	for _, n := range g.order {
		if n.to == nil && n.behind > 0 {
			roots = append(roots, n)
		}
	}
	for _, c := range g.cycles {
		roots = append(roots, c[0])
	}
	slices.SortStableFunc(roots, func(a, b *node) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()),
			cmp.Compare(b.minutes(), a.minutes()), cmp.Compare(a.id(), b.id()))
	})
	return roots
}

// weight orders roots: a deadlock is its own cause.
func (n *node) weight() int {
	if n.cyclic {
		return n.behind + n.count + 1
	}
	return n.behind
}

// stack is where n stands.
func (n *node) stack() *Stack {
	if n.ref.stack != nil {
		return n.ref.stack
	}
	return n.site.stacks[0]
}

// of returns the nodes of a site's goroutines.
func (g *graph) of(s *site) []*node {
	return g.sites[s]
}

// holder returns the node that most goroutines of s wait for, or nil.
func (g *graph) holder(s *site) (*node, Confidence) {
	count := make(map[*node]int)
	var best *node
	for _, n := range g.of(s) {
		if n.to == nil {
			continue
		}
		count[n.to] += n.count
		if best == nil || count[n.to] > count[best] {
			best = n.to
		}
	}
	if best == nil {
		return nil, ""
	}
	return best, cmp.Or(best.sure, ConfidenceMedium)
}

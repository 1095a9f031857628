package doctor

import (
	"cmp"
	"fmt"
	"slices"
)

// locks returns the locks that goroutines of s wait for, as far as they are
// known.
func (g *graph) locks(s *site) map[uint64]bool {
	if found, ok := g.keys[s]; ok {
		return found
	}
	const most = 16
	found := make(map[uint64]bool)
	g.keys[s] = found
	var buf []args
	for _, stack := range s.stacks {
		for i := range min(stack.members.len(), most) {
			buf = stack.args(i, buf[:0])
			if w := g.target(stack, buf); w.lock != 0 {
				found[w.lock] = true
			}
		}
		if len(found) > most {
			break
		}
	}
	return found
}

// outside reports whether the lock that goroutines of s wait for is a variable of
// a package, unlike the value whose method they are in, which is on the heap.
// That others are inside the value then proves nothing.
func (g *graph) outside(s *site) bool {
	var buf []args
	for _, stack := range s.stacks {
		user := userCall(stack)
		if user < 0 || stack.members.len() == 0 ||
			methodType(stack.Frames[user].Func) == "" {
			return false
		}
		buf = stack.args(0, buf[:0])
		if user >= len(buf) {
			return false
		}
		lock, owner := lockOf(stack, buf, user), buf[user].receiver()
		if lock == 0 || owner == 0 || (lock^owner)>>arenaBits == 0 {
			return false
		}
	}
	return true
}

// arenaBits are those in which addresses of the heap differ; the data of a
// program is elsewhere on 64-bit systems.
const arenaBits = 36

// waitSet is the goroutines that wait for the same object. It counts them by
// stack: one each would cost a million that wait for one lock 300 bytes each.
type waitSet struct {
	key     uint64 // of the lock if it is known, of its owner if not
	locked  bool   // key is the lock
	op      Operation
	typ     string // of the owner, a package and a type
	owners  []uint64
	inStd   string // the standard library's call that locks, or ""
	parts   []part
	readers int32
	writers int32
	longest uint32
	self    *waiting // the likeliest to hold the object itself, or nil
	oldest  *waiting // that has a call further out on the same owner, or nil
	singles []*node  // those that others wait for
	holder  *node
	sure    Confidence
}

// part is the goroutines of a wait set with the same stack. Some are known one by
// one.
type part struct {
	stack   *Stack
	count   int32
	last    int32 // index of a member
	longest uint32
	some    []int32 // indices
	node    *node
}

// maxSome is how many goroutines of a part are told apart.
const maxSome = 4

// waiting is a goroutine of a wait set.
type waiting struct {
	ref     ref
	minutes uint32
	outer   int // see waiter
	apart   bool
}

// maxSets bounds the objects that goroutines wait for; those of rare stacks come
// first.
const maxSets = 1 << 16

// collect makes the wait sets, and notes of which goroutines more must be
// known. It returns the objects that someone may be inside of.
func (g *graph) collect(stacks []*Stack) map[uint64]bool {
	owners := make(map[uint64]bool)
	locks := make(map[uint64]uint64)   // of an owner, 0 if it has several
	loose := make(map[uint64]*waitSet) // by owner: their lock is not known yet
	for _, stack := range stacks {
		at := g.sc.of[stack]
		g.note(stack, at)
		if !onObject(at) || at.design {
			continue
		}
		left := 0
		for i := range stack.members.len() {
			if !g.afford(stack) {
				left += stack.members.len() - i
				break
			}
			w := g.targetOf(ref{stack, i})
			sets, key := g.sets, w.lock
			if key == 0 {
				sets, key = loose, w.owner
			}
			switch {
			case key == 0:
			case sets[key] == nil && len(g.sets)+len(loose) >= maxSets:
				left++
			default:
				g.enter(sets, key, w, owners)
				if w.owner != 0 && owners[w.owner] {
					g.owns(locks, w)
				}
			}
		}
		if left > 0 {
			g.skip(stack, left)
		}
	}
	for _, owner := range sortedKeys(loose) {
		g.settle(loose[owner], locks[owner])
	}
	return owners
}

// settle puts a set whose owner is known among those of locks.
func (g *graph) settle(s *waitSet, lock uint64) {
	owner := s.key
	s.key, s.locked = cmp.Or(lock, s.key), lock != 0
	g.settled[owner] = s.key
	known := g.sets[s.key]
	if known != nil && known.op != s.op && lock != 0 {
		s.key, s.locked = owner, false // the owner has one of each kind
		g.settled[owner], known = owner, g.sets[owner]
	}
	if known == nil {
		g.sets[s.key] = s
		return
	}
	for _, p := range s.parts {
		known.merge(p)
	}
	known.readers += s.readers
	known.writers += s.writers
	known.hold(s.self)
	known.keepOldest(s.oldest)
	known.typ = cmp.Or(known.typ, s.typ)
	known.inStd = cmp.Or(known.inStd, s.inStd)
	known.longest = max(known.longest, s.longest)
	for _, v := range s.owners {
		known.ownedBy(v)
	}
}

// owns notes the lock of an owner, or that it has several.
func (g *graph) owns(locks map[uint64]uint64, w waiter) {
	if l, ok := locks[w.owner]; ok && l != w.lock && w.lock != 0 {
		locks[w.owner] = 0
		g.several[w.owner] = true
	} else if w.lock != 0 {
		locks[w.owner] = w.lock
	}
}

// onObject reports whether the goroutines of s wait for an object whose address
// a traceback may show.
func onObject(s *site) bool {
	return isLock(s.op) || s.op == WaitGroup || s.op == Cond || s.resource != ""
}

// enter puts w into the set of its object, and the owners of that among owners.
func (g *graph) enter(sets map[uint64]*waitSet, key uint64, w waiter,
	owners map[uint64]bool) {
	s := sets[key]
	if s == nil {
		s = &waitSet{key: key, locked: w.lock != 0, op: g.sc.of[w.ref.stack].op}
		sets[key] = s
	}
	minutes := w.ref.member().Minutes
	s.merge(part{stack: w.ref.stack, count: 1, last: int32(w.ref.i),
		longest: minutes, some: []int32{int32(w.ref.i)}})
	writes := writesLock(w.ref.stack)
	if writes {
		s.writers++
	} else {
		s.readers++
	}
	if w.outer > 0 {
		own := &waiting{w.ref, minutes, w.outer, w.apart}
		s.keepOldest(own)
		if w.apart || s.op == RWMutex && !writes {
			s.hold(own)
		}
	}
	s.typ, s.inStd = cmp.Or(s.typ, w.typ), cmp.Or(s.inStd, w.inStd)
	s.longest = max(s.longest, minutes)
	// The object often begins with its lock, and the receiver is doubtful where
	// it is not used after the lock has been taken.
	for _, v := range append(w.near.all(), w.owner, w.lock) {
		if s.ownedBy(v) {
			owners[v] = true
		}
	}
}

// merge adds the goroutines of p.
func (s *waitSet) merge(p part) {
	if n := len(s.parts); n == 0 || s.parts[n-1].stack != p.stack {
		s.parts = append(s.parts, p)
		return
	}
	known := &s.parts[len(s.parts)-1]
	if len(known.some) < maxSome {
		known.some = append(known.some, p.some...)
	}
	known.count += p.count
	known.last = max(known.last, p.last)
	known.longest = max(known.longest, p.longest)
}

// hold keeps w, unless it is nil, if it is the likeliest to hold the object.
func (s *waitSet) hold(w *waiting) {
	best := s.self
	if best == nil || w != nil && (w.apart && !best.apart ||
		w.apart == best.apart && w.minutes > best.minutes) {
		s.self = w
	}
}

// keepOldest keeps w, unless it is nil, if none has waited longer.
func (s *waitSet) keepOldest(w *waiting) {
	if s.oldest == nil || w != nil && w.minutes >= s.oldest.minutes {
		s.oldest = w
	}
}

// ownedBy adds an owner, and reports whether it is among those that count.
func (s *waitSet) ownedBy(v uint64) bool {
	if v == 0 || slices.Contains(s.owners, v) {
		return v != 0
	}
	if len(s.owners) == maxOwners {
		return false
	}
	s.owners = append(s.owners, v)
	return true
}

// maxOwners bounds the objects that a lock may be in.
const maxOwners = 8

// targetOf is target for one goroutine.
func (g *graph) targetOf(r ref) waiter {
	g.buf = r.stack.args(r.i, g.buf[:0])
	w := g.target(r.stack, g.buf)
	w.ref = r
	return w
}

// setOf returns the set that a goroutine waits in, or nil.
func (g *graph) setOf(r ref) *waitSet {
	if at := g.sc.of[r.stack]; !onObject(at) || at.design {
		return nil
	}
	w := g.targetOf(r)
	if w.lock != 0 {
		return g.sets[w.lock]
	}
	return g.sets[g.settled[w.owner]]
}

// part returns the part of s that a goroutine is in, or nil.
func (s *waitSet) part(r ref) *part {
	if s == nil {
		return nil
	}
	for i := range s.parts {
		if p := &s.parts[i]; p.stack == r.stack && r.i <= int(p.last) {
			return p
		}
	}
	return nil
}

// single takes the goroutines that others wait for out of their sets.
func (g *graph) single() {
	for _, n := range g.order {
		s := g.setOf(n.ref)
		if p := s.part(n.ref); p != nil {
			s.singles = append(s.singles, n)
			p.take(n.ref.i)
		}
	}
}

// take removes member i.
func (p *part) take(i int) {
	p.some = slices.DeleteFunc(p.some, func(at int32) bool { return at == int32(i) })
	p.count--
}

// link makes the edges of a set.
func (g *graph) link(s *waitSet) {
	if s.holder == nil {
		return
	}
	s.holder.sure = s.sure
	object := s.object()
	for _, n := range s.singles {
		if n == s.holder {
			n.object = object
			continue
		}
		g.edge(n, s.holder, object)
	}
	for i := range s.parts {
		p := &s.parts[i]
		if int(p.count) == len(p.some) {
			for _, at := range p.some {
				g.edge(g.node(ref{p.stack, int(at)}), s.holder, object)
			}
			continue
		}
		p.node = g.add(&node{ref: ref{p.stack, -1}, site: g.sc.of[p.stack],
			count: int(p.count), longest: p.longest})
		g.edge(p.node, s.holder, object)
	}
}

// apart moves a goroutine from a node of several to a separate node, which it
// returns. It returns nil for a goroutine that is in no such node.
func (g *graph) apart(r ref) *node {
	p := g.setOf(r).part(r)
	switch {
	case p == nil || p.node == nil:
		return nil
	case p.node.count == 1: // the others have been taken out of it
		p.node.ref = r
		g.nodes[r] = p.node
		return p.node
	}
	p.node.count--
	n := g.add(&node{ref: r, site: p.node.site, count: 1})
	g.edge(n, p.node.to, p.node.object)
	return n
}

// object names the object of s, as in "(*Cache) 0xc000442730".
func (s *waitSet) object() string {
	if s.typ != "" && len(s.owners) > 0 {
		return fmt.Sprintf("%s %#x", displayType(s.typ), s.owners[0])
	}
	return fmt.Sprintf("the %s %#x", nouns[s.op], s.key)
}

// nouns name the objects of operations.
var nouns = map[Operation]string{
	Mutex: "mutex", RWMutex: "RWMutex", WaitGroup: "WaitGroup", Cond: "sync.Cond",
	Semaphore: "semaphore",
}

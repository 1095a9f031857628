package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// insideCall is a call of a goroutine inside an object.
type insideCall struct {
	stack *Stack
	i     int32 // of the member
	frame int16
	arg   bool // the object is not its receiver
}

// holding is a goroutine that is inside an object.
type holding struct {
	ref   ref
	owner uint64 // the object
	frame int
	score int
	typ   string
	arg   bool // it only has the object among its arguments
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

// find looks for the goroutines that are inside of an owner, for those that ids
// asks for, and for children.
func (g *graph) find(stacks []*Stack, owners map[uint64]bool) {
	inside := make(map[uint64][]insideCall)
	var buf []args
	for _, stack := range stacks {
		at := g.sc.of[stack]
		taker, holding, left := tracing(stack), mayHold(stack, at), 0
		for i, m := range stack.members.all() {
			if _, ok := g.ids[m.ID]; ok {
				g.ids[m.ID] = ref{stack, i}
			}
			if of, ok := g.born[m.Parent]; ok && len(of) < 64 {
				g.born[m.Parent] = append(of, ref{stack, i})
			}
			if len(owners) == 0 || holding == 0 || taker {
				continue
			}
			if !g.afford(stack) {
				left++
				continue
			}
			buf = stack.args(i, buf[:0])
			g.insides(ref{stack, i}, buf[:min(len(buf), holding)], owners, inside)
		}
		if left > 0 {
			g.skip(stack, left)
		}
	}
	g.inside = inside
}

// mayHold returns how many calls of a stack, from the innermost, may be in the
// middle of something. Idle by design, a goroutine holds no lock, except in a
// call that waits for a child process on behalf of the calls further out, and in
// what a library does between two jobs.
func mayHold(stack *Stack, s *site) int {
	if !s.design || s.verdict.why == childProcess {
		return len(stack.Frames)
	}
	at, _, _ := designAt(stack)
	return max(at, 0)
}

// maxInside bounds how many calls inside one object are compared; those of rare
// stacks come first.
const maxInside = 256

// insides notes the objects that the calls of a goroutine have as receiver or
// argument.
func (g *graph) insides(r ref, words []args, owners map[uint64]bool,
	inside map[uint64][]insideCall) {
	user, caller := max(userCall(r.stack), 0), lockCaller(r.stack)
	var own uint64 // the object that it waits for is no place where it holds it
	if at := g.sc.of[r.stack]; user < len(words) && (isLock(at.op) ||
		at.resource != "") {
		own = words[user].receiver()
		if m := writtenIn(r.stack, user); m < len(words) {
			own = words[m].receiver()
		}
	}
	for f := range min(len(words), len(r.stack.Frames)) {
		if f < min(user, caller) && g.methodType(r.stack.Frames[f].Func) != fdType {
			continue
		}
		for j := range words[f].n {
			v := words[f].word[j]
			if v == 0 || words[f].doubtful[j] || !owners[v] ||
				v == own && !g.several[v] || len(inside[v]) >= maxInside {
				continue
			}
			inside[v] = append(inside[v], insideCall{r.stack, int32(r.i), int16(f), j > 0})
		}
	}
}

// holding is c as a holder.
func (g *graph) holding(c insideCall) holding {
	h := holding{ref: ref{c.stack, int(c.i)}, frame: int(c.frame)}
	if !c.arg {
		h.typ = g.methodType(c.stack.Frames[c.frame].Func)
	}
	h.arg = h.typ == ""
	return h
}

// choose finds the holder among the goroutines that are inside the object.
func (g *graph) choose(s *waitSet) {
	if s.op == Cond || s.op == WaitGroup {
		return // it is not held: another goroutine must signal, or end
	}
	best, second := g.candidates(s)
	if best.ref.stack == nil || best.score < 0 || best.arg && best.score < likely {
		g.chooseSelf(s)
		return
	}
	i := slices.Index(s.owners, best.owner)
	s.owners[0], s.owners[i] = s.owners[i], s.owners[0] // the one to name
	s.holder = g.node(best.ref)
	s.typ = cmp.Or(s.typ, best.typ)
	s.holder.may = best.arg || best.atAnotherLock(g)
	s.sure = ConfidenceMedium
	if !s.holder.may && best.score >= likely &&
		(second.ref.stack == nil || second.score < likely) {
		s.sure = ConfidenceHigh
	}
}

// candidates returns the two likeliest holders among the goroutines that are
// inside the object and do not wait for it. It keeps no list: there may be a
// million of them in all.
func (g *graph) candidates(s *waitSet) (best, second holding) {
	for _, owner := range s.owners {
		for _, c := range g.inside[owner] {
			h := g.holding(c)
			h.owner = owner
			if h.typ != s.typ && !s.locked || s.elsewhere(h) ||
				g.setOf(h.ref) == s {
				continue
			}
			if !g.afford(h.ref.stack) {
				g.skip(h.ref.stack, 1)
				continue
			}
			h.score = g.score(s, h)
			switch {
			case h.ref == best.ref:
				if h.score > best.score {
					best = h
				}
			case h.likelier(best):
				if best.ref.stack != nil {
					second = best
				}
				best = h
			case h.likelier(second):
				second = h
			}
		}
	}
	return best, second
}

// likelier orders holders: by their score, then the one that has waited longer.
// Any is likelier than none.
func (h holding) likelier(other holding) bool {
	if other.ref.stack == nil || h.score != other.score {
		return other.ref.stack == nil || h.score > other.score
	}
	a, b := h.ref.member(), other.ref.member()
	return cmp.Or(cmp.Compare(b.Minutes, a.Minutes), cmp.Compare(a.ID, b.ID)) < 0
}

// elsewhere reports whether h is in a call of the standard library other than
// the one that waits: its types have several locks, but for a Logger.
func (s *waitSet) elsewhere(h holding) bool {
	user := userCall(h.ref.stack)
	if user >= 0 && h.frame >= user || s.typ == fdType {
		return false
	}
	return h.typ != "log.Logger" && h.ref.stack.Frames[h.frame].Func != s.inStd
}

// chooseSelf finds a goroutine that holds the object it waits for: a call
// further out on the same object, with one on another object in between, since a
// method that only calls the one that locks holds nothing. Where a writer waits
// too, a reader is enough that has been through a method of the object before.
func (g *graph) chooseSelf(s *waitSet) {
	best := s.self
	if best == nil || !best.apart && (s.readers == 0 || s.writers == 0) {
		best = s.oldest // the lock was taken before any of them came to wait
		if best == nil || best.minutes < s.longest || s.longest == 0 ||
			s.readers+s.writers < 2 {
			return
		}
	}
	if !best.apart && g.sc.partial {
		return
	}
	s.holder = g.node(best.ref)
	s.holder.self = best.ref.stack.Frames[best.outer].Func
	s.holder.may = !best.apart
	s.holder.queued = s.writer(best.ref.stack)
	s.sure = ConfidenceMedium
	if best.apart {
		s.sure = ConfidenceHigh
	}
}

// writer returns the goroutine that a reader of an RWMutex waits behind: one that
// waits to lock it for writing. It is 0 if reader writes itself.
func (s *waitSet) writer(reader *Stack) uint64 {
	if s.op != RWMutex || s.writers == 0 || writesLock(reader) {
		return 0
	}
	first := part{}
	for _, p := range s.parts {
		if writesLock(p.stack) && (first.stack == nil || p.longest > first.longest) {
			first = p
		}
	}
	if first.stack == nil || len(first.some) == 0 {
		return 0
	}
	return first.stack.members.member(int(first.some[0])).ID
}

// writesLock reports whether the goroutines of s wait to lock an RWMutex for
// writing.
func writesLock(s *Stack) bool {
	for _, f := range s.Frames {
		switch f.Func {
		case "sync.(*RWMutex).RLock":
			return false
		case "sync.(*RWMutex).Lock":
			return true
		}
	}
	return false
}

// likely is the score of a holder that has no better explanation.
const likely = 4

// score rates how likely a goroutine inside the object holds it: one
// that is blocked further in, and has been for as long as the others wait, and
// not one that is in the loop it was started for.
func (g *graph) score(s *waitSet, h holding) int {
	stack := h.ref.stack
	at, user := g.sc.of[stack], userCall(stack)
	loop := h.frame >= lastUser(stack)
	score := 0
	if h.arg {
		score -= 2
	}
	switch {
	case h.atAnotherLock(g):
		score += 2
		if !s.locked || h.arg {
			return -1
		}
	case stuckIn(at.op):
		score += 6
	case parked(at.op) && h.frame > user && !loop:
		score += 4
	case parked(at.op) && h.frame > user:
		score += 3
	case parked(at.op) && loop:
		score -= 6 // between two jobs
	case parked(at.op):
		score += 2
	case loop && h.frame == user && isLoop(stack.Frames[h.frame].Func):
		score -= 4 // it reads or serves, which is its work
	case loop && h.frame == user:
		score++
	default:
		score += 4
	}
	if m := h.ref.member().Minutes; s.longest > 0 && at.op != Running {
		if m+1 >= s.longest {
			score += 3
		} else {
			score -= 2
		}
	}
	return score
}

// atAnotherLock reports whether the call inside the object waits for another lock
// of it, which it may have come to after the one in question, or without that.
func (h holding) atAnotherLock(g *graph) bool {
	at := g.sc.of[h.ref.stack]
	return h.frame == userCall(h.ref.stack) && (isLock(at.op) || at.resource != "")
}

// lastUser returns the index of the outermost call that is not the standard
// library's.
func lastUser(s *Stack) int {
	for i := len(s.Frames) - 1; i >= 0; i-- {
		if !isStd(s.Frames[i].Func) {
			return i
		}
	}
	return len(s.Frames)
}

// isLoop reports whether a function's name says that its goroutine lives in it.
func isLoop(symbol string) bool {
	name := strings.ToLower(symbol[strings.LastIndexByte(symbol, '.')+1:])
	for _, word := range []string{"loop", "serve", "run", "worker", "listen",
		"accept", "main"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
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

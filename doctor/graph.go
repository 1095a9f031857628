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
		for i := range min(len(stack.Members), most) {
			buf = stack.args(i, buf[:0])
			if w := target(stack, buf); w.lock != 0 {
				found[w.lock] = true
			}
		}
		if len(found) > most {
			break
		}
	}
	return found
}

// orphans returns how many of the goroutines of s were created by one that is in
// no stack any more.
func (g *graph) orphans(s *site) int {
	n := 0
	for _, stack := range s.stacks {
		for _, m := range stack.Members {
			if parent, known := g.ids[m.Parent]; known && parent.stack == nil &&
				m.Parent != 0 {
				n++
			}
		}
	}
	return n
}

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
	ids     map[uint64]ref   // of goroutines that others may wait for
	born    map[uint64][]ref // children, of goroutines that may wait for them
	inside  map[uint64][]holding
	keys    map[*site]map[uint64]bool // see locks
	several map[uint64]bool           // owners with more than one lock
	effort  int
	cut     int // goroutines that were not compared

	cycles [][]*node
}

// ref is one goroutine: a member of a stack.
type ref struct {
	stack *Stack
	i     int
}

func (r ref) member() Member { return r.stack.Members[r.i] }

// node is a goroutine that waits or is waited for, or all those of a site.
type node struct {
	ref     ref
	site    *site
	count   int
	to      *node
	object  string // what it waits for
	from    []*node
	behind  int
	pending int // of from, while behind is summed
	cyclic  bool
	sure    Confidence // that it holds what those behind it wait for
	may     bool       // it is not seen to hold it, only to know it
	self    string     // the call of it that holds what it waits for itself
}

// minutes is how long n has waited.
func (n *node) minutes() int {
	if n.ref.stack == nil {
		return n.site.longest
	}
	return int(n.ref.member().Minutes)
}

// id is the goroutine's, or 0.
func (n *node) id() uint64 {
	if n.ref.stack == nil {
		return 0
	}
	return n.ref.member().ID
}

// waitSet is the goroutines that wait for the same object.
type waitSet struct {
	key     uint64 // of the lock if it is known, of its owner if not
	locked  bool   // key is the lock
	op      Operation
	typ     string // of the owner, a package and a type
	owners  []uint64
	waiters []waiter
	longest uint32
	holder  *node
	sure    Confidence
}

// waiter is one goroutine that waits for an object.
type waiter struct {
	ref   ref
	lock  uint64
	owner uint64 // the receiver of the user's call, if the lock may be in it
	typ   string
	near  []uint64 // what else the lock may be in: words of calls further out
	outer string   // a call further out on the same owner
	apart bool     // and between the two a call on another one
}

// holding is a goroutine that is inside an object.
type holding struct {
	ref   ref
	frame int
	score int
	typ   string
	arg   bool // it only has the object among its arguments
}

// maxGraph bounds the calls whose words are read, some seconds' worth for
// millions of goroutines; small stacks come first, since the holder is rarely
// one of many.
const maxGraph = 16 << 20

// newGraph reads who waits for what, and who is inside of what others wait for.
func newGraph(sc *scene) *graph {
	g := &graph{sc: sc, effort: maxGraph, nodes: make(map[ref]*node),
		groups: make(map[*site]*node), sites: make(map[*site][]*node), sets: make(map[uint64]*waitSet),
		ids: make(map[uint64]ref), born: make(map[uint64][]ref),
		keys: make(map[*site]map[uint64]bool), several: make(map[uint64]bool)}
	stacks := slices.Clone(sc.now.Stacks)
	slices.SortStableFunc(stacks, func(a, b *Stack) int {
		return cmp.Compare(a.Count, b.Count)
	})
	owners := g.collect(stacks)
	if len(owners)+len(g.ids)+len(g.born) > 0 {
		g.find(stacks, owners)
	}
	for _, key := range sortedKeys(g.sets) {
		g.choose(g.sets[key])
	}
	for _, key := range sortedKeys(g.sets) {
		g.link(g.sets[key])
	}
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

// afford reports whether the words of another goroutine may be read.
func (g *graph) afford(s *Stack) bool {
	if g.effort -= len(s.Frames) + 1; g.effort < 0 {
		g.cut++
		return false
	}
	return true
}

// collect makes the wait sets, and notes of which goroutines more must be
// known. It returns the objects that someone may be inside of.
func (g *graph) collect(stacks []*Stack) map[uint64]bool {
	owners := make(map[uint64]bool)
	locks := make(map[uint64]uint64) // of an owner, 0 if it has several
	var all []waiter
	var buf []args
	for _, stack := range stacks {
		at := g.sc.of[stack]
		g.note(stack, at)
		if !onObject(at) || at.design {
			continue
		}
		for i := range stack.Members {
			if !g.afford(stack) {
				break
			}
			buf = stack.args(i, buf[:0])
			w := target(stack, buf)
			w.ref = ref{stack, i}
			if w.lock == 0 && w.owner == 0 {
				continue
			}
			all = append(all, w)
			for _, v := range w.near {
				owners[v] = true
			}
			if w.owner != 0 {
				owners[w.owner] = true
				if l, ok := locks[w.owner]; ok && l != w.lock && w.lock != 0 {
					locks[w.owner] = 0
					g.several[w.owner] = true
				} else if w.lock != 0 {
					locks[w.owner] = w.lock
				}
			}
		}
	}
	for _, w := range all {
		if w.lock == 0 {
			w.lock = locks[w.owner]
		}
		g.enter(w)
	}
	return owners
}

// onObject reports whether the goroutines of s wait for an object whose address
// a traceback may show.
func onObject(s *site) bool {
	return isLock(s.op) || s.op == WaitGroup || s.op == Cond || s.resource != ""
}

// note remembers of whom the goroutines of stack may wait to hear.
func (g *graph) note(stack *Stack, at *site) {
	const most = 1 << 18
	for _, m := range stack.Members {
		if len(g.ids)+len(g.born) > most {
			g.cut += len(stack.Members)
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

// enter puts w into the set of its object.
func (g *graph) enter(w waiter) {
	key := cmp.Or(w.lock, w.owner)
	s := g.sets[key]
	if s == nil {
		s = &waitSet{key: key, locked: w.lock != 0, op: g.sc.of[w.ref.stack].op}
		g.sets[key] = s
	}
	s.waiters = append(s.waiters, w)
	s.typ = cmp.Or(s.typ, w.typ)
	s.longest = max(s.longest, w.ref.member().Minutes)
	for _, v := range append([]uint64{w.owner}, w.near...) {
		if v != 0 && !slices.Contains(s.owners, v) && len(s.owners) < 8 {
			s.owners = append(s.owners, v)
		}
	}
}

// waits are the calls whose first word is the object waited for.
var waits = map[string]bool{
	"sync.(*Mutex).Lock": true, "sync.(*Mutex).lockSlow": true,
	"internal/sync.(*Mutex).Lock": true, "internal/sync.(*Mutex).lockSlow": true,
	"sync.(*RWMutex).Lock": true, "sync.(*RWMutex).RLock": true,
	"sync.(*WaitGroup).Wait": true, "sync.(*Cond).Wait": true,
	"golang.org/x/sync/semaphore.(*Weighted).Acquire": true,
	"golang.org/x/sync/errgroup.(*Group).Wait":        true,
	"golang.org/x/sync/errgroup.(*Group).Go":          true,
	"golang.org/x/sync/singleflight.(*Group).Do":      true,
	"database/sql.(*DB).conn":                         true,
}

// semas are those whose first word is a semaphore in the object, and where it
// is unless a call further out says more.
var semas = map[string]uint64{
	"sync.runtime_Semacquire":               4,
	"sync.runtime_SemacquireMutex":          4,
	"internal/sync.runtime_SemacquireMutex": 4,
	"sync.runtime_SemacquireRWMutexR":       12,
	"sync.runtime_SemacquireRWMutex":        8,
	"sync.runtime_SemacquireWaitGroup":      8,
}

// owners of a semaphore that is no mutex's, and where it is in them.
var semaOwners = map[string]uint64{
	"sync.(*RWMutex).RLock": 12, "sync.(*RWMutex).Lock": 8,
	"sync.(*WaitGroup).Wait": 8,
}

// target returns what a goroutine waits for: the lock by the calls of package
// sync, its owner by the receiver of the user's call.
func target(stack *Stack, words []args) (w waiter) {
	user := userCall(stack)
	var sema, offset uint64
	for i, f := range stack.Frames {
		if i == user || i >= len(words) {
			break
		}
		first := words[i].receiver()
		if off, ok := semas[f.Func]; ok && first > maxObject && sema == 0 {
			sema, offset = first, off
		} else if off, ok := semaOwners[f.Func]; ok && offset == 4 {
			offset = off
		}
		if (waits[f.Func] || isLocker(f.Func)) && first != 0 {
			w.lock = first
		}
	}
	if w.lock == 0 && sema != 0 {
		w.lock = sema - offset
	}
	if user < 0 {
		return w
	}
	w.near = near(w.lock, words, user)
	typ := methodType(stack.Frames[user].Func)
	if typ == "" {
		return w
	}
	between := false
	for i := user; i < len(stack.Frames) && i < len(words); i++ {
		if methodType(stack.Frames[i].Func) != typ {
			between = between || methodType(stack.Frames[i].Func) != ""
			continue
		}
		first := words[i].receiver()
		if w.owner == 0 && first != 0 {
			w.owner, w.typ = first, typ
		}
		if i > user && (first == w.owner || words[i].inlined) &&
			stack.Frames[i].Func != stack.Frames[user].Func {
			w.outer, w.apart = stack.Frames[i].Func, between
		}
		if w.owner == 0 && !words[i].inlined {
			break // its receiver is not known
		}
	}
	if w.owner != 0 && w.lock != 0 && w.lock-w.owner >= maxObject {
		// The lock is not part of it, so to be inside it is not to hold it.
		w.owner, w.typ, w.outer, w.apart = 0, "", "", false
	}
	return w
}

// maxObject is how far into an object a lock is looked for.
const maxObject = 4 << 10

// near returns the words of the user's calls that may be the object that a lock
// is in: a lock is often waited for in a method of another type than its own.
func near(lock uint64, words []args, user int) (found []uint64) {
	if lock == 0 {
		return nil
	}
	const calls = 6
	for i := user; i < min(len(words), user+calls); i++ {
		for j := range words[i].n {
			v := words[i].word[j]
			if v != 0 && !words[i].doubtful[j] && lock-v < maxObject &&
				(i > user || j > 0) && !slices.Contains(found, v) && len(found) < 4 {
				found = append(found, v)
			}
		}
	}
	return found
}

// methodType returns the package and type of a method with a pointer receiver,
// which is the first word of the call; "" for others and for closures.
func methodType(symbol string) string {
	pkg := packageOf(symbol)
	name := strings.TrimPrefix(symbol[len(pkg):], ".")
	if !strings.HasPrefix(name, "(*") || declared(symbol) != symbol {
		return ""
	}
	return pkg + "." + typeOf(symbol)
}

// displayType is "(*Cache)" for "example.com/app.Cache".
func displayType(typ string) string {
	return "(*" + typ[strings.LastIndexByte(typ, '.')+1:] + ")"
}

// find looks for the goroutines that are inside of an owner, for those that ids
// asks for, and for children.
func (g *graph) find(stacks []*Stack, owners map[uint64]bool) {
	inside := make(map[uint64][]holding)
	var buf []args
	for _, stack := range stacks {
		at := g.sc.of[stack]
		taker := tracing(stack)
		for i, m := range stack.Members {
			if _, ok := g.ids[m.ID]; ok && !taker {
				g.ids[m.ID] = ref{stack, i}
			}
			if of, ok := g.born[m.Parent]; ok && len(of) < 64 {
				g.born[m.Parent] = append(of, ref{stack, i})
			}
			if len(owners) == 0 || at.design || taker || stack.words == nil ||
				!g.afford(stack) {
				continue
			}
			buf = stack.args(i, buf[:0])
			g.insides(ref{stack, i}, buf, owners, inside)
		}
	}
	g.inside = inside
}

// maxInside bounds how many calls inside one object are compared; those of rare
// stacks come first.
const maxInside = 256

// insides notes the objects that the calls of a goroutine have as receiver or
// argument.
func (g *graph) insides(r ref, words []args, owners map[uint64]bool,
	inside map[uint64][]holding) {
	user := max(userCall(r.stack), 0)
	var own uint64 // the object that it waits for is no place where it holds it
	if at := g.sc.of[r.stack]; user < len(words) && (isLock(at.op) ||
		at.resource != "") {
		own = words[user].receiver()
	}
	for f := user; f < min(len(words), len(r.stack.Frames)); f++ {
		for j := range words[f].n {
			v := words[f].word[j]
			if v == 0 || words[f].doubtful[j] || !owners[v] ||
				v == own && !g.several[v] || len(inside[v]) >= maxInside {
				continue
			}
			typ := methodType(r.stack.Frames[f].Func)
			if j > 0 {
				typ = ""
			}
			inside[v] = append(inside[v], holding{ref: r, frame: f, typ: typ,
				arg: typ == ""})
		}
	}
}

// choose finds the holder among the goroutines that are inside the object.
func (g *graph) choose(s *waitSet) {
	if s.op == Cond {
		return // it is not held: someone must signal
	}
	if !slices.ContainsFunc(s.owners, func(v uint64) bool {
		return len(g.inside[v]) > 0
	}) {
		g.chooseSelf(s)
		return
	}
	own := make(map[ref]bool, len(s.waiters))
	for _, w := range s.waiters {
		own[w.ref] = true
	}
	best := make(map[ref]holding)
	for _, owner := range s.owners {
		for _, h := range g.inside[owner] {
			if own[h.ref] || h.typ != s.typ && !s.locked || !g.afford(h.ref.stack) {
				continue
			}
			h.score = g.score(s, h)
			if known, ok := best[h.ref]; !ok || h.score > known.score {
				best[h.ref] = h
			}
		}
	}
	list := make([]holding, 0, len(best))
	for _, h := range best {
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b holding) int {
		return cmp.Or(cmp.Compare(b.score, a.score),
			cmp.Compare(b.ref.member().Minutes, a.ref.member().Minutes),
			cmp.Compare(a.ref.member().ID, b.ref.member().ID))
	})
	if len(list) == 0 || list[0].score < 0 ||
		list[0].arg && list[0].score < likely {
		g.chooseSelf(s)
		return
	}
	s.holder = g.node(list[0].ref)
	s.typ = cmp.Or(s.typ, list[0].typ)
	s.holder.may = list[0].arg
	s.sure = ConfidenceMedium
	if !list[0].arg && list[0].score >= likely &&
		(len(list) == 1 || list[1].score < likely) {
		s.sure = ConfidenceHigh
	}
}

// chooseSelf finds a goroutine that waits for what it holds: a call further out
// on the same object, with one on another object in between, since a method
// that only calls the one that locks holds nothing. Where a writer waits too, a
// reader is enough that has been through a method of the object before.
func (g *graph) chooseSelf(s *waitSet) {
	var best, first *waiter
	readers, writers := 0, 0
	for i := range s.waiters {
		w := &s.waiters[i]
		if g.sc.writes(w.ref.stack) {
			writers++
		} else {
			readers++
		}
		if w.ref.member().Minutes >= s.longest && w.outer != "" && s.longest > 0 &&
			len(s.waiters) > 1 {
			first = w
		}
		if w.outer == "" || best != nil && (best.apart && !w.apart ||
			best.apart == w.apart &&
				best.ref.member().Minutes >= w.ref.member().Minutes) {
			continue
		}
		if w.apart || s.op == RWMutex && !g.sc.writes(w.ref.stack) {
			best = w
		}
	}
	if best == nil || !best.apart && (readers == 0 || writers == 0) {
		best = first // the lock was taken before any of them came to wait
	}
	if best == nil || !best.apart && g.sc.partial {
		return
	}
	s.holder = g.node(best.ref)
	s.holder.self, s.holder.may = best.outer, !best.apart
	s.sure = ConfidenceMedium
	if best.apart {
		s.sure = ConfidenceHigh
	}
}

// writes reports whether the goroutines of s wait to lock an RWMutex for
// writing.
func (sc *scene) writes(s *Stack) bool {
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

// score says how likely it is that a goroutine inside the object holds it: one
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
	case h.frame == user && (isLock(at.op) || at.resource != ""):
		// It waits for another lock of the same object, which it may have
		// taken after this one.
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
		score -= 2
	case parked(at.op):
		score += 2
	case loop && h.frame == user && isLoop(stack.Frames[h.frame].Func):
		score-- // it reads or serves, which is its work
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

// node returns the node of a goroutine.
func (g *graph) node(r ref) *node {
	n := g.nodes[r]
	if n == nil {
		n = &node{ref: r, site: g.sc.of[r.stack], count: 1}
		g.nodes[r] = n
		g.add(n)
	}
	return n
}

// group returns the node of all goroutines of a site.
func (g *graph) group(s *site) *node {
	if s.count == 1 && len(s.stacks[0].Members) == 1 {
		return g.node(ref{s.stacks[0], 0})
	}
	n := g.groups[s]
	if n == nil {
		n = &node{site: s, count: s.count}
		g.groups[s] = n
		g.add(n)
	}
	return n
}

func (g *graph) add(n *node) {
	g.order = append(g.order, n)
	g.sites[n.site] = append(g.sites[n.site], n)
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

// link makes the edges of a set.
func (g *graph) link(s *waitSet) {
	if s.holder == nil {
		return
	}
	s.holder.sure = s.sure
	for _, w := range s.waiters {
		if s.holder.ref == w.ref {
			s.holder.object = s.object()
			continue
		}
		g.edge(g.node(w.ref), s.holder, s.object())
	}
}

// object is what the goroutines of s wait for, as in "(*Cache) 0xc000442730".
func (s *waitSet) object() string {
	if s.typ != "" && len(s.owners) > 0 {
		return fmt.Sprintf("%s %#x", displayType(s.typ), s.owners[0])
	}
	return fmt.Sprintf("the %s %#x", nouns[s.op], s.key)
}

// What a goroutine waits for, where that is no object.
const (
	toEnd     = "to end"
	toReceive = "to receive"
	toUnlock  = "to unlock"
)

// families links goroutines that wait for a WaitGroup or a result with those
// that they created.
func (g *graph) families(stacks []*Stack) {
	for _, stack := range stacks {
		at := g.sc.of[stack]
		for i := range stack.Members {
			r := ref{stack, i}
			switch {
			case at.design:
			case at.op == WaitGroup, at.op == ChanReceive:
				if child, ok := g.child(r, at.op); ok {
					g.edge(g.node(r), g.node(child), toEnd)
				}
			}
		}
	}
}

// parent returns the goroutine that created r, if it still runs the function
// that did, and is not one that only accepts connections.
func (g *graph) parent(r ref) (ref, bool) {
	p := g.ids[r.member().Parent]
	if p.stack == nil || g.sc.of[p.stack].design {
		return ref{}, false
	}
	// A function that was started by its name may serve any caller; a literal
	// has the variables of the function that it is written in.
	last := lastUser(r.stack)
	if last == len(r.stack.Frames) {
		return ref{}, false
	}
	literal := r.stack.Frames[last].Func
	if declared(literal) == literal || strings.Contains(literal, ".gowrap") ||
		!created(p.stack, r.stack) {
		return ref{}, false
	}
	for _, f := range p.stack.Frames {
		if declared(f.Func) == declared(literal) {
			return p, true
		}
	}
	return ref{}, false
}

// collectors links blocked senders with the goroutines that started them to
// collect what they send.
func (g *graph) collectors(s *site) {
	for _, stack := range s.stacks {
		for i := range stack.Members {
			r := ref{stack, i}
			if parent, ok := g.parent(r); ok && g.collects(parent, s) {
				g.edge(g.node(r), g.node(parent), toReceive)
			}
		}
	}
}

// collects reports whether the goroutine that created the senders of a site
// is who should receive from them: it is not parked, which the runtime rules
// out, and if it waits for their end, none of its other children is at work.
func (g *graph) collects(parent ref, senders *site) bool {
	at := g.sc.of[parent.stack]
	if parked(at.op) || at == senders {
		return false
	}
	for _, c := range g.born[parent.member().ID] {
		other := g.sc.of[c.stack]
		if other != senders && !parked(other.op) && !other.design {
			return false
		}
	}
	return true
}

// created reports whether a call of parent started child.
func created(parent, child *Stack) bool {
	by := child.CreatedBy.Func
	switch by {
	case "":
		return false
	case "golang.org/x/sync/errgroup.(*Group).Go", "sync.(*WaitGroup).Go",
		"golang.org/x/sync/errgroup.(*Group).TryGo":
		return true
	}
	if isStd(by) {
		return false
	}
	for _, f := range parent.Frames {
		if f.Func == by || declared(f.Func) == declared(by) {
			return true
		}
	}
	return false
}

// child returns the child of r that most likely keeps it waiting: one that is
// stuck, the longest first; for a WaitGroup any that does not wait for work.
func (g *graph) child(r ref, op Operation) (ref, bool) {
	best, rank := ref{}, -1
	for _, c := range g.born[r.member().ID] {
		at := g.sc.of[c.stack]
		if at.design || !created(r.stack, c.stack) {
			continue
		}
		rankOf := int(c.member().Minutes)
		switch {
		case op == ChanReceive && at.op == WaitGroup:
			continue // it waits for the same end
		case stuckIn(at.op) || at.resource != "":
			rankOf += 1 << 40
		case op == ChanReceive || parked(at.op):
			continue
		}
		if rankOf > rank {
			best, rank = c, rankOf
		}
	}
	return best, rank >= 0
}

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

// doing says what n is in, where and for how long.
func (n *node) doing() string {
	text := doing(n.site.op)
	if n.site.resource != "" {
		text = "waiting for " + n.site.resource
	}
	text += " in " + name(n.site.at)
	if m := n.minutes(); m > 0 {
		text += " for " + plural(m, "minute")
	}
	return text
}

// who is "goroutine 117", or "3 goroutines".
func (n *node) who() string {
	if id := n.id(); id != 0 {
		return fmt.Sprintf("goroutine %d", id)
	}
	return plural(n.count, "goroutine")
}

// holds is the object that those behind n wait for.
func (n *node) holds() string {
	for _, w := range n.from {
		switch w.object {
		case toEnd, toReceive, toUnlock:
		default:
			return w.object
		}
	}
	return ""
}

// nouns name the objects of operations.
var nouns = map[Operation]string{
	Mutex: "mutex", RWMutex: "RWMutex", WaitGroup: "WaitGroup", Cond: "sync.Cond",
	Semaphore: "semaphore",
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
		count[n.to]++
		if best == nil || count[n.to] > count[best] {
			best = n.to
		}
	}
	if best == nil {
		return nil, ""
	}
	return best, cmp.Or(best.sure, ConfidenceMedium)
}

// itself is "waits for itself: it holds (*queue) 0xc0002f4a80 in
// server.(*queue).changed and has been waiting for it in server.(*queue).confirm
// (queue.go:311) for 8 minutes".
func (n *node) itself() string {
	text := "waits for itself: it holds "
	if n.may {
		text = "may wait for itself: it may hold "
	}
	text += cmp.Or(n.object, n.holds(), "the lock") + " in " + short(n.self) +
		" and has been waiting for it in " + name(n.site.at)
	if m := n.minutes(); m > 0 {
		text += " for " + plural(m, "minute")
	}
	return text
}

// workers returns how many goroutines are alive that may end what the goroutines
// of s wait for: those that they, or the goroutine that created them, have
// started.
func (g *graph) workers(s *site) int {
	n := 0
	for _, stack := range s.stacks {
		for _, m := range stack.Members {
			n += len(g.born[m.ID])
			if m.Parent == 0 {
				continue
			}
			for _, sibling := range g.born[m.Parent] {
				if g.sc.of[sibling.stack] != s {
					n++
				}
			}
		}
	}
	return n
}

// holding is "goroutine 22 holds (*conn) 0xc000200000 and is waiting for IO in
// app.(*conn).flush (conn.go:90) for 26 minutes".
func (n *node) holding() string {
	held := n.holds()
	if n.self != "" {
		return n.who() + " " + n.itself()
	}
	if n.may && held != "" {
		return n.who() + " may hold " + held + " and is " + n.doing()
	}
	if n.site.op == OperationUnknown {
		return n.who() + " took " + cmp.Or(held, "it") + " in " + name(n.site.at)
	}
	if held != "" {
		return n.who() + " holds " + held + " and is " + n.doing()
	}
	return n.who() + " is " + n.doing()
}

const (
	maxTrees   = 16 // trees of a report
	maxWaiting = 8  // nodes behind one
	maxDepth   = 4
)

// causes are the roots that a report shows: those that goroutines wait for which
// are stuck, or that are stuck themselves.
func (sc *scene) causes() []*node {
	var shown []*node
	for _, n := range sc.graph.roots() {
		stuck := n.cyclic || n.warned()
		for _, w := range n.from {
			stuck = stuck || w.warned()
		}
		if stuck {
			shown = append(shown, n)
		}
		if len(shown) == maxTrees {
			break
		}
	}
	return shown
}

func (n *node) warned() bool {
	v := n.site.verdict
	return v.report && v.severity >= Warning || v.covered
}

// wait is n as a tree.
func (n *node) wait(depth int) *Wait {
	w := &Wait{Goroutine: n.id(), Count: n.count, Behind: n.behind,
		Operation: n.site.op, Function: n.site.at.Func, File: n.site.at.File,
		Line: n.site.at.Line, Minutes: n.minutes(), Cycle: n.cyclic}
	if depth > 0 {
		w.For = n.object
	}
	if depth == maxDepth {
		return w
	}
	type place struct {
		site   *site
		object string
	}
	merged := make(map[place]*Wait)
	for _, from := range n.from {
		if from.cyclic && depth > 0 {
			continue // the root of a cycle shows the ring in its sentence
		}
		at := place{from.site, from.object}
		if known := merged[at]; known != nil {
			known.Goroutine = 0
			known.Count += from.count
			known.Behind += from.behind
			known.Minutes = max(known.Minutes, from.minutes())
			continue
		}
		merged[at] = from.wait(depth + 1)
		w.Waiting = append(w.Waiting, merged[at])
	}
	slices.SortStableFunc(w.Waiting, func(a, b *Wait) int {
		return cmp.Compare(b.Count+b.Behind, a.Count+a.Behind)
	})
	w.Waiting = w.Waiting[:min(len(w.Waiting), maxWaiting)]
	return w
}

// sentence says that most of the stuck goroutines, or some, wait for n.
func (n *node) sentence(stuck int) string {
	if n.cyclic {
		text := "deadlock: " + ring(rotate(n))
		if n.behind > 0 {
			text += "; " + number(n.behind) + " behind them"
		}
		return text
	}
	who := "everything waits"
	if 10*(n.behind+n.count) < 9*stuck {
		who = clause{" waits", " wait"}.of(n.behind)
		who = plural(n.behind, "goroutine") + who
	}
	be := clause{"it is", "they are"}.of(n.count)
	if n.minutes() > 0 {
		be = clause{"it has been", "they have been"}.of(n.count)
	}
	held := n.holds()
	if n.self != "" {
		return fmt.Sprintf("%s for %s, which %s; %s behind it", who, n.who(),
			n.itself(), number(n.behind))
	}
	if held != "" {
		verb := clause{"it holds ", "they hold "}.of(n.count)
		if n.may {
			verb = clause{"it may hold ", "they may hold "}.of(n.count)
		}
		_, is, _ := strings.Cut(be, " ")
		be = verb + held + " and " + is
	}
	return fmt.Sprintf("%s for %s: %s %s; %s behind %s", who, n.who(), be,
		n.doing(), number(n.behind), pronoun(n.count))
}

package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"math"
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

// waitSet is the goroutines that wait for the same object.
type waitSet struct {
	key     uint64 // of the lock if it is known, of its owner if not
	locked  bool   // key is the lock
	op      Operation
	typ     string // of the owner, a package and a type
	owners  []uint64
	inStd   string // the standard library's call that locks, or ""
	waiters []waiting
	longest uint32
	holder  *node
	sure    Confidence
}

// waiting is a goroutine of a wait set.
type waiting struct {
	stack *Stack
	i     int32
	outer int16 // see waiter
	apart bool
}

func (w *waiting) ref() ref { return ref{w.stack, int(w.i)} }

// holding is a goroutine that is inside an object.
type holding struct {
	ref   ref
	frame int
	score int
	typ   string
	arg   bool // it only has the object among its arguments
}

// collect makes the wait sets, and notes of which goroutines more must be
// known. It returns the objects that someone may be inside of.
func (g *graph) collect(stacks []*Stack) map[uint64]bool {
	owners := make(map[uint64]bool)
	locks := make(map[uint64]uint64)   // of an owner, 0 if it has several
	loose := make(map[uint64]*waitSet) // by owner: their lock is not known yet
	var buf []args
	for _, stack := range stacks {
		at := g.sc.of[stack]
		g.note(stack, at)
		if !onObject(at) || at.design {
			continue
		}
		for i := range stack.members.len() {
			if !g.afford(stack) {
				break
			}
			buf = stack.args(i, buf[:0])
			w := g.target(stack, buf)
			w.ref = ref{stack, i}
			switch {
			case w.lock != 0:
				g.enter(g.sets, w.lock, w)
			case w.owner != 0:
				g.enter(loose, w.owner, w)
			}
			for _, v := range w.near.all() {
				owners[v] = true
			}
			if w.owner != 0 {
				owners[w.owner] = true
				g.owns(locks, w)
			}
		}
	}
	for _, owner := range sortedKeys(loose) {
		g.settle(loose[owner], locks[owner])
	}
	return owners
}

// settle puts a set whose owner is known among those of locks.
func (g *graph) settle(s *waitSet, lock uint64) {
	s.key, s.locked = cmp.Or(lock, s.key), lock != 0
	known := g.sets[s.key]
	if known == nil {
		g.sets[s.key] = s
		return
	}
	known.waiters = append(known.waiters, s.waiters...)
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

// enter puts w into the set of its object.
func (g *graph) enter(sets map[uint64]*waitSet, key uint64, w waiter) {
	s := sets[key]
	if s == nil {
		s = &waitSet{key: key, locked: w.lock != 0, op: g.sc.of[w.ref.stack].op}
		sets[key] = s
	}
	s.waiters = append(s.waiters, waiting{w.ref.stack, int32(w.ref.i),
		int16(min(w.outer, math.MaxInt16)), w.apart})
	s.typ, s.inStd = cmp.Or(s.typ, w.typ), cmp.Or(s.inStd, w.inStd)
	s.longest = max(s.longest, w.ref.member().Minutes)
	s.ownedBy(w.owner)
	for _, v := range w.near.all() {
		s.ownedBy(v)
	}
}

func (s *waitSet) ownedBy(v uint64) {
	if v != 0 && !slices.Contains(s.owners, v) && len(s.owners) < 8 {
		s.owners = append(s.owners, v)
	}
}

// find looks for the goroutines that are inside of an owner, for those that ids
// asks for, and for children.
func (g *graph) find(stacks []*Stack, owners map[uint64]bool) {
	inside := make(map[uint64][]holding)
	var buf []args
	for _, stack := range stacks {
		at := g.sc.of[stack]
		taker, holding := tracing(stack), mayHold(stack, at)
		for i, m := range stack.members.all() {
			if _, ok := g.ids[m.ID]; ok {
				g.ids[m.ID] = ref{stack, i}
			}
			if of, ok := g.born[m.Parent]; ok && len(of) < 64 {
				g.born[m.Parent] = append(of, ref{stack, i})
			}
			if len(owners) == 0 || holding == 0 || taker || stack.members.len() == 0 ||
				!g.afford(stack) {
				continue
			}
			buf = stack.args(i, buf[:0])
			g.insides(ref{stack, i}, buf[:min(len(buf), holding)], owners, inside)
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
	inside map[uint64][]holding) {
	user, caller := max(userCall(r.stack), 0), lockCaller(r.stack)
	var own uint64 // the object that it waits for is no place where it holds it
	if at := g.sc.of[r.stack]; user < len(words) && (isLock(at.op) ||
		at.resource != "") {
		own = words[user].receiver()
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
			typ := g.methodType(r.stack.Frames[f].Func)
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
	if s.op == Cond || s.op == WaitGroup {
		return // it is not held: another goroutine must signal, or end
	}
	list := g.candidates(s)
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

// candidates returns the goroutines that are inside the object and do not wait
// for it, the likeliest holder first.
func (g *graph) candidates(s *waitSet) []holding {
	if !slices.ContainsFunc(s.owners, func(v uint64) bool {
		return len(g.inside[v]) > 0
	}) {
		return nil
	}
	own := make(map[ref]bool, len(s.waiters))
	for _, w := range s.waiters {
		own[w.ref()] = true
	}
	best := make(map[ref]holding)
	for _, owner := range s.owners {
		for _, h := range g.inside[owner] {
			if own[h.ref] || h.typ != s.typ && !s.locked || s.elsewhere(h) ||
				!g.afford(h.ref.stack) {
				continue
			}
			h.score = g.score(s, h)
			if known, ok := best[h.ref]; !ok || h.score > known.score {
				best[h.ref] = h
			}
		}
	}
	list := slices.Collect(maps.Values(best))
	slices.SortFunc(list, func(a, b holding) int {
		return cmp.Or(cmp.Compare(b.score, a.score),
			cmp.Compare(b.ref.member().Minutes, a.ref.member().Minutes),
			cmp.Compare(a.ref.member().ID, b.ref.member().ID))
	})
	return list
}

// elsewhere reports whether h is in a call of the standard library other than
// the one that waits: its types have several locks.
func (s *waitSet) elsewhere(h holding) bool {
	user := userCall(h.ref.stack)
	if user >= 0 && h.frame >= user || s.typ == fdType {
		return false
	}
	name := h.ref.stack.Frames[h.frame].Func
	return name != s.inStd
}

// chooseSelf finds a goroutine that holds the object it waits for: a call
// further out on the same object, with one on another object in between, since a
// method that only calls the one that locks holds nothing. Where a writer waits
// too, a reader is enough that has been through a method of the object before.
func (g *graph) chooseSelf(s *waitSet) {
	var best, first *waiting
	readers, writers := 0, 0
	for i := range s.waiters {
		w := &s.waiters[i]
		if g.sc.writes(w.stack) {
			writers++
		} else {
			readers++
		}
		if w.ref().member().Minutes >= s.longest && w.outer > 0 && s.longest > 0 &&
			len(s.waiters) > 1 {
			first = w
		}
		if w.outer == 0 || best != nil && (best.apart && !w.apart ||
			best.apart == w.apart &&
				best.ref().member().Minutes >= w.ref().member().Minutes) {
			continue
		}
		if w.apart || s.op == RWMutex && !g.sc.writes(w.stack) {
			best = w
		}
	}
	if best == nil || !best.apart && (readers == 0 || writers == 0) {
		best = first // the lock was taken before any of them came to wait
	}
	if best == nil || !best.apart && g.sc.partial {
		return
	}
	s.holder = g.node(best.ref())
	s.holder.self = best.stack.Frames[best.outer].Func
	s.holder.may = !best.apart
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

// link makes the edges of a set.
func (g *graph) link(s *waitSet) {
	if s.holder == nil {
		return
	}
	s.holder.sure = s.sure
	for _, w := range s.waiters {
		if s.holder.ref == w.ref() {
			s.holder.object = s.object()
			continue
		}
		g.edge(g.node(w.ref()), s.holder, s.object())
	}
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

package doctor

import (
	"cmp"
	"slices"
)

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

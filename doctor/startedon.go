package doctor

import (
	"fmt"
	"slices"
)

// startedOn returns the goroutine that was started with an object as an argument
// or the receiver, has waited for as many minutes, and passes the test pass: the
// loop of a connection, say, which receives the values that its methods send, and
// ends when it is closed. Of several it is the one that has waited longest.
func (sc *scene) startedOn(object uint64, minutes int, pass func(*site) bool) (ref,
	bool) {
	var found ref
	if object == 0 {
		return found, false
	}
	for _, r := range sc.startedWith()[object] {
		at, age := sc.of[r.stack], int(r.member().Minutes)
		switch {
		case !sc.spend():
			return ref{}, false
		case age+1 < minutes || !pass(at),
			found.stack != nil && age <= int(found.member().Minutes):
		default:
			found = r
		}
	}
	return found, found.stack != nil
}

// startedWith returns the goroutines that were started with each object. It is
// computed once, rather than for each goroutine that closes one.
func (sc *scene) startedWith() map[uint64][]ref {
	const most = 64 // members of a stack that are compared
	if sc.started != nil {
		return sc.started
	}
	sc.started = make(map[uint64][]ref)
	for _, s := range sc.sites {
		if s.design {
			continue
		}
		for _, stack := range s.stacks {
			last := lastUser(stack)
			for i := range min(stack.members.len(), most) {
				if !sc.graph.afford(stack) {
					return sc.started
				}
				words := stack.args(i, nil)
				if last >= len(words) {
					continue
				}
				for _, v := range words[last].certain() {
					sc.started[v] = append(sc.started[v], ref{stack, i})
				}
			}
		}
	}
	return sc.started
}

// certain returns the words of a call that are known for certain.
func (a args) certain() (words []uint64) {
	for i := range min(a.n, 3) {
		if v := a.word[i]; v != 0 && !a.doubtful[i] && !slices.Contains(words, v) {
			words = append(words, v)
		}
	}
	return words
}

// receiverOn links the only goroutine of s, which sends in a method of an object,
// with the goroutine that was started on the object and is stuck itself.
func (sc *scene) receiverOn(s *site) *node {
	stack := s.stacks[0]
	user, words := userCall(stack), stack.args(0, nil)
	if s.count != 1 || user < 0 || user >= len(words) ||
		methodType(stack.Frames[user].Func) == "" {
		return nil
	}
	r, ok := sc.startedOn(words[user].receiver(), s.longest, func(o *site) bool {
		return o != s && (stuckIn(o.op) || o.resource != "")
	})
	if !ok {
		return nil
	}
	from, n := sc.graph.node(ref{stack, 0}), sc.graph.node(r)
	sc.graph.join(from, n, toReceive)
	sc.waitedFor(n, from, toReceive)
	return n
}

// unended links goroutines that close an object, and wait for others to end,
// with one that was started on the object and has waited as long. That one is
// reported unless it waits for the world outside.
func (sc *scene) unended(s *site) {
	if s.op != WaitGroup && s.op != ChanReceive || s.stacks[0].members.len() == 0 {
		return
	}
	stack := s.stacks[0]
	words := stack.args(0, nil)
	last := lastUser(stack)
	for i := max(userCall(stack), 0); i < min(len(words), len(stack.Frames)); i++ {
		if f := stack.Frames[i].Func; !isClosing(f, i < last) || methodType(f) == "" {
			continue
		}
		r, ok := sc.startedOn(words[i].receiver(), s.longest, func(o *site) bool {
			return o != s && (o.waits() || o.op == IO || o.op == Syscall)
		})
		if !ok {
			continue
		}
		from, n := sc.graph.node(ref{stack, 0}), sc.graph.node(r)
		sc.graph.join(from, n, toEnd)
		if n.site.waits() {
			sc.waitedFor(n, from, toEnd)
		}
		return
	}
}

// waitedFor reports the goroutines of the site of n, for one of which another
// waits, unless a finding is about them.
func (sc *scene) waitedFor(n, from *node, what string) {
	v := &n.site.verdict
	if n.site.warned() {
		return
	}
	text := fmt.Sprintf("%s waits for %d %s", from.who(), n.id(), what)
	*v = stuckVerdict(ConfidenceMedium, text, same(text))
}

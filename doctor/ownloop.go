package doctor

import (
	"fmt"
	"strings"

	"example.com/chanx/internal/printable"
)

// ownReceivers reports whether the senders are the receivers of their own
// channel: workers of a pool that submit to it.
func (sc *scene) ownReceivers(s *site) (c counterpart, ok bool) {
	typ := methodType(s.at.Func)
	if typ == "" {
		return c, false
	}
	workers, name := 0, ""
	for _, stack := range s.stacks {
		if loop := ownLoop(stack, typ); loop != "" {
			workers, name = workers+stack.Count, loop
		}
	}
	// A single loop may send to any channel. It is its own if others send there
	// through the same call, or all workers of a pool do.
	if workers == 0 || s.count == 1 || sc.alive(name) > workers {
		return c, false
	}
	who := clause{"it is one of its receivers",
		fmt.Sprintf("%s of them are its receivers", printable.Number(workers))}
	return counterpart{receiver: ReceiverPresent, confidence: ConfidenceMedium,
		blocked: true, clause: same(noReceiver + ": ").join(who).join(
			same(", in " + short(name)))}, true
}

// ownLoopOnly reports whether the sender's own loop may be its receiver: the
// goroutine has come through a method of the same value, and no other one is
// inside the type.
func (sc *scene) ownLoopOnly(s *site) (c counterpart, ok bool) {
	typ := methodType(s.at.Func)
	if typ == "" || s.count != 1 || s.requests > 0 ||
		s.longest < sc.rules.Minutes {
		return c, false
	}
	stack, user := s.stacks[0], userCall(s.stacks[0])
	words := stack.args(0, nil)
	for i := user + 1; i < min(len(stack.Frames), len(words)); i++ {
		f := stack.Frames[i].Func
		if methodType(f) == typ && f != s.at.Func && words[user].receiver() != 0 &&
			words[i].receiver() == words[user].receiver() {
			return counterpart{receiver: ReceiverPresent, blocked: true,
				confidence: ConfidenceLow, clause: same(noReceiver + ": " + short(f) +
					", which it is in, may be the receiver")}, true
		}
	}
	return c, false
}

// ownLoop returns the outermost call of a worker's stack that is of the type it
// sends to: a loop of it, or a literal in a method or a constructor that a
// goroutine was started with. A request may have come through any of these.
func ownLoop(stack *Stack, typ string) string {
	if isRequest(entryOf(stack)) {
		return ""
	}
	user := userCall(stack)
	for i := min(lastUser(stack), len(stack.Frames)-1); i > user; i-- {
		f := stack.Frames[i].Func
		owner := declared(f)
		if strings.Contains(f, ".gowrap") {
			continue
		}
		literal := f != owner
		if methodType(owner) == typ && (literal || isLoop(owner)) ||
			literal && builds(owner, packageOf(stack.Frames[user].Func),
				typeOf(stack.Frames[user].Func)) {
			return f
		}
	}
	return ""
}

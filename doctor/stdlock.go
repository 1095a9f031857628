package doctor

import "fmt"

// stdLock is a lock of the standard library: the call that waits for it, and the
// receiver of that, or 0 if it is not known or there are several.
type stdLock struct {
	call     string
	receiver uint64
}

// stdLockOf returns the lock that the goroutines of s wait for in a call of the
// standard library.
func stdLockOf(s *site, call string) stdLock {
	lock := stdLock{call: call}
	if methodType(call) == "" {
		return lock
	}
	for _, stack := range s.stacks {
		frame := frameOf(stack, call)
		for i := range min(stack.members.len(), maxSample) {
			words := stack.args(i, nil)
			if frame < 0 || frame >= len(words) || words[frame].receiver() == 0 ||
				lock.receiver != 0 && lock.receiver != words[frame].receiver() {
				return stdLock{call: call}
			}
			lock.receiver = words[frame].receiver()
		}
	}
	return lock
}

// holderInStd looks for the holder of a lock of the standard library, of which
// the names of the project say nothing: a goroutine further on in the same call,
// of the same value as far as that is known.
func (sc *scene) holderInStd(s *site, call string) counterpart {
	lock := stdLockOf(s, call)
	c, ok := sc.inStd[lock]
	if !ok {
		c = sc.furtherOn(lock)
		if sc.inStd == nil {
			sc.inStd = make(map[stdLock]counterpart)
		}
		sc.inStd[lock] = c
	}
	if n := c.node; n != nil {
		n.may = true
		sc.graph.guess(sc.graph.group(s), n, fmt.Sprintf("%s %#x",
			displayType(methodType(call)), lock.receiver))
		c.clause = same(n.holding())
		if n.writing(sc) {
			c.blocked = true
			c.clause = c.clause.and(same(notRead))
		}
	}
	return c
}

// furtherOn is holderInStd for a lock.
func (sc *scene) furtherOn(lock stdLock) counterpart {
	c := counterpart{receiver: ReceiverUnknown, confidence: ConfidenceLow,
		clause: same("no goroutine is seen to hold it")}
	for _, stack := range sc.now.Stacks {
		at := sc.of[stack]
		if sc.effort -= len(stack.Frames); sc.effort < 0 {
			return unlooked(c)
		}
		if isLock(at.op) || parked(at.op) {
			continue
		}
		frame := frameOf(stack, lock.call)
		if frame < 0 {
			continue
		}
		known := receivers(stack, frame)
		if lock.receiver == 0 || len(known) == 0 {
			c.receiver, c.site = ReceiverPresent, at
			c.clause = same(fmt.Sprintf("a goroutine in %s may hold it and is %s",
				short(lock.call), where(at)))
			return c
		}
		for i := range stack.members.len() {
			if stack.args(i, nil)[frame].receiver() == lock.receiver {
				c.receiver, c.node = ReceiverPresent, sc.graph.node(ref{stack, i})
				c.confidence = ConfidenceMedium
				return c
			}
		}
	}
	return c
}

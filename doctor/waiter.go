package doctor

import (
	"slices"
	"strings"
)

// waiter is one goroutine that waits for an object.
type waiter struct {
	ref   ref
	lock  uint64
	owner uint64 // the receiver of the user's call, if the lock may be in it
	typ   string
	near  nearby // what else the lock may be in: words of calls further out
	inStd string // the call that locks, if it is the standard library's
	outer int    // a call further out on the same owner, or 0
	apart bool   // and between the two a call on another one
}

// nearby is a few addresses. It is made for each of a million goroutines, so it
// allocates nothing.
type nearby struct {
	n    int
	word [4]uint64
}

func (a *nearby) all() []uint64 { return a.word[:a.n] }

// waits are the calls whose first word is the object waited for.
var waits = map[string]bool{
	"sync.(*Mutex).Lock": true, "sync.(*Mutex).lockSlow": true,
	"internal/sync.(*Mutex).Lock": true, "internal/sync.(*Mutex).lockSlow": true,
	"sync.(*RWMutex).Lock": true, "sync.(*RWMutex).RLock": true,
	"sync.(*WaitGroup).Wait": true, "sync.(*Cond).Wait": true,
	fdLock: true, fdClose: true,
	"golang.org/x/sync/semaphore.(*Weighted).Acquire": true,
	"golang.org/x/sync/errgroup.(*Group).Wait":        true,
	"golang.org/x/sync/errgroup.(*Group).Go":          true,
	"golang.org/x/sync/singleflight.(*Group).Do":      true,
	"database/sql.(*DB).conn":                         true,
}

// fdLock is where a write to a file or connection waits for another one to end.
const fdLock = "internal/poll.(*fdMutex).rwlock"

// fdClose is where closing waits for the reads and writes of a file to end, if
// they are system calls rather than waits for the poller.
const fdClose = "internal/poll.(*FD).Close"

// fdType is the type of the objects that fdLock and fdClose are for.
const fdType = "internal/poll.FD"

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
func (g *graph) target(stack *Stack, words []args) (w waiter) {
	if len(stack.Frames) == 0 { // cut off behind its header
		return w
	}
	user := userCall(stack)
	w.lock = lockOf(stack, words, user)
	if w.lock != 0 && waitsForFD(stack) {
		w.owner, w.typ = w.lock, fdType
		return w
	}
	if w.once(stack, words) {
		return w
	}
	caller := lockCaller(stack)
	if user < 0 || caller < user {
		w.inStd = stack.Frames[caller].Func
	}
	w.near = near(w.lock, words, caller, user)
	if user < 0 {
		return w
	}
	w.own(g, stack, words, user)
	if w.owner != 0 && w.lock != 0 && w.lock-w.owner >= maxObject {
		// The lock is not part of it, so to be inside it is not to hold it.
		w.owner, w.typ, w.outer, w.apart = 0, "", 0, false
	}
	return w
}

// lockOf returns the address of the lock that a goroutine waits for, by the
// calls above the user's, or 0.
func lockOf(stack *Stack, words []args, user int) (lock uint64) {
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
			lock = first
		}
	}
	if lock == 0 && sema != 0 {
		lock = sema - offset
	}
	return lock
}

// own sets the receiver of the user's call, and whether a call further out is
// on the same object.
func (w *waiter) own(g *graph, stack *Stack, words []args, user int) {
	// A literal has the receiver of the method that it is written in.
	method := stack.Frames[writtenIn(stack, user)].Func
	typ := g.methodType(method)
	if typ == "" {
		return
	}
	between := false
	for i := user; i < len(stack.Frames) && i < len(words); i++ {
		if other := g.methodType(stack.Frames[i].Func); other != typ {
			between = between || other != ""
			continue
		}
		first := words[i].receiver()
		if w.owner == 0 && first != 0 {
			w.owner, w.typ = first, typ
		}
		if i > user && (first == w.owner || words[i].inlined) &&
			stack.Frames[i].Func != method {
			w.outer, w.apart = i, between
		}
		if w.owner == 0 && !words[i].inlined {
			return // its receiver is not known
		}
	}
}

// writtenIn returns the index of the call of the method that the literal called at
// user is written in, if the stack has it, and else user.
func writtenIn(stack *Stack, user int) int {
	method := declared(stack.Frames[user].Func)
	for i := user; i < len(stack.Frames); i++ {
		if stack.Frames[i].Func == method {
			return i
		}
	}
	return user
}

// waitsForFD reports whether the goroutines of s wait for a file's own lock.
func waitsForFD(s *Stack) bool {
	return s.above("internal/poll") && slices.ContainsFunc(s.Frames,
		func(f Frame) bool { return f.Func == fdLock || f.Func == fdClose })
}

// maxObject is how far into an object a lock is looked for.
const maxObject = 4 << 10

// onceCall runs the function of a sync.Once, with its lock held.
const onceCall = "sync.(*Once).doSlow"

// once reports whether a goroutine waits for a sync.Once whose function it is
// in.
func (w *waiter) once(stack *Stack, words []args) bool {
	for i, f := range stack.Frames {
		if i >= len(words) || !isStd(f.Func) {
			return false
		}
		if f.Func == onceCall {
			return w.onceFrom(stack, words, i)
		}
	}
	return false
}

// onceFrom is once for a call of onceCall that waits.
func (w *waiter) onceFrom(stack *Stack, words []args, inner int) bool {
	w.owner = words[inner].receiver()
	for i := inner + 1; i < min(len(words), len(stack.Frames)); i++ {
		if stack.Frames[i].Func == onceCall && w.owner != 0 &&
			words[i].receiver() == w.owner {
			w.typ, w.outer, w.apart = "sync.Once", i, true
			for j := i + 1; j < len(stack.Frames); j++ {
				if !isStd(stack.Frames[j].Func) {
					w.outer = j
					break
				}
			}
			return true
		}
	}
	w.owner = 0
	return false
}

// near returns the words of the calls from the one that locks to some outside the
// user's that may be the object that a lock is in: a lock is often waited for in
// a method of another type than its own.
func near(lock uint64, words []args, caller, user int) (found nearby) {
	if lock == 0 {
		return found
	}
	const calls = 6
	for i := caller; i < min(len(words), max(user, caller)+calls); i++ {
		for j := range words[i].n {
			v := words[i].word[j]
			if v != 0 && !words[i].doubtful[j] && lock-v < maxObject &&
				(i != user || j > 0) && !slices.Contains(found.all(), v) &&
				found.n < len(found.word) {
				found.word[found.n] = v
				found.n++
			}
		}
	}
	return found
}

// lockCaller returns the index of the call that waits for a lock: the innermost
// that is not of the runtime, of package sync or of a lock's type.
func lockCaller(s *Stack) int {
	for i, f := range s.Frames {
		switch packageOf(f.Func) {
		case "", "runtime", "sync", "internal/sync", "internal/poll":
		default:
			if !isLocker(f.Func) {
				return i
			}
		}
	}
	return max(len(s.Frames)-1, 0)
}

// lockOfStd returns the standard library's call that waits for a lock of its
// own, or "".
func lockOfStd(s *Stack) string {
	user, caller := userCall(s), lockCaller(s)
	if len(s.Frames) == 0 || user >= 0 && caller >= user ||
		!std[firstElement(s.Frames[caller].Func)] {
		return ""
	}
	return s.Frames[caller].Func
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

// methodType caches the results of the function methodType, which judging calls
// once per call and goroutine.
func (g *graph) methodType(symbol string) string {
	typ, ok := g.types[symbol]
	if !ok {
		typ = methodType(symbol)
		g.types[symbol] = typ
	}
	return typ
}

// displayType is "(*Cache)" for "example.com/app.Cache".
func displayType(typ string) string {
	return "(*" + typ[strings.LastIndexByte(typ, '.')+1:] + ")"
}

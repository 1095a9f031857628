package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// counterpart is what is known of who should be at the other end of a
// channel, or of who holds a lock.
type counterpart struct {
	receiver   Receiver
	confidence Confidence
	clause     string
	evidence   []string
	blocked    bool // it is alive, but stuck itself
}

// parked reports whether a goroutine in op is ready to be given something.
// The runtime hands a value over as soon as a sender and a receiver are on
// the same channel, so such a one is not the receiver of a channel on which
// senders are parked.
func parked(op Operation) bool {
	switch op {
	case "chan receive", "select", "select (no cases)", "chan receive (nil chan)",
		"chan send (nil chan)", "cond", "coroutine":
		return true
	}
	return false
}

// stuckIn reports whether op waits for another goroutine.
func stuckIn(op Operation) bool {
	switch op {
	case "chan send", "mutex", "rwmutex", "waitgroup", "semaphore":
		return true
	}
	return false
}

// isLock reports whether op waits for another goroutine to unlock.
func isLock(op Operation) bool {
	return op == "mutex" || op == "rwmutex" || op == "semaphore"
}

// relative is a goroutine that may have to do with a site.
type relative struct {
	stack *Stack
	site  *site
	call  Frame // what makes it a relative
}

// receiverOf looks for the receiver of the channel that the goroutines of s
// are sending on.
func (sc *scene) receiverOf(s *site) counterpart {
	if c, ok := sc.fromSource(s); ok {
		return c
	}
	c := counterpart{receiver: "missing", confidence: "medium",
		clause: "no goroutine is receiving there"}
	others := sc.relatives(s)
	for _, r := range others {
		switch {
		case r.site.count > s.count || r.site.design || parked(r.site.op):
			// Receivers are fewer than those who wait for them.
			continue
		case stuckIn(r.site.op):
			c.blocked = true
			c.clause = "no goroutine is receiving there: %s, its likely " +
				"receiver, is itself %s"
		default:
			c.clause = "no goroutine is receiving there at this moment: %s, " +
				"its likely receiver, is busy, %s"
		}
		c.receiver = "present"
		c.clause = fmt.Sprintf(c.clause, short(r.call.Func), where(r.site))
		return c
	}
	for _, r := range others {
		c.evidence = append(c.evidence, fmt.Sprintf("%s is alive and parked, %s: "+
			"not the receiver, or the runtime would have handed it a value",
			short(r.call.Func), where(r.site)))
	}
	c.evidence = dedupe(c.evidence)
	sc.gone(s, others, &c)
	if len(others) == 0 && c.confidence != "high" {
		sc.strangers(s, &c)
	}
	if sc.effort <= 0 {
		return unlooked(c)
	}
	return c
}

// unlooked takes back what an unfinished search says.
func unlooked(c counterpart) counterpart {
	c.receiver, c.confidence = "unknown", "low"
	c.evidence = append(c.evidence,
		"there are too many different stacks to look for who is at the other end")
	return c
}

// fromSource asks the source code who receives.
func (sc *scene) fromSource(s *site) (counterpart, bool) {
	if sc.rules.Receivers == nil {
		return counterpart{}, false
	}
	names := sc.rules.Receivers(s.finding())
	if names == nil {
		return counterpart{}, false
	}
	c := counterpart{receiver: "missing", confidence: "high",
		clause: "no goroutine is receiving there"}
	for _, name := range names {
		busy := sc.busyIn(name, s)
		switch {
		case busy != nil:
			return counterpart{receiver: "present", confidence: "high",
				blocked: stuckIn(busy.op),
				clause: fmt.Sprintf("%s receives there and is busy, %s",
					short(name), where(busy))}, true
		case sc.alive(name) > 0:
			c.evidence = append(c.evidence, fmt.Sprintf("%s receives from this "+
				"channel by the source and is parked elsewhere", short(name)))
		default:
			c.evidence = append(c.evidence, fmt.Sprintf("%s receives from this "+
				"channel by the source and is in no stack", short(name)))
			c.clause = "no goroutine is receiving there: " + short(name) +
				", which should, is in no stack"
		}
	}
	if len(names) == 0 {
		c.clause = "nothing in the source receives there"
	}
	return c, true
}

// busyIn returns the site of a goroutine that has a call of the function and
// is not parked, or nil.
func (sc *scene) busyIn(function string, not *site) *site {
	for _, stack := range sc.now.Stacks {
		at := sc.of[stack]
		if !sc.spend(stack) {
			break
		}
		if at == not || parked(at.op) {
			continue
		}
		for _, f := range stack.Frames {
			if f.Func == function {
				return at
			}
		}
	}
	return nil
}

// relatives returns the goroutines outside s that its type's constructor or
// methods run, or that stem from the same declared function.
func (sc *scene) relatives(s *site) []relative {
	owner := declared(s.at.Func)
	pkg, typ := packageOf(owner), typeOf(owner)
	var found []relative
	for _, stack := range sc.now.Stacks {
		at := sc.of[stack]
		if !sc.spend(stack) {
			break
		}
		if at == s || tracing(stack) {
			continue
		}
		for i := range len(stack.Frames) + 1 {
			f := stack.CreatedBy
			if i < len(stack.Frames) {
				f = stack.Frames[i]
			}
			if f.Func == "" ||
				f.Func == s.at.Func && (typ != "" || f.Line <= s.at.Line) {
				continue
			}
			related := typ != "" && builds(f.Func, pkg, typ) ||
				typ == "" && declared(f.Func) == owner
			if related {
				if i == len(stack.Frames) {
					f = stack.root()
				}
				found = append(found, relative{stack, at, f})
				break
			}
		}
	}
	return found
}

// gone looks for who was there and is not: closures of a constructor that
// must have existed by the numbering of their siblings, and functions that an
// earlier snapshot had.
func (sc *scene) gone(s *site, others []relative, c *counterpart) {
	for _, r := range others {
		f := r.stack.root().Func
		constructor := declared(f)
		if constructor == declared(s.at.Func) && typeOf(constructor) != "" {
			continue
		}
		for i := closure(f) - 1; i > 0; i-- {
			name := fmt.Sprintf("%s.func%d", constructor, i)
			if sc.alive(name) == 0 {
				c.confidence = "high"
				c.clause = fmt.Sprintf("no goroutine is receiving there: %s, by "+
					"the numbering of closures a sibling of %s, is in no stack",
					short(name), short(f))
				c.evidence = append(c.evidence, fmt.Sprintf("%s is alive, so %s "+
					"exists, and it is in no stack: it has returned",
					short(f), short(name)))
				break
			}
		}
		if c.confidence == "high" {
			break
		}
	}
	for _, v := range sc.vanished() {
		related := packageOf(v.Function) == packageOf(s.at.Func) &&
			(sameFile(v.file, s.at.File) || declared(v.Function) == declared(s.at.Func))
		if related {
			line := fmt.Sprintf("%s: %d then, 0 now", short(v.Function), v.Then)
			c.confidence = "high"
			c.clause = "no goroutine is receiving there: " + line
			c.evidence = append(c.evidence, line)
		}
	}
}

// strangers weakens the verdict if others of the same file are busy.
func (sc *scene) strangers(s *site, c *counterpart) {
	for _, stack := range sc.now.Stacks {
		at := sc.of[stack]
		if !sc.spend(stack) {
			break
		}
		if at == s || parked(at.op) || at.design || tracing(stack) {
			continue
		}
		for _, f := range stack.Frames {
			if !isStd(f.Func) && f.Func != s.at.Func && sameFile(f.File, s.at.File) &&
				packageOf(f.Func) == packageOf(s.at.Func) && f.Func != "main.main" {
				c.receiver, c.confidence = "unknown", "low"
				c.evidence = append(c.evidence, fmt.Sprintf("%s of the same file is "+
					"busy, %s, and may be the receiver", short(f.Func), where(at)))
				return
			}
		}
	}
}

// holderOf looks for the goroutine that holds the lock that s waits for.
func (sc *scene) holderOf(s *site) counterpart {
	owner := declared(s.at.Func)
	pkg, typ := packageOf(owner), typeOf(owner)
	inside := func(f Frame) bool {
		name := declared(f.Func)
		return typ != "" && typeOf(name) == typ && packageOf(name) == pkg ||
			typ == "" && name == owner
	}
	c := counterpart{receiver: "missing", confidence: "medium",
		clause: "no goroutine that could hold it is in any stack"}
	for _, stack := range sc.now.Stacks {
		at := sc.of[stack]
		if !sc.spend(stack) {
			return unlooked(c)
		}
		if at.design || tracing(stack) {
			continue
		}
		for i, f := range stack.Frames {
			waits := isLock(at.op) && i == userCall(stack)
			switch {
			case waits || f == s.at:
			case inside(f) && at == s:
				c = counterpart{receiver: "present", blocked: true,
					confidence: "medium",
					clause:     short(f.Func) + ", among their own callers, may hold it"}
			case inside(f):
				return counterpart{receiver: "present", confidence: "medium",
					blocked: stuckIn(at.op) || parked(at.op),
					clause: fmt.Sprintf("%s may hold it and is %s",
						short(f.Func), where(at))}
			case c.receiver == "missing" && at != s && packageOf(f.Func) == pkg &&
				f.Func != "main.main":
				c.receiver, c.confidence = "unknown", "low"
				c.clause = "no goroutine is seen to hold it"
			}
		}
	}
	return c
}

// where says what the goroutines of s do and at which line.
func where(s *site) string {
	return fmt.Sprintf("%s (%s:%d)", doing(s.op), base(s.at.File), s.at.Line)
}

func dedupe(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

var phrases = map[Operation]string{
	"chan send":               "blocked sending",
	"chan receive":            "blocked receiving",
	"chan send (nil chan)":    "blocked for ever sending to a nil channel",
	"chan receive (nil chan)": "blocked for ever receiving from a nil channel",
	"select":                  "blocked in a select",
	"select (no cases)":       "blocked for ever in an empty select",
	"mutex":                   "waiting for a mutex",
	"rwmutex":                 "waiting for an RWMutex",
	"cond":                    "waiting on a sync.Cond",
	"waitgroup":               "waiting for a sync.WaitGroup",
	"semaphore":               "waiting for a semaphore",
	"IO":                      "waiting for IO",
	"sleep":                   "sleeping",
	"syscall":                 "in a system call",
	"running":                 "running",
	"unknown":                 "blocked (the profile does not say in what)",
}

func doing(op Operation) string {
	if p, ok := phrases[op]; ok {
		return p
	}
	return "in the state " + strings.ToLower(string(op))
}

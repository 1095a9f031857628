package doctor

import (
	"fmt"

	"example.com/chanx/internal/printable"
)

// working judges goroutines that do not wait for another one.
func (sc *scene) working(s *site) verdict {
	v := verdict{state: VerdictWorking, why: doing(s.op)}
	if call := promptCall(s); call != "" && s.longest >= sc.rules.Minutes {
		v = stuckVerdict(ConfidenceMedium, "a system call that does not take that long",
			same(call+" does not take that long"))
		v.severity = sc.grade(s, Warning)
		return v
	}
	if call := osLock(s.stacks[0]); call != "" && s.op == Syscall &&
		s.longest >= min(sc.rules.Minutes, unheldTooLong) {
		v = stuckVerdict(ConfidenceMedium, "a lock that is not Go's",
			same(call+" waits for a lock that is not Go's"))
		v.severity = sc.grade(s, Warning)
		return v
	}
	if unanswered(s) {
		v = stuckVerdict(ConfidenceMedium, "waits for an answer that does not come",
			same("the server does not answer, and the call has no timeout"))
		v.severity = sc.grade(s, Warning)
		return v
	}
	switch {
	case s.op == Running && panicking(s.stacks[0]):
		return verdict{state: VerdictWorking, report: true, severity: Info,
			confidence: ConfidenceHigh, other: ConfidenceLow,
			receiver: ReceiverUnknown, why: "panics",
			clause: clause{"it panics", "they panic"}}
	case s.op == Running:
		return v
	case sc.oneShot(s):
		return leak("they are nearly all goroutines of the process")
	case s.op == IO && s.requests == 0:
		v.state, v.why = VerdictIdle, "waits for the other side of a connection"
	case s.op == Sleep && s.requests == 0:
		v.state, v.why = VerdictIdle, "sleeps"
	case s.op == IO && hears(s.stacks[0]):
		v.why = "reads from its own client"
	case s.requests >= sc.rules.Many ||
		s.op == Syscall && s.count >= sc.rules.Many:
		v = verdict{state: VerdictSlow, report: true, severity: Info,
			confidence: ConfidenceLow, other: ConfidenceLow,
			receiver: ReceiverUnknown, clause: same("slow rather than stuck")}
		if s.longest >= sc.rules.Minutes {
			v.severity, v.confidence = Warning, ConfidenceMedium
			v.clause = same(fmt.Sprintf("the longest for %s",
				printable.Plural(s.longest, "minute")))
		}
		v.why = v.clause.of(s.count)
	}
	return v
}

// panicking reports whether the goroutine of s is in a panic, rather than in a
// function that only has that in its name.
func panicking(s *Stack) bool {
	for _, f := range s.Frames {
		if f.Func == "panic" || f.Func == "runtime.gopanic" {
			return true
		}
		if !isStd(f.Func) {
			break
		}
	}
	return false
}

// unnamed judges a profile with debug=1 whose runtime calls have no names.
func (sc *scene) unnamed(s *site) verdict {
	v := verdict{state: VerdictUnknown,
		why: "the profile does not say what they wait for"}
	if s.op == ChanAny && s.requests == 0 && sc.dominant(s) {
		return leak("they are nearly all goroutines of the process")
	}
	if s.requests >= sc.rules.Many || s.count >= 100*sc.rules.Many {
		v.report, v.severity, v.confidence = true, Warning, ConfidenceLow
		v.receiver, v.other = ReceiverUnknown, ConfidenceLow
		if s.op == ChanAny {
			v.severity, v.confidence = sc.grade(s, Warning), ConfidenceMedium
		}
		v.clause = same("a profile with debug=1 leaves out the operation: take one " +
			"with debug=2, or give the server's symbols or its binary")
	}
	return v
}

// oneShot reports whether nearly all goroutines of a profile wait for IO in one
// function that by its name waits for one message, unlike the loop that serves a
// connection: a server has one of those for each client.
func (sc *scene) oneShot(s *site) bool {
	return s.op == IO && s.requests == 0 && sc.dominant(s) &&
		hasWord(s.at.Func, expecting)
}

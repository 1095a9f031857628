package doctor

import (
	"strings"
)

// copyTooLong is for how many minutes the output of a child that has ended may be
// copied.
const copyTooLong = 2

// afterChild judges goroutines that have seen their child process end and wait for
// the goroutines that copy its input and output: these end when no other process
// has the pipe open, or when the reader of the input returns.
func (sc *scene) afterChild(s *site) (v verdict, ended bool) {
	if s.op != ChanReceive {
		return v, false
	}
	copier := sc.copier()
	switch {
	case sc.deadlock, sc.onlyMain(s), s.count > 1 && sc.profiled(s),
		s.longest >= min(sc.rules.Minutes, copyTooLong),
		copier != nil && !sc.timed && sc.of[copier].op != Running:
	default:
		return v, false
	}
	v = verdict{state: VerdictStuck, report: true, severity: Warning,
		confidence: ConfidenceMedium, other: ConfidenceMedium,
		receiver: ReceiverPresent}
	v.why, v.clause = openAfter(copier)
	v.clause = v.clause.join(same(since(s, " for ")))
	if sc.deadlock {
		v.severity, v.confidence = Critical, ConfidenceHigh
	}
	return v, true
}

// copier returns where the copying of the input or output of a child that has ended
// stands, or nil if there is none or it may be another child's.
func (sc *scene) copier() *Stack {
	if sc.copying == nil {
		sc.copying = []*Stack{sc.findCopier()}
	}
	return sc.copying[0]
}

func (sc *scene) findCopier() (found *Stack) {
	for _, stack := range sc.now.Stacks {
		switch {
		case strings.HasPrefix(stack.CreatedBy.Func, "os/exec.(*Cmd).Start"):
			if found == nil || feeds(stack) {
				found = stack
			}
		case stack.has("os.(*Process).Wait"), stack.has("os/exec.(*Cmd).Start"):
			return nil
		}
	}
	return found
}

// feeds reports whether a goroutine copies the input of a child. That of a file
// is not copied, so it reads from something else.
func feeds(s *Stack) bool {
	return s.has("os/exec.(*Cmd).stdin") || s.has("os/exec.(*Cmd).childStdin") ||
		s.has("io.(*pipe).read") || s.has("io.(*PipeReader)")
}

// openAfter says why a copier outlasts its child. It is nil if it is not known.
func openAfter(copier *Stack) (why string, c clause) {
	switch {
	case copier != nil && feeds(copier):
		return "its child has ended, and its input is still being read",
			clause{"its child has ended, and the reader of the child's input has " +
				"not returned", "their children have ended, and the readers of " +
				"their input have not returned"}
	case copier != nil && !copier.has("os.(*File).Read") &&
		!copier.has("os.(*File).read"):
		return "its child has ended, and its output is still being written",
			clause{"its child has ended, and the writer of the child's output has " +
				"not returned", "their children have ended, and the writers of " +
				"their output have not returned"}
	}
	return "its child has ended, and its output is still open",
		clause{"its child has ended, and another process has kept the child's " +
			"output open", "their children have ended, and other processes have " +
			"kept the output open"}
}

// onlyMain reports whether s is the main goroutine and no other one is at work, so
// that the dump was taken because of it.
func (sc *scene) onlyMain(s *site) bool {
	if s.entry != "main" || sc.timed {
		return false
	}
	if sc.atWork == nil {
		sc.atWork = sc.two(func(o *site) bool {
			return o.awake() && sc.idle(o) == ""
		})
	}
	return !others(sc.atWork, s)
}

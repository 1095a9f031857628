package doctor

import "strings"

// overdue reports goroutines that have been closing, stopping or writing something
// for long. It runs if there is no other warning.
func (sc *scene) overdue() {
	for _, s := range sc.sites {
		var what string
		switch {
		case s.design || s.longest < sc.patience():
		case s.requests == 0 && writes(s) && s.longest >= peerGone:
			what = "a write"
		case (parked(s.op) || s.op == WaitGroup || s.op == Syscall) &&
			closing(s.stacks[0]):
			what = "to close or stop something"
		}
		if what == "" {
			continue
		}
		what += " does not take that long"
		s.verdict = stuckVerdict(ConfidenceMedium, what, same(what))
		if closing(s.stacks[0]) {
			sc.unended(s)
		}
	}
}

// peerGone is the age, in minutes, of a blocked write that no vanished peer
// explains: TCP gives up on it after a quarter of an hour or so.
const peerGone = 60

// closing reports whether the goroutines of s are in a call that closes or stops
// something.
func closing(s *Stack) bool { return closingCall(s) != "" }

// closingCall returns the innermost call of the user that closes or stops
// something, or "". One of the standard library further in comes before it.
func closingCall(s *Stack) string {
	last := lastUser(s)
	for i := max(userCall(s), 0); i < len(s.Frames); i++ {
		name := s.Frames[i].Func
		switch {
		case !isClosing(name, i < last):
		case isStd(name):
			return ""
		default:
			return name
		}
	}
	return ""
}

// isClosing reports whether a name is of a call that ends something itself. One of
// its words is enough for a method, unless a goroutine was started with it or it
// is one like waitForShutdown and closeLoop: these wait for a reason to do it.
func isClosing(symbol string, called bool) bool {
	switch symbol[strings.LastIndexByte(symbol, '.')+1:] {
	case "Close", "Stop", "Shutdown", "Disconnect":
		return true
	}
	if !called || methodType(declared(symbol)) == "" {
		return false
	}
	ends := false
	for _, w := range wordsOf(symbol) {
		switch w {
		case "close", "stop", "shutdown", "disconnect", "detach":
			ends = true
		case "start", "restart", "wait", "await", "for", "until", "on", "when", "after", "loop", "run",
			"notify", "signal", "signals", "listen", "handle", "handler", "watch",
			"monitor", "graceful", "gracefully":
			return false
		}
	}
	return ends
}

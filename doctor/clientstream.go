package doctor

import "strings"

// openStream is the design of the goroutine that grpc-go keeps for each stream of
// a client, until the stream has ended or its context is done.
const openStream = "watches a client's gRPC stream"

// unreadStreams reports whether s watches streams that have been open for long,
// while goroutines receive from fewer than half as many: the others were neither
// read to their end nor cancelled. A stream may stay open for days, but then
// a goroutine reads it.
func (sc *scene) unreadStreams(s *site) bool {
	if s.count < sc.rules.Many || s.longest < openTooLong || sc.partial {
		return false
	}
	if sc.readings == nil {
		sc.readings = new(int)
		for _, stack := range sc.now.Stacks {
			if readsStream(stack) {
				*sc.readings += stack.Count
			}
		}
	}
	return 2**sc.readings < s.count
}

// readsStream reports whether a goroutine is in a call of a client's stream.
func readsStream(s *Stack) bool {
	for _, f := range s.Frames {
		symbol := unvendored(f.Func)
		if strings.HasPrefix(symbol, "google.golang.org/grpc.(*clientStream).") ||
			strings.HasPrefix(symbol, "google.golang.org/grpc.(*addrConnStream).") {
			return true
		}
	}
	return false
}

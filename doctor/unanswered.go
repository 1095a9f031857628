package doctor

// unansweredTooLong is for how many minutes no HTTP server takes to answer: a
// long poll ends earlier, and a stream has sent its header by then.
const unansweredTooLong = 60

// unanswered reports whether the goroutines of s have asked an HTTP server, and
// have waited for the header of its answer, or for the end of one that they read
// whole, for longer than any server takes. Reading a stream piece by piece is
// not that.
func unanswered(s *site) bool {
	stack := s.stacks[0]
	return s.longest >= unansweredTooLong &&
		(stack.has("net/http.(*persistConn).roundTrip") ||
			stack.has("net/http.(*bodyEOFSignal).Read") &&
				(stack.has("io.ReadAll") || stack.has("io/ioutil.ReadAll") ||
					stack.has("io/ioutil.readAll")))
}

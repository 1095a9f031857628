package doctor

// oneShot reports whether nearly all goroutines of a profile wait for IO in one
// function that by its name waits for one message, unlike the loop that serves a
// connection: a server has one of those for each client.
func (sc *scene) oneShot(s *site) bool {
	if s.op != IO || s.requests > 0 || !sc.dominant(s) {
		return false
	}
	for _, word := range wordsOf(s.at.Func) {
		switch word {
		case "wait", "await", "expect":
			return true
		}
	}
	return false
}

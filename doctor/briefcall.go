package doctor

import (
	"slices"
	"strings"
)

// briefNames are names, in small letters, of methods that do one thing for their
// caller: they wait for an answer or for room, not for something to do. A name
// that goes on, as sendUpdates does, may be of a loop. Get, Lock and Flush are
// none, since they wait for work, for days or on a timer as often.
var briefNames = set([]string{
	"call", "commit", "delete", "list", "load", "ping", "publish", "put", "query",
	"remove", "request", "save", "send", "status",
})

// briefCall returns the method in which goroutines of s wait although it does not
// take long, or "".
func briefCall(s *site) string {
	user := userCall(s.stacks[0])
	if !parked(s.op) && s.op != WaitGroup || user < 0 ||
		user >= lastUser(s.stacks[0]) {
		return ""
	}
	name := s.stacks[0].Frames[user].Func
	if methodType(name) == "" ||
		!briefNames[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])] {
		return ""
	}
	return short(name)
}

// brief reports goroutines that have been in a brief call for long. It runs last,
// if there is no warning: most of them are behind another goroutine.
func (sc *scene) brief() {
	if slices.ContainsFunc(sc.sites, (*site).warned) {
		return
	}
	for _, s := range sc.sites {
		if s.design || s.requests > 0 || s.resource != "" ||
			s.longest < sc.rules.Minutes {
			continue
		}
		if call := briefCall(s); call != "" {
			why := call + " rarely takes that long"
			s.verdict = stuckVerdict(ConfidenceLow, why, same(why))
		}
	}
}

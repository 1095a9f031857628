package doctor

import "slices"

// consumer looks for the workers that take what the goroutines of s send: they
// were started with a value of theirs, which may be the channel, and all of them
// have been elsewhere for as long as the senders have waited.
func (sc *scene) consumer(s *site) (found relative, ok bool) {
	shared := rootWords(s.stacks[0], 0)
	if s.longest < sc.rules.Minutes || len(shared) == 0 {
		return found, false
	}
	refused := make(map[string]bool)
	sc.search(packageOf(s.at.Func), func(e entry) bool {
		if e.site == s || e.frame != lastUser(e.stack) {
			return true
		}
		name := e.call().Func
		for i, m := range e.stack.members.all() {
			if !slices.ContainsFunc(rootWords(e.stack, i), func(w uint64) bool {
				return slices.Contains(shared, w)
			}) {
				continue
			}
			away := e.site.op == IO || e.site.op == Syscall ||
				e.site.resource != ""
			if !away || int(m.Minutes)+1 < s.longest {
				refused[name] = true
			} else if !refused[name] && (!ok || found.site.count < e.site.count) {
				found, ok = relative{stack: e.stack, site: e.site, call: e.call()}, true
			}
			if !sc.spend() {
				return false
			}
		}
		return true
	})
	return found, ok && !refused[found.call.Func]
}

// rootWords returns the addresses among the arguments of the function that member
// i of s was started with.
func rootWords(s *Stack, i int) []uint64 {
	root, words := lastUser(s), []args(nil)
	if i < s.members.len() {
		words = s.args(i, nil)
	}
	if root >= len(words) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(words[root].word[:words[root].n]),
		func(w uint64) bool { return w == 0 })
}

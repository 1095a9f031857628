package doctor

import "slices"

// consumer looks for the workers that receive from the goroutines of s: they were
// started with an argument of theirs, which may be the channel, and all of them
// have been elsewhere for as long as the senders have waited. Where inlining has
// hidden the value, they have the same creator, and the last of them left when the
// senders began to wait.
func (sc *scene) consumer(s *site) (found relative, common string, ok bool) {
	shared, by := rootWords(s.stacks[0], 0), s.stacks[0].CreatedBy.Func
	if s.longest < sc.rules.Minutes || len(shared) == 0 && by == "" {
		return found, "", false
	}
	refused := make(map[string]bool)
	sc.search(packageOf(s.at.Func), func(e entry) bool {
		if e.site == s || e.frame != lastUser(e.stack) {
			return true
		}
		name := e.call().Func
		for i, m := range e.stack.members.all() {
			if len(shared) == 0 && e.stack.CreatedBy.Func != by ||
				len(shared) > 0 && disjointWords(shared, rootWords(e.stack, i)) {
				continue
			}
			if away := e.site.op == IO || e.site.resource == remote; !away ||
				int(m.Minutes)+1 < s.longest {
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
	if common = "an argument"; len(shared) == 0 {
		common, ok = "its creator", ok && found.site.count > 1 &&
			found.site.shortest() <= s.longest+1
	}
	return found, common, ok && !refused[found.call.Func]
}

// shortest is for how many minutes the last goroutine of s has waited.
func (s *site) shortest() int {
	least := uint32(s.longest)
	for _, stack := range s.stacks {
		for _, m := range stack.members.all() {
			least = min(least, m.Minutes)
		}
	}
	return int(least)
}

func disjointWords(a, b []uint64) bool {
	return !slices.ContainsFunc(a, func(w uint64) bool { return slices.Contains(b, w) })
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

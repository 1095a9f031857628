package doctor

// joined returns the goroutine that keeps r waiting for a WaitGroup in an object,
// as a method that stops the object does: one that the object itself has started
// with a method of it, and that does not wait for work.
func (g *graph) joined(r ref) (best ref, ok bool) {
	w := g.targetOf(r)
	if w.owner == 0 || w.lock == 0 {
		return best, false
	}
	for _, c := range g.inside[w.owner] {
		at, root := g.sc.of[c.stack], int(c.frame)
		if c.arg || root != lastUser(c.stack) || at.design ||
			at.op == WaitGroup || parked(at.op) && at.resource == "" ||
			g.methodType(c.stack.Frames[root].Func) != w.typ ||
			g.methodType(declared(c.stack.CreatedBy.Func)) != w.typ {
			continue
		}
		worker := ref{c.stack, int(c.i)}
		if !ok || worker.member().Minutes > best.member().Minutes {
			best, ok = worker, true
		}
	}
	return best, ok
}

// stopping reports whether goroutines of s, which stop something, are kept from it
// by n, which waits for another goroutine or for the other side of a connection.
func (s *site) stopping(n *node) bool {
	return closing(s.stacks[0]) && (n.site.waits() || writes(n.site))
}

package doctor

// joined returns the goroutine that keeps r waiting for a WaitGroup in an object,
// as a method that stops the object does: one that the object itself has started
// with a method of it, and that does not wait for work. It reports whether the
// object is known by its address.
func (g *graph) joined(r ref) (best ref, known, ok bool) {
	if g.sc.of[r.stack].count > maxSample || !g.afford(r.stack) {
		return best, false, false // few stop an object
	}
	w := g.targetOf(r)
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
	if !ok {
		best, ok = g.joinedByName(r, w.owner)
		return best, false, ok
	}
	return best, true, true
}

// joins makes the edge from a, which stops an object, to b of it. Goroutines that
// wait for each other by way of it are most likely a deadlock if the object is
// known: which one of its goroutines a waits for is not.
func (g *graph) joins(a, b *node, known bool) {
	if !known {
		g.guess(a, b, toEnd)
		return
	}
	if a.to == nil {
		a.likely = true
	}
	g.edge(a, b, toEnd)
}

// joinedByName is joined where inlining has hidden the addresses: of the
// goroutines that a method of the type has started with another one, or with a
// literal, just one does not wait for work. Only what stops something is looked at.
func (g *graph) joinedByName(r ref, owner uint64) (best ref, ok bool) {
	user := userCall(r.stack)
	if g.sc.of[r.stack].count > 1 || !closing(r.stack) {
		return best, false
	}
	typ := g.methodType(r.stack.Frames[user].Func)
	found := 0
	for _, worker := range g.workersOf(typ) {
		if worker.stack == r.stack {
			continue
		}
		frame := lastUser(worker.stack)
		root := worker.stack.Frames[frame].Func
		known := receivers(worker.stack, frame)
		if root == declared(root) && owner != 0 && len(known) > 0 && !known[owner] {
			continue
		}
		best = worker
		if found += worker.stack.Count; found > 1 || !g.sc.spend() {
			return best, false
		}
	}
	return best, found == 1 && best.stack.members.len() > 0
}

// workersOf returns the first goroutine of each stack that a method of the type
// has started with another one, or with a literal, and that does not wait for work.
func (g *graph) workersOf(typ string) []ref {
	if g.byType == nil {
		g.byType = make(map[string][]ref)
		for _, stack := range g.sc.now.Stacks {
			last, at := lastUser(stack), g.sc.of[stack]
			if at.design || parked(at.op) && at.resource == "" || tracing(stack) ||
				last == len(stack.Frames) {
				continue
			}
			t := g.methodType(declared(stack.Frames[last].Func))
			if t != "" && g.methodType(declared(stack.CreatedBy.Func)) == t {
				g.byType[t] = append(g.byType[t], ref{stack, 0})
			}
		}
	}
	return g.byType[typ]
}

// stopping reports whether goroutines of s, which stop something, are kept from it
// by n, which waits for another goroutine or for the other side of a connection.
func (s *site) stopping(n *node) bool {
	return closing(s.stacks[0]) && (n.site.waits() || writes(n.site))
}

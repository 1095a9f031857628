package doctor

import "strings"

// index finds the calls of one snapshot by package, so that looking for a
// receiver reads the calls that may be one rather than every stack. It leaves
// out the goroutines that take the snapshot.
type index struct {
	packages map[string][]entry
	alive    map[string]int
}

// entry is one call of a stack, or, at frame len(stack.Frames), its creator.
type entry struct {
	stack *Stack
	site  *site
	frame int
}

// call returns the call of e; for a creator it is the function that was
// started, which runs on the goroutine.
func (e entry) call() Frame {
	if e.frame == len(e.stack.Frames) {
		return e.stack.root()
	}
	return e.stack.Frames[e.frame]
}

// function is the symbol that e is listed for.
func (e entry) function() Frame {
	if e.frame == len(e.stack.Frames) {
		return e.stack.CreatedBy
	}
	return e.stack.Frames[e.frame]
}

// maxClosures bounds how many of the closures around a function count as alive
// with it: a symbol may be one long row of them.
const maxClosures = 8

func newIndex(sc *scene) *index {
	x := &index{packages: make(map[string][]entry), alive: make(map[string]int)}
	for _, stack := range sc.now.Stacks {
		if tracing(stack) {
			continue
		}
		x.add(stack, sc.of[stack])
	}
	return x
}

func (x *index) add(stack *Stack, at *site) {
	seen := make(map[string]bool)
	for i := range len(stack.Frames) + 1 {
		e := entry{stack, at, i}
		name := e.function().Func
		if name == "" || isStd(name) {
			continue
		}
		pkg := packageOf(name)
		x.packages[pkg] = append(x.packages[pkg], e)
		if i == len(stack.Frames) {
			break
		}
		for range maxClosures {
			if seen[name] {
				break
			}
			seen[name] = true
			x.alive[name] += stack.Count
			dot := strings.LastIndexByte(name, '.')
			if dot <= len(pkg) || !isClosure(name[dot+1:]) {
				break
			}
			name = name[:dot]
		}
	}
}

// search calls f with the calls of a package, until f returns false or the
// effort is spent. It returns false if effort ran out.
func (sc *scene) search(pkg string, f func(entry) bool) bool {
	if sc.index == nil {
		sc.index = newIndex(sc)
	}
	for _, e := range sc.index.packages[pkg] {
		if !sc.spend() {
			return false
		}
		if !f(e) {
			break
		}
	}
	return true
}

// spend reports whether another call may be compared.
func (sc *scene) spend() bool {
	sc.effort--
	return sc.effort > 0
}

// effortOf bounds the search for receivers and holders: 64 comparisons for each
// call of the snapshot, plus a million. A service with some
// hundred stacks needs a hundredth of that.
func effortOf(p *Snapshot) int {
	calls := 0
	for _, s := range p.Stacks {
		calls += len(s.Frames) + 1
	}
	return 1_000_000 + 64*calls
}

// alive returns how many goroutines have a call of the function or of a
// closure in it.
func (sc *scene) alive(function string) int {
	if sc.index == nil {
		sc.index = newIndex(sc)
	}
	return sc.index.alive[function]
}

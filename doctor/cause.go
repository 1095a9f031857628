package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.com/chanx/internal/printable"
)

// doing describes the operation of n, its place and the time it has lasted.
func (n *node) doing() string {
	text := n.site.doing() + " in " + name(n.site.at)
	if m := n.minutes(); m > 0 {
		text += " for " + printable.Plural(m, "minute")
	}
	return text
}

// who names n: "goroutine 117", "goroutines 7 and 9", or "4 goroutines".
func (n *node) who() string {
	if id := n.id(); id != 0 {
		return fmt.Sprintf("goroutine %d", id)
	}
	ids := n.ids()
	if len(ids) < 2 {
		return printable.Plural(n.count, "goroutine")
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	last := len(ids) - 1
	return "goroutines " + strings.Join(ids[:last], ", ") + " and " + ids[last]
}

// is returns the verb between the name of n and its operation.
func (n *node) is() string { return clause{" is ", " are "}.of(n.count) }

// ids are the numbers of the goroutines of n, if they are known and few enough
// for a sentence.
func (n *node) ids() (ids []string) {
	const most = 3
	if n.count > most || n.ref.stack != nil {
		return nil
	}
	for _, stack := range n.site.stacks {
		for _, m := range stack.members.all() {
			ids = append(ids, fmt.Sprint(m.ID))
		}
	}
	if len(ids) != n.count {
		return nil
	}
	return ids
}

// holds is the object that those behind n wait for.
func (n *node) holds() string {
	for _, w := range n.from {
		switch w.object {
		case toEnd, toReceive, toUnlock:
		default:
			return w.object
		}
	}
	return ""
}

// itself is "waits for itself: it holds (*queue) 0xc0002f4a80 in
// server.(*queue).changed and has been waiting for it in server.(*queue).confirm
// (queue.go:311) for 8 minutes".
func (n *node) itself() string {
	text := "waits for itself: it holds "
	if n.may {
		text = "may wait for itself: it may hold "
	}
	text += cmp.Or(n.object, n.holds(), "the lock") + " in " + short(n.self) +
		" and has been waiting for it in " + name(n.site.at)
	if m := n.minutes(); m > 0 {
		text += " for " + printable.Plural(m, "minute")
	}
	if n.queued != 0 {
		text += fmt.Sprintf(", behind goroutine %d, which waits to write", n.queued)
	}
	return text
}

// holding is "goroutine 22 holds (*conn) 0xc000200000 and is waiting for IO in
// app.(*conn).flush (conn.go:90) for 26 minutes".
func (n *node) holding() string {
	held := n.holds()
	if n.self != "" {
		return n.who() + " " + n.itself()
	}
	if n.may && held != "" {
		return n.who() + " may hold " + held + " and" + n.is() + n.doing()
	}
	if n.site.op == OperationUnknown {
		return n.who() + " took " + cmp.Or(held, "it") + " in " + name(n.site.at)
	}
	if held != "" {
		return n.who() + clause{" holds ", " hold "}.of(n.count) + held + " and" +
			n.is() + n.doing()
	}
	return n.who() + n.is() + n.doing()
}

const (
	maxTrees   = 16 // trees of a report
	maxWaiting = 8  // nodes behind one
	maxDepth   = 4
)

// causes are the roots that a report shows: those that goroutines wait for which
// are stuck, or that are stuck themselves.
func (sc *scene) causes() []*node {
	var shown []*node
	for _, n := range sc.graph.roots() {
		stuck, waits := n.cyclic || n.warned(), n.cyclic
		for _, w := range n.from {
			stuck = stuck || w.warned()
			// That a goroutine receives does not prove that it does so from its
			// child.
			waits = waits || w.object != toEnd || w.site.op != ChanReceive
		}
		if stuck && waits {
			shown = append(shown, n)
		}
		if len(shown) == maxTrees {
			break
		}
	}
	return shown
}

func (n *node) warned() bool { return n.site.warned() }

// wait is n as a tree.
func (n *node) wait(depth int) *Wait {
	w := &Wait{Goroutine: n.id(), Count: n.count, Behind: n.behind,
		Operation: n.site.op, Function: n.site.at.Func, File: n.site.at.File,
		Line: n.site.at.Line, Minutes: n.minutes(), Cycle: n.cyclic}
	if depth > 0 {
		w.For = n.object
	}
	if depth == maxDepth {
		return w
	}
	type place struct {
		site   *site
		object string
	}
	merged := make(map[place]*Wait)
	for _, from := range n.from {
		if from.cyclic && depth > 0 {
			continue // the root of a cycle shows the ring in its sentence
		}
		at := place{from.site, from.object}
		if known := merged[at]; known != nil {
			known.Goroutine = 0
			known.Count += from.count
			known.Behind += from.behind
			known.Minutes = max(known.Minutes, from.minutes())
			continue
		}
		merged[at] = from.wait(depth + 1)
		w.Waiting = append(w.Waiting, merged[at])
	}
	slices.SortStableFunc(w.Waiting, func(a, b *Wait) int {
		return cmp.Compare(b.Count+b.Behind, a.Count+a.Behind)
	})
	w.Waiting = w.Waiting[:min(len(w.Waiting), maxWaiting)]
	return w
}

// sentence says that most of the stuck goroutines, or some, wait for n.
func (n *node) sentence(stuck int) string {
	if n.cyclic {
		_, text := ring(rotate(n))
		if n.behind > 0 {
			text += "; " + printable.Number(n.behind) + " behind them"
		}
		return text
	}
	who := "everything waits"
	if 10*(n.behind+n.count) < 9*stuck {
		who = clause{" waits", " wait"}.of(n.behind)
		who = printable.Plural(n.behind, "goroutine") + who
	}
	be := clause{"it is", "they are"}.of(n.count)
	if n.minutes() > 0 {
		be = clause{"it has been", "they have been"}.of(n.count)
	}
	held := n.holds()
	if n.self != "" {
		return fmt.Sprintf("%s for %s, which %s; %s behind it", who, n.who(),
			n.itself(), printable.Number(n.behind))
	}
	if held != "" {
		verb := clause{"it holds ", "they hold "}.of(n.count)
		if n.may {
			verb = clause{"it may hold ", "they may hold "}.of(n.count)
		}
		_, is, _ := strings.Cut(be, " ")
		be = verb + held + " and " + is
	}
	return fmt.Sprintf("%s for %s: %s %s; %s behind %s", who, n.who(), be,
		n.doing(), printable.Number(n.behind), pronoun(n.count))
}

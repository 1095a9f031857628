package doctor

import (
	"fmt"
	"slices"
)

// dump is a snapshot while it is read, with the facts that decide whether the
// next one is of the same process.
type dump struct {
	snap    *Snapshot
	index   map[string]*Stack
	members map[uint64]whereabouts // by id, once it is needed
	highest uint64                 // of its ids
	gap     bool                   // other text stands between its goroutines
	tail    []*Stack               // of the goroutines behind the last such text
	profile bool
	apart   bool // it is of another process than the one before

	first   uint64 // id of the first goroutine
	main    bool   // goroutine 1 has been counted
	anyRuns bool   // and one that was running
	last    *Stack // of the last goroutine
	lastID  uint64
}

// whereabouts is where a goroutine stands, and since when.
type whereabouts struct {
	stack   *Stack
	minutes uint32
}

func newDump(target string) dump {
	return dump{
		snap:  &Snapshot{Target: target, Instance: target},
		index: make(map[string]*Stack),
	}
}

// between notes that other text follows a goroutine: then the next ones may
// be quoted from the same dump.
func (d *dump) between() {
	if d.snap.Goroutines > 0 {
		d.gap, d.tail = true, d.tail[:0]
	}
}

// counted notes a goroutine that has been counted.
func (d *dump) counted(h header, s *Stack) {
	d.main = d.main || h.id == 1
	d.anyRuns = d.anyRuns || s.State == stateRunning
	d.highest = max(d.highest, h.id)
	d.last, d.lastID = s, h.id
	if d.members != nil {
		d.members[h.id] = whereabouts{s, h.minutes}
	}
	if d.gap {
		d.tail = append(d.tail, s)
	}
}

// repeats reports whether the dump has the goroutine already. Without other
// text in between only the first one and the main goroutine are looked for:
// a million ids cost as much memory as their stacks.
func (d *dump) repeats(id uint64) bool {
	if id == 0 || d.snap.Goroutines == 0 {
		return false
	}
	if id == d.first || id == 1 && d.main {
		return true
	}
	return d.gap && d.byID()[id].stack != nil
}

// byID returns where each goroutine stands.
func (d *dump) byID() map[uint64]whereabouts {
	if d.members == nil {
		d.members = make(map[uint64]whereabouts, d.snap.Goroutines)
		for _, s := range d.snap.Stacks {
			for _, m := range s.members.all() {
				d.members[m.ID] = whereabouts{s, m.Minutes}
			}
		}
	}
	return d.members
}

// remove takes a goroutine out of the dump.
func (d *dump) remove(id uint64) {
	s := d.byID()[id].stack
	for i, m := range s.members.all() {
		if m.ID == id {
			s.members.at = slices.Delete(s.members.at, i, i+1)
			break
		}
	}
	d.discount(s)
	delete(d.members, id)
}

// pop takes the last goroutine of a stack out of the dump.
// It returns where the parser's store has it.
func (d *dump) pop(s *Stack) uint32 {
	n := s.members.len() - 1
	at, id := s.members.at[n], s.members.member(n).ID
	s.members.at = s.members.at[:n]
	d.discount(s)
	delete(d.members, id)
	return at
}

// discount counts one goroutine less.
func (d *dump) discount(s *Stack) {
	s.Count--
	d.snap.Goroutines--
	if s.Count == 0 {
		d.snap.Stacks = slices.DeleteFunc(d.snap.Stacks,
			func(other *Stack) bool { return other == s })
		delete(d.index, s.key)
	}
}

// put adds a goroutine of the parser's store that stands where those of like
// stand.
func (d *dump) put(like *Stack, at uint32) {
	s := d.index[like.key]
	if s == nil {
		own := *like
		own.Count, own.members.at, own.Labels = 0, nil, nil
		s = &own
		d.index[s.key] = s
		d.snap.Stacks = append(d.snap.Stacks, s)
	}
	s.members.at = append(s.members.at, at)
	s.Count++
	d.snap.Goroutines++
	m := s.members.member(s.members.len() - 1)
	d.counted(header{id: m.ID, minutes: m.Minutes}, s)
}

// repeat begins a snapshot because goroutine id comes up again. The dump may
// have begun already: with the goroutine that writes it, which is running and
// comes first, or behind the other text, if there was but a quotation before.
func (p *parser) repeat(id uint64) {
	const quoted = 8
	var moved []*Stack
	before := p.snap.Goroutines - len(p.tail)
	switch {
	case p.last.State == stateRunning && p.lastID != p.first:
		moved = []*Stack{p.last}
	case id != 1 && (before <= len(p.tail) || before <= quoted):
		moved = p.tail
	}
	type goroutine struct {
		like *Stack
		at   uint32
	}
	if len(moved) >= p.snap.Goroutines {
		moved = nil
	}
	var tail []goroutine
	for _, s := range slices.Backward(moved) {
		tail = append(tail, goroutine{s, p.pop(s)})
	}
	p.split()
	for _, g := range slices.Backward(tail) {
		p.put(g.like, g.at)
		if p.first == 0 {
			p.first = p.lastID
		}
	}
}

// dumps are those of an input that are complete.
type dumps struct {
	all       []*Snapshot
	last      *dump // the one that the next is compared with
	processes int
	left      int // out; see maxSnapshots
}

// maxSnapshots bounds those of one input: the first is kept, and the last
// ones. It is a day of one every other minute.
const maxSnapshots = 1000

// add puts a dump in its place among the others.
func (all *dumps) add(d *dump) {
	own := *d
	d = &own
	d.snap.Extract = d.snap.Extract || !d.main && !d.profile &&
		(!d.anyRuns || d.allRun() && !d.crashed() && !d.complete())
	last := all.last
	if last == nil {
		all.processes = 1
		all.keep(d)
		return
	}
	d.snap.Instance = last.snap.Instance
	relation := relationOf(last, d)
	if d.apart {
		relation = otherProcess
	}
	switch relation {
	case laterLook:
		all.keep(d)
	case quotation:
		last.merge(d)
	case wholeOf:
		d.snap.also(last.snap)
		all.all[len(all.all)-1] = d.snap
		all.last = d
	default:
		all.processes++
		d.snap.Instance = fmt.Sprintf("%s (process %d)", d.snap.Target,
			all.processes)
		all.keep(d)
	}
}

// keep appends a dump, at the cost of an earlier one if there are too many.
// The next dump is not compared with one much smaller than its predecessor.
func (all *dumps) keep(d *dump) {
	all.all = append(all.all, d.snap)
	if len(all.all) == 2*maxSnapshots {
		all.drop()
	}
	if all.last == nil || !muchSmaller(d, all.last) {
		all.last = d
	}
}

// drop removes the dumps between the first and the last ones.
func (all *dumps) drop() {
	if n := len(all.all) - maxSnapshots; n > 0 {
		all.all = slices.Delete(all.all, 1, 1+n)
		all.left += n
	}
}

// end adds the remarks on the text after the last dump.
func (all *dumps) end(rest *Snapshot) {
	if len(all.all) == 0 {
		return
	}
	all.drop()
	last := all.all[len(all.all)-1]
	if rest != last {
		last.also(rest)
		if last.Banner == "" && isCertain(rest.Banner) {
			last.Banner = rest.Banner
		}
	}
	if all.left > 0 {
		last.Unreadable += all.left
		last.note(0, "", fmt.Sprintf("%d dumps between the first and the last "+
			"%d are left out", all.left, maxSnapshots-1))
	}
}

// relation classifies a dump by the one before it in the same input.
type relation int

const (
	otherProcess relation = iota
	laterLook             // the same process, later
	quotation             // a part of it, quoted again
	wholeOf               // it is the dump, and the one before quotes from it
)

// relationOf compares two dumps by the ids of their goroutines. Every process
// has a goroutine 1 and some low numbers, so ids that come again must have
// the same creator as well.
func relationOf(before, d *dump) relation {
	if before.profile || d.profile {
		if muchSmaller(d, before) {
			return otherProcess
		}
		return laterLook
	}
	c := compareDumps(before, d)
	b, n := before.snap.Goroutines, d.snap.Goroutines
	// A dump begins with its writer, which the one before cannot have had.
	whole := d.complete() || d.firstRuns() && before.byID()[d.first].stack == nil
	switch {
	case c.again == 0 || 4*c.foreign > c.again:
		return otherProcess
	case c.same == n && n < b && !whole && (c.waited == n || n <= 3):
		return quotation // a later look would have later times
	case c.same == b && n >= 2*b && !before.complete() &&
		(c.waited > 0 || b <= 3):
		return wholeOf
	case 2*c.again <= b && !whole && 2*c.again >= n && 4*c.same >= 3*c.again:
		return quotation
	case before.crashed() && c.same < c.again:
		return otherProcess // that one has ended
	case whole || !muchSmaller(d, before) &&
		(2*c.again > b || c.again > 2 && 4*c.older <= n):
		return laterLook
	}
	return otherProcess
}

// comparison counts the goroutines of a dump.
type comparison struct {
	again   int // the dump before has one with the same id
	foreign int // of these, with another creator
	same    int // of these, in the same state and place for as long
	waited  int // of those, for a minute or more
	older   int // not in the dump before, although its ids are beyond
}

func compareDumps(before, d *dump) (c comparison) {
	then := before.byID()
	for _, s := range d.snap.Stacks {
		for _, m := range s.members.all() {
			old := then[m.ID]
			switch {
			case m.ID == 0:
			case old.stack == nil:
				if m.ID < before.highest {
					c.older++
				}
			case isForeign(old.stack, s):
				c.again++
				c.foreign++
			default:
				c.again++
				if old.minutes == m.Minutes && standsIn(s, old.stack) {
					c.same++
					c.waited += int(min(m.Minutes, 1))
				}
			}
		}
	}
	return c
}

// isForeign reports whether two goroutines with the same id are of different
// processes: by their creators, or the main goroutines by where main stands.
func isForeign(a, b *Stack) bool {
	if a.CreatedBy.Func != "" || b.CreatedBy.Func != "" {
		return a.CreatedBy.Func != b.CreatedBy.Func
	}
	main, other := a.root(), b.root()
	return main.Func == "main.main" && other.Func == main.Func &&
		main.File != "" && other.File != "" && main.File != other.File
}

// standsIn reports whether s is the stack of old, or an extract of it.
func standsIn(s, old *Stack) bool {
	if s.State != old.State {
		return false
	}
	rest := old.Frames
	for _, f := range s.Frames {
		i := slices.IndexFunc(rest, func(o Frame) bool {
			return o == f || f.File == "" && o.Func == f.Func // the end of the input
		})
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
	return true
}

func muchSmaller(a, b *dump) bool {
	return 4*a.snap.Goroutines < b.snap.Goroutines
}

// complete reports whether the dump is certainly not an extract: the
// goroutine that writes it is on its way to do so.
func (d *dump) complete() bool {
	return len(d.snap.Stacks) > 0 && d.snap.Stacks[0].State == stateRunning &&
		tracing(d.snap.Stacks[0])
}

// firstRuns reports whether the first goroutine was running.
func (d *dump) firstRuns() bool {
	return d.first != 0 && len(d.snap.Stacks) > 0 &&
		d.snap.Stacks[0].State == stateRunning
}

// allRun reports whether all goroutines were running: these are the stacks of
// panics, or one goroutine's own, since others wait in every process.
func (d *dump) allRun() bool {
	return !slices.ContainsFunc(d.snap.Stacks, func(s *Stack) bool {
		return s.State != stateRunning
	})
}

// crashed reports whether the process has ended with the dump: that is when
// the runtime prints a banner.
func (d *dump) crashed() bool { return d.snap.Banner != "" }

// merge adds the goroutines of a quotation that the dump does not have.
func (d *dump) merge(quoted *dump) {
	then := d.byID()
	d.snap.also(quoted.snap)
	for _, s := range quoted.snap.Stacks {
		for i, m := range s.members.all() {
			if then[m.ID].stack == nil {
				d.put(s, s.members.at[i])
			}
		}
	}
}

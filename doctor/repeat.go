package doctor

import (
	"fmt"
	"slices"
)

// dump is a snapshot while it is read, and what tells whether the next one
// is of the same process.
type dump struct {
	snap    *Snapshot
	index   map[string]*Stack
	members map[uint64]*Stack // by id, once it is needed
	highest uint64            // of its ids
	gap     bool              // other text stands between its goroutines
	profile bool

	first    uint64 // id of the first goroutine
	main     bool   // goroutine 1 has been counted
	anyRuns  bool   // and one that was running
	unknown  int    // goroutines whose id was made unreadable
	lastID   uint64
	lastKey  string // of the goroutine before the current, if it was running
	lastRuns bool
}

func newDump(target string) dump {
	return dump{
		snap:  &Snapshot{Target: target, Instance: target},
		index: make(map[string]*Stack),
	}
}

// between notes that other text follows a goroutine: then the next ones may
// be quoted from the same dump.
func (p *parser) between() { p.gap = p.gap || p.snap.Goroutines > 0 }

// counted notes a goroutine that has been counted.
func (d *dump) counted(id uint64, s *Stack, runs bool, key []byte) {
	d.main = d.main || id == 1
	d.anyRuns = d.anyRuns || runs
	if id == 0 {
		d.unknown++
	}
	d.highest = max(d.highest, id)
	if d.members != nil {
		d.members[id] = s
	}
	d.lastID, d.lastKey = id, ""
	if runs {
		d.lastKey = string(key)
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
	return d.gap && d.byID()[id] != nil
}

// byID returns the stack of each goroutine.
func (d *dump) byID() map[uint64]*Stack {
	if d.members == nil {
		d.members = make(map[uint64]*Stack, d.snap.Goroutines)
		for _, s := range d.snap.Stacks {
			for _, m := range s.Members {
				d.members[m.ID] = s
			}
		}
	}
	return d.members
}

// repeat begins a snapshot because a goroutine comes up again. A dump begins
// with the goroutine that writes it, so the one before this belongs to the
// new dump if it was running.
func (p *parser) repeat() {
	key, id := p.lastKey, p.lastID
	last := p.index[key]
	if last == nil || id == p.first {
		p.split()
		return
	}
	n := len(last.Members) - 1
	m, words := last.Members[n], last.words[n]
	last.Members, last.words = last.Members[:n], last.words[:n]
	last.Count--
	p.snap.Goroutines--
	delete(p.members, id)
	if last.Count == 0 {
		p.snap.Stacks = slices.DeleteFunc(p.snap.Stacks,
			func(s *Stack) bool { return s == last })
		delete(p.index, key)
	}
	p.split()
	moved := *last
	moved.Count, moved.Members, moved.words = 1, []Member{m}, []uint32{words}
	p.snap.Add(&moved)
	p.index[key] = &moved
	p.first = id
	p.anyRuns = true
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
	d.snap.Extract = d.snap.Extract || !d.main && !d.anyRuns && !d.profile
	last := all.last
	if last == nil {
		all.processes = 1
		all.keep(d)
		return
	}
	d.snap.Instance = last.snap.Instance
	switch relationOf(last, d) {
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
// One much smaller than the one before is not what the next is compared with.
func (all *dumps) keep(d *dump) {
	all.all = append(all.all, d.snap)
	if len(all.all) == 2*maxSnapshots {
		all.drop()
	}
	if all.last == nil || !muchSmaller(d, all.last) {
		all.last = d
	}
}

// drop leaves out what is between the first dump and the last ones.
func (all *dumps) drop() {
	if n := len(all.all) - maxSnapshots; n > 0 {
		all.all = slices.Delete(all.all, 1, 1+n)
		all.left += n
	}
}

// end is told of what follows the last dump.
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

// relation is what a dump is to the one before it in the same input.
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
	whole := d.complete() || d.firstRuns() && before.byID()[d.first] == nil
	switch {
	case c.again == 0 || 2*c.foreign > c.again:
		return otherProcess
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
	same    int // of these, in the same state and place
	waited  int // of those, that have waited as long, and a minute at least
	older   int // not in the dump before, although its ids are beyond
}

func compareDumps(before, d *dump) (c comparison) {
	then := before.byID()
	for _, s := range d.snap.Stacks {
		for _, m := range s.Members {
			old := then[m.ID]
			if m.ID == 0 {
				continue
			}
			switch {
			case old == nil && m.ID < before.highest:
				c.older++
			case old == nil:
			case old.CreatedBy.Func != s.CreatedBy.Func:
				c.again++
				c.foreign++
			default:
				c.again++
				if standsIn(s, old) {
					c.same++
				}
			}
			if old != nil && m.Minutes > 0 {
				c.waited++
			}
		}
	}
	return c
}

// standsIn reports whether s is the stack of old, or an extract of it.
func standsIn(s, old *Stack) bool {
	if s.State != old.State {
		return false
	}
	rest := old.Frames
	for _, f := range s.Frames {
		i := slices.Index(rest, f)
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
	return len(d.snap.Stacks) > 0 && d.snap.Stacks[0].State == "running" &&
		tracing(d.snap.Stacks[0])
}

// firstRuns reports whether the first goroutine was running.
func (d *dump) firstRuns() bool {
	return d.first != 0 && len(d.snap.Stacks) > 0 &&
		d.snap.Stacks[0].State == "running"
}

// crashed reports whether the process has ended with the dump: that is when
// the runtime prints a banner.
func (d *dump) crashed() bool { return d.snap.Banner != "" }

// merge adds the goroutines of a quotation that the dump does not have.
func (d *dump) merge(quoted *dump) {
	then := d.byID()
	d.snap.also(quoted.snap)
	keys := make(map[*Stack]string, len(quoted.index))
	for key, s := range quoted.index {
		keys[s] = key
	}
	for _, s := range quoted.snap.Stacks {
		key := keys[s]
		to := d.index[key]
		for i, m := range s.Members {
			if then[m.ID] != nil {
				continue
			}
			if to == nil {
				added := *s
				added.Count, added.Members, added.words = 0, nil, nil
				to = &added
				d.index[key] = to
				d.snap.Stacks = append(d.snap.Stacks, to)
			}
			to.Members = append(to.Members, m)
			to.words = append(to.words, s.words[i])
			to.Count++
			d.snap.Goroutines++
			then[m.ID] = to
		}
	}
}

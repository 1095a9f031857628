package doctor

import (
	"cmp"
	"slices"
	"strings"
)

// scene is one process: its last snapshot, and the earlier ones.
type scene struct {
	rules    Rules
	now      *Snapshot
	past     []*scene // earliest first, grouped but not judged
	sites    []*site
	of       map[*Stack]*site
	byKey    map[siteKey]*site
	deadlock bool // the runtime itself says that nothing can go on
	timedOut bool // a test did not end
	timed    bool // a goroutine has waited for a minute
	inStd    map[stdLock]counterpart
	partial  bool                // an extract, or cut short: see extract
	left     map[string][]Change // see vanished
	index    *index
	stuck    map[string]*site       // by module; see stuckElsewhere
	called   map[objectCall]longest // see calledObjects
	started  map[uint64][]ref       // by object; see startedOn
	parked   map[string]longest     // by creator; see shownTogether
	ofUser   []*site                // see alone
	copying  []*Stack               // one, or none yet; see copier
	readings *int                   // goroutines that read streams; see unreadStreams
	nameless *bool                  // see hidden
	busy     []*site                // see abandoned
	atWork   []*site                // see onlyMain
	graph    *graph
	io       []int           // sizes of the sites that wait for IO, sorted
	readers  map[uint64]bool // ids and creators of goroutines that wait for IO
	designed map[string]int  // goroutines by their library's reason; see mostly
	effort   int             // calls that may still be compared; see spend
}

// site is the goroutines blocked in the same operation in the same place.
type site struct {
	op       Operation
	at       Frame
	count    int
	requests int    // how many of them are inside a request
	entry    string // of the most
	longest  int    // minutes
	leaked   int    // how many the garbage collector found unreachable
	design   bool   // it waits because that is its job
	guessed  bool   // op is by the number of calls without names
	resource string // what a library waits for on its behalf; see resources
	stacks   []*Stack
	verdict  verdict
}

// verdict is the opinion on a site.
type verdict struct {
	state      Verdict
	why        string
	report     bool // it becomes a finding
	covered    bool // the finding of another site is about it as well
	severity   Severity
	receiver   Receiver
	confidence Confidence // in the stall
	other      Confidence // in the statement about the receiver
	clause     clause     // ends the sentence
	evidence   []string
	stacks     []*Stack // to show instead of the site's
}

type siteKey struct {
	op             Operation
	function, file string
	line           int
}

func (s *site) key() siteKey {
	return siteKey{s.op, s.at.Func, s.at.File, s.at.Line}
}

func newScene(rules Rules, now *Snapshot) *scene {
	sc := &scene{rules: rules, now: now, of: make(map[*Stack]*site)}
	sc.effort = effortOf(now)
	sc.partial = extract(now) || now.Truncated
	sc.deadlock = strings.Contains(now.Banner, "all goroutines are asleep")
	sc.timedOut = strings.Contains(now.Banner, "test timed out")
	sc.byKey = make(map[siteKey]*site)
	code := chanCodeOf(now)
	for _, stack := range now.Stacks {
		s := &site{op: operationOf(stack), at: siteOf(stack),
			guessed: guessed(stack)}
		if s.op == ChanAny {
			s.op = code.of(stack)
		}
		if known := sc.byKey[s.key()]; known != nil {
			s = known
		} else {
			sc.byKey[s.key()] = s
			sc.sites = append(sc.sites, s)
		}
		s.add(stack)
		sc.timed = sc.timed || s.longest > 0
		sc.of[stack] = s
	}
	for _, s := range sc.sites {
		slices.SortStableFunc(s.stacks, func(a, b *Stack) int {
			return cmp.Compare(b.Count, a.Count)
		})
		s.entry = entryOf(s.stacks[0])
		s.resource = resource(s.stacks[0])
	}
	slices.SortStableFunc(sc.sites, func(a, b *site) int {
		return cmp.Compare(b.count, a.count)
	})
	return sc
}

func (s *site) add(stack *Stack) {
	if isRequest(entryOf(stack)) {
		s.requests += stack.Count
	}
	s.stacks = append(s.stacks, stack)
	s.count += stack.Count
	s.longest = max(s.longest, stack.longest())
	if stack.Leaked {
		s.leaked += stack.Count
	}
}

// two returns up to two sites that pass: enough to know for each site whether
// another one does.
func (sc *scene) two(pass func(*site) bool) []*site {
	found := make([]*site, 0, 2)
	for _, s := range sc.sites {
		if len(found) < 2 && pass(s) {
			found = append(found, s)
		}
	}
	return found
}

// others reports whether a site other than s is among those found.
func others(found []*site, s *site) bool {
	return slices.ContainsFunc(found, func(o *site) bool { return o != s })
}

// ignored reports whether a call of s matches a pattern of the rules.
func (sc *scene) ignored(s *site) (string, bool) {
	for _, pattern := range sc.rules.Ignore {
		for _, stack := range s.stacks {
			for _, f := range stack.Frames {
				if matches(pattern, f.Func) {
					return pattern, true
				}
			}
		}
	}
	return "", false
}

func matches(pattern, symbol string) bool {
	head, wild := strings.CutSuffix(pattern, "*")
	if wild {
		return strings.HasPrefix(symbol, head) ||
			strings.HasPrefix(short(symbol), head)
	}
	rest, ok := strings.CutSuffix(symbol, pattern)
	return ok && pattern != "" &&
		(rest == "" || strings.HasSuffix(rest, "/") || strings.HasSuffix(rest, "."))
}

// same returns the site of an earlier scene in the same place, or nil.
func (sc *scene) same(key siteKey) *site { return sc.byKey[key] }

// stayed returns how many goroutines of s stood there in the first of the
// earlier snapshots already that knows goroutines by id.
func (sc *scene) stayed(s *site) int {
	for _, past := range sc.past {
		then := past.same(s.key())
		if then == nil {
			continue
		}
		ids := make(map[uint64]bool)
		for _, stack := range then.stacks {
			for _, m := range stack.members.all() {
				ids[m.ID] = true
			}
		}
		n := 0
		for _, stack := range s.stacks {
			for _, m := range stack.members.all() {
				if ids[m.ID] {
					n++
				}
			}
		}
		if n > 0 {
			return n
		}
	}
	return 0
}

// history returns the counts of s in the earlier snapshots and now.
func (sc *scene) history(s *site) []int {
	var counts []int
	for _, past := range sc.past {
		n := 0
		if then := past.same(s.key()); then != nil {
			n = then.count
		}
		counts = append(counts, n)
	}
	return append(counts, s.count)
}

// growing reports whether s has only ever grown, and by more than traffic
// does: half as much again over three snapshots or more, twice as much and ten
// times too many over two. It must go on over the last samples: a pool that was
// started after the first one has grown once.
func (sc *scene) growing(s *site) bool {
	h := sc.history(s)
	if len(h) < 2 || !slices.IsSorted(h) {
		return false
	}
	then, now, many := h[0], h[len(h)-1], sc.rules.Many
	if len(h) == 2 {
		return now-then >= 10*many && now >= 2*then
	}
	last := len(h) - 1
	return now-then >= many && 2*now >= 3*then && h[last-1] > h[last-2] &&
		h[last] > h[last-1]
}

// tracing reports whether s is the goroutine that takes the snapshot, or
// waits to.
func tracing(s *Stack) bool {
	return s.has("runtime/pprof.") || s.has("runtime/debug.Stack") ||
		s.has("net/http/pprof.") || s.has("example.com/chanx/doctor.Take") ||
		s.has("example.com/chanx/doctor.(*handler)")
}

// sameFile is false for two that are not known.
func sameFile(a, b string) bool { return a != "" && a == b }

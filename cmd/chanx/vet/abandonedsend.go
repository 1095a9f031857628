package vet

import (
	"fmt"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// abandonedSend finds goroutines that send a result to the function which
// started them, when that can return without receiving.
func abandonedSend(r *reporter) {
	for _, c := range r.Classes() {
		if a := newAbandoned(r.model, c); a != nil && (r.more || !a.inCommand()) {
			a.report(r)
		}
	}
}

// abandoned is a channel that one function makes, and one receives from.
type abandoned struct {
	*model
	class    *chanflow.Class
	made     *ssa.MakeChan
	maker    *ssa.Function
	receiver *ssa.Function // the maker, or a caller that gets the channel
	room     int64
	sends    []*chanflow.Op
	recvs    []*chanflow.Op // of the receiver
	loops    *loops         // of the receiver
}

// newAbandoned returns nil if c is not such a channel.
func newAbandoned(m *model, c *chanflow.Class) *abandoned {
	if c.RecvOut() && !c.OnlyReturned() || c.Foreign() || c.RemoteMade || len(c.Makes) != 1 ||
		len(c.Fields) > 0 || len(c.Remote) > 0 {
		return nil
	}
	a := &abandoned{model: m, class: c, made: c.Makes[0],
		maker: c.Makes[0].Parent(), sends: operations(c, chanflow.Send)}
	room, ok := capacity(a.made)
	if !ok {
		room = unknownRoom
	}
	a.room = room
	if isMain(a.maker) || len(a.sends) == 0 {
		return nil
	}
	return a
}

// unknownRoom is the capacity of a channel made with one that is not constant.
const unknownRoom = 1 << 20

// receivedIn sets the receiver. It reports whether it receives at all.
func (a *abandoned) receivedIn(fn *ssa.Function) bool {
	a.receiver, a.recvs = fn, nil
	for _, r := range operations(a.class, chanflow.Recv) {
		if r.Fn == fn {
			a.recvs = append(a.recvs, r)
		}
	}
	a.loops = a.model.loops(a.class, fn)
	return len(a.recvs) > 0
}

// inCommand reports whether the process may end before it matters.
func (a *abandoned) inCommand() bool { return a.pass.Pkg.Name() == "main" }

func (a *abandoned) report(r *reporter) {
	all := a.senders()
	if len(all) == 0 {
		return
	}
	if !a.receivedIn(a.maker) {
		a.handedOver(r, all)
		return
	}
	if a.class.RecvOut() || a.room == unknownRoom || a.drainsInDefer() ||
		len(a.recvs) < len(operations(a.class, chanflow.Recv)) {
		return
	}
	if s, many := a.several(all); many {
		a.leftEarly(r, s)
		return
	}
	a.oneEach(r, all)
}

// sender is a start of a goroutine that sends.
type sender struct {
	site ssa.CallInstruction
	send *chanflow.Op
	many bool // it sends in a loop
}

// senders returns the goroutines that the maker starts, or nil if it sends
// itself.
func (a *abandoned) senders() []sender {
	var all []sender
	for _, s := range a.sends {
		if !s.Bare() {
			continue
		}
		if g, ok := s.Instr.(*ssa.Go); ok && s.Fn == a.maker {
			all = append(all, sender{g, s, s.Callee.Loop})
			continue
		}
		if s.Fn == a.maker {
			return nil
		}
		many := findLoops(s.Fn, nil).contains(s.Instr.Block()) && !sentOnce(s) ||
			s.Callee != nil && s.Callee.Loop || a.accompanied(s)
		for _, site := range a.sites(s.Fn, 2) {
			all = append(all, sender{site, s, many})
		}
	}
	return all
}

// accompanied reports whether a closure of the sender sends too.
func (a *abandoned) accompanied(s *chanflow.Op) bool {
	for _, o := range a.sends {
		if o != s && !o.Bare() && o.Fn != s.Fn && o.Fn.Parent() == s.Fn {
			return true
		}
	}
	return false
}

// sites returns the calls in the maker that start fn, or a function that calls
// it, as a goroutine.
func (a *abandoned) sites(fn *ssa.Function, depth int) []ssa.CallInstruction {
	var all []ssa.CallInstruction
	for _, g := range a.goStatements(fn) {
		if g.Parent() == a.maker {
			all = append(all, g)
		}
	}
	if c := a.started[fn]; c != nil && c.Parent() == a.maker {
		all = append(all, c)
	}
	all = append(all, a.callbacks(fn)...)
	if depth == 0 {
		return all
	}
	for _, c := range a.Calls(fn) {
		if _, isGo := c.(*ssa.Go); !isGo && c.Parent() != a.maker {
			all = append(all, a.sites(c.Parent(), depth-1)...)
		}
	}
	return all
}

// callbacks returns the calls that get fn, a closure of the maker, as an
// argument: without room in the channel, another goroutine must run it.
func (a *abandoned) callbacks(fn *ssa.Function) []ssa.CallInstruction {
	if fn.Parent() != a.maker || a.room > 0 || len(a.Calls(fn)) > 0 {
		return nil
	}
	var all []ssa.CallInstruction
	for _, b := range a.maker.Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.Call)
			if !ok {
				continue
			}
			for _, arg := range c.Common().Args {
				if closure, ok := arg.(*ssa.MakeClosure); ok && closure.Fn == fn &&
					a.started[fn] != c {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func (a *abandoned) drainsInDefer() bool {
	e := a.effectsOn(a.class, nil)
	e.defers(a.receiver, 2)
	return e.drains
}

// starts returns the distinct sites of the senders.
func starts(all []sender) map[ssa.CallInstruction]bool {
	sites := make(map[ssa.CallInstruction]bool)
	for _, s := range all {
		sites[s.site] = true
	}
	return sites
}

// several returns the first sender of which more values than one for each
// receive may come: it is started in a loop, or sends in one, or there are more
// senders than room and the maker receives in a loop.
func (a *abandoned) several(all []sender) (sender, bool) {
	for _, s := range all {
		if s.many || a.loops.contains(s.site.Block()) && !a.receivesWith(s.site) {
			return s, true
		}
	}
	if n := int64(len(starts(all))); n > 1 && n > a.room && a.receivesInLoop() {
		return all[0], true
	}
	return sender{}, false
}

// receivesWith reports whether the maker receives in the loop of a start.
func (a *abandoned) receivesWith(site ssa.CallInstruction) bool {
	for _, r := range a.recvs {
		if a.loops.same(r.Instr.Block(), site.Block()) {
			return true
		}
	}
	return false
}

func (a *abandoned) receivesInLoop() bool {
	for _, r := range a.recvs {
		if a.loops.contains(r.Instr.Block()) {
			return true
		}
	}
	return false
}

// leftEarly reports a loop of receives that ends while senders go on.
func (a *abandoned) leftEarly(r *reporter, s sender) {
	for _, recv := range a.recvs {
		at := recv.Instr.Block()
		switch {
		case a.joined(recv):
		case !a.loops.contains(at):
			if a.loops.contains(s.site.Block()) && len(a.recvs) == 1 && a.room <= 1 {
				a.fixable(r, recv.Pos, s, fmt.Sprintf("%s receives one value of %s, "+
					"and the goroutines started in a loop at %s send one each at %s",
					name(a.maker), a.describe(a.class), a.line(s.site.Pos()),
					a.line(s.send.Pos)))
				return
			}
		case a.room > 0 && a.asked(s.send):
		default:
			if a.early(r, s, at) {
				return
			}
		}
	}
}

// early reports the first exit of a loop of receives after which values come.
func (a *abandoned) early(r *reporter, s sender, at *ssa.BasicBlock) bool {
	inside := func(b *ssa.BasicBlock) bool { return a.loops.same(b, at) }
	for _, b := range a.receiver.Blocks {
		for _, t := range b.Succs {
			if !inside(b) || inside(t) || impossible(t) {
				continue
			}
			from, to := lastCase(b, t)
			why := a.causeOf(a.class, guards(from, to, func(x *ssa.BasicBlock) bool {
				return inside(x) || x == from
			}))
			if a.expected(why) || !reachable(s.site.Block(), from) {
				continue
			}
			e := a.effectsOn(a.class, nil)
			e.blocks(reach(to, inside), 2)
			if e.drains || e.ends {
				continue
			}
			a.fixable(r, exitPos(from, to), s, fmt.Sprintf("%s stops receiving from "+
				"%s here %s, and the goroutine started at %s may still send at %s",
				name(a.receiver), a.describe(a.class), because[why],
				a.line(s.site.Pos()), a.line(s.send.Pos)))
			return true
		}
	}
	return false
}

// expected reports whether a loop that is left for a cause has received all
// values, as far as can be told.
func (a *abandoned) expected(why cause) bool {
	switch why {
	case closed, count, unknown, flag, always:
		return true
	}
	return false
}

// joined reports whether the channel is closed, or a WaitGroup has waited,
// before a receive.
func (a *abandoned) joined(r *chanflow.Op) bool {
	for _, b := range a.receiver.Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.Call)
			if ok && before(c, r.Instr) && (isWait(c) || a.closes(c)) {
				return true
			}
		}
	}
	return false
}

func (a *abandoned) closes(c *ssa.Call) bool {
	b, ok := c.Common().Value.(*ssa.Builtin)
	return ok && b.Name() == "close" && a.Class(c.Common().Args[0]) == a.class
}

// asked reports whether the sender sends only after it was asked to, on another
// channel, by the receiver.
func (a *abandoned) asked(s *chanflow.Op) bool {
	l := findLoops(s.Fn, nil)
	if !l.contains(s.Instr.Block()) {
		return false
	}
	for _, b := range s.Fn.Blocks {
		if !l.same(b, s.Instr.Block()) {
			continue
		}
		for _, in := range b.Instrs {
			u, ok := in.(*ssa.UnOp)
			if !ok || u.Op != token.ARROW {
				continue
			}
			for _, o := range operations(a.Class(u.X), chanflow.Send) {
				if o.Fn == a.receiver {
					return true
				}
			}
		}
	}
	return false
}

// oneEach reports a path of the maker that receives fewer values than the
// goroutines it starts send, one each.
func (a *abandoned) oneEach(r *reporter, all []sender) {
	sites := starts(all)
	n := int64(len(sites))
	if n <= a.room {
		return
	}
	w := &walk{abandoned: a, sites: sites, send: all[0].send}
	if n == 1 {
		w.assume(all[0].site.Block())
	}
	if !w.from(all[0].site, n == 1) {
		return
	}
	a.fixable(r, w.send.Pos, all[0], fmt.Sprintf("%s returns at %s%s without "+
		"receiving from %s what the goroutine started at %s sends here",
		name(a.maker), a.line(w.end), w.why, a.describe(a.class),
		a.line(all[0].site.Pos())))
}

// handedOver finds the same where the maker returns the channel to a caller,
// which is then the only receiver.
func (a *abandoned) handedOver(r *reporter, all []sender) {
	for _, c := range a.Calls(a.maker) {
		call, ok := c.(*ssa.Call)
		if !ok || !a.onlyReceived(call) || !a.receivedIn(call.Parent()) ||
			a.drainsInDefer() {
			continue
		}
		s := sender{site: call, send: all[0].send}
		if all[0].many {
			if a.room < unknownRoom || r.more { // it may be the number of values
				a.leftEarly(r, s)
			}
			return
		}
		w := &walk{abandoned: a, send: s.send,
			sites: map[ssa.CallInstruction]bool{call: true}}
		w.assume(call.Block())
		if a.room == 0 && len(all) == 1 && w.from(call, true) {
			a.fixable(r, w.send.Pos, s, fmt.Sprintf("%s, which gets %s from %s, "+
				"returns at %s%s without receiving the value sent here",
				name(a.receiver), a.describe(a.class), name(a.maker), a.line(w.end),
				w.why))
			return
		}
	}
}

// onlyReceived reports whether the caller does nothing with the channel that a
// call returns but receive from it.
func (a *abandoned) onlyReceived(call *ssa.Call) bool {
	if _, tuple := call.Type().(*types.Tuple); !tuple {
		return a.Class(call) == a.class && received(call)
	}
	for _, r := range *call.Referrers() {
		if e, ok := r.(*ssa.Extract); ok && a.carried(e) {
			return received(e)
		}
	}
	return false
}

func (a *abandoned) carried(e *ssa.Extract) bool {
	_, ok := e.Type().Underlying().(*types.Chan)
	return ok && a.Class(e) == a.class
}

// received reports whether all uses of v are receives.
func received(v ssa.Value) bool {
	for _, r := range *v.Referrers() {
		switch x := r.(type) {
		case *ssa.UnOp, *ssa.DebugRef:
		case *ssa.ChangeType:
			if !received(x) {
				return false
			}
		case *ssa.Select:
			for _, s := range x.States {
				if s.Send == v {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

// fixable reports a finding with its remedy, and the change of the capacity
// that is its fix where one is enough.
func (a *abandoned) fixable(r *reporter, pos token.Pos, s sender, what string) {
	d := analysis.Diagnostic{Pos: pos, Category: "c", Message: "likely abandoned " +
		"send: " + what + "; the goroutine then blocks forever: "}
	if s.send.Pos != pos {
		d.Related = []analysis.RelatedInformation{{Pos: s.send.Pos,
			Message: "sends without another way out"}}
	}
	if fix, capacity := a.fix(s); fix != nil {
		d.SuggestedFixes = fix
		d.Message += "make the channel with capacity " + capacity
	} else {
		d.Message += "send with chanx.SendContext, or select on a done channel that " +
			"the receiver closes in a defer"
	}
	r.report(d)
}

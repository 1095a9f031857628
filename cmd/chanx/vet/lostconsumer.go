package vet

import (
	"fmt"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// lostConsumer finds channels whose only receivers can return while senders
// cannot notice.
func lostConsumer(r *reporter) {
	for _, c := range r.Classes() {
		if a := newAbandoned(r.model, c); a != nil && a.receivedIn(a.maker) {
			continue // abandonedSend knows more of it
		}
		if l := newLost(r.model, c); l != nil {
			l.report(r)
		}
	}
}

// lost is a channel whose receivers can all return.
type lost struct {
	*model
	class     *chanflow.Class
	receivers map[*ssa.Function]bool
	exits     [][]exit // of each receive
	sends     []*chanflow.Op
}

// newLost returns nil if a receiver stays, or if that is not known.
func newLost(m *model, c *chanflow.Class) *lost {
	if c.RecvOut() || !made(c) || remote(c, chanflow.Recv) {
		return nil
	}
	l := &lost{model: m, class: c, receivers: make(map[*ssa.Function]bool)}
	recvs := operations(c, chanflow.Recv)
	if len(recvs) == 0 || l.pool(recvs) || l.reply() {
		return nil
	}
	for _, r := range consuming(recvs) {
		if !l.receive(r, recvs) {
			return nil
		}
	}
	l.findSends()
	if len(l.exits) == 0 || len(l.sends) == 0 && !remote(c, chanflow.Send) {
		return nil
	}
	return l
}

// consuming returns the receives that use the value received, or all if none
// does: the others drain the channel, mostly once the program stops, and do not
// take the place of a consumer.
func consuming(recvs []*chanflow.Op) []*chanflow.Op {
	var all []*chanflow.Op
	for _, r := range recvs {
		if !discards(r) {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return recvs
	}
	return all
}

// discards reports whether the value of a receive is not used.
func discards(r *chanflow.Op) bool {
	switch in := r.Instr.(type) {
	case *ssa.Select:
		return !extracts(in, func(e *ssa.Extract) bool {
			s := chanflow.CaseOf(e, in)
			return s != nil && s == in.States[r.Case]
		})
	case *ssa.UnOp:
		if in.CommaOk {
			return !extracts(in, func(e *ssa.Extract) bool { return e.Index == 0 })
		}
		return len(*in.Referrers()) == 0
	}
	return false
}

// extracts reports whether a part of a tuple is used.
func extracts(tuple ssa.Value, part func(*ssa.Extract) bool) bool {
	for _, r := range *tuple.Referrers() {
		if e, ok := r.(*ssa.Extract); ok && part(e) {
			return true
		}
	}
	return false
}

// receive judges one receive. It reports false if the channel is safe because
// of it, or not understood.
func (l *lost) receive(r *chanflow.Op, all []*chanflow.Op) bool {
	if r.Callee != nil && r.Callee.Loop {
		return false
	}
	poll := r.Select != nil && !r.Select.Blocking
	exits, loop := l.model.exits(l.class, r.Instr.Block(), maxDepth)
	switch {
	case !loop && poll:
		return true
	case !loop: // a drain after the loop of the same function
		return hasOther(all, r)
	case poll && len(all) > 1:
		return true
	case switchedOff(r.Chan) || fromMessage(r.Chan) || l.fresh(r):
		return false
	}
	bad := oversights(exits)
	for _, e := range exits {
		if e.cause == stopMessage {
			return false
		}
	}
	l.receivers[r.Fn] = true
	l.exits = append(l.exits, bad)
	return len(bad) > 0
}

func hasOther(all []*chanflow.Op, r *chanflow.Op) bool {
	for _, o := range all {
		if o != r && o.Fn == r.Fn {
			return true
		}
	}
	return false
}

// oversights returns the exits after which senders would wait in vain.
func oversights(exits []exit) []exit {
	var bad []exit
	for _, e := range exits {
		if e.running && !e.after.settled() {
			bad = append(bad, e)
		}
	}
	return bad
}

// findSends notes the sends that can block once the receivers have returned.
func (l *lost) findSends() {
	sends := operations(l.class, chanflow.Send)
	answering := l.answering(sends)
	for _, s := range sends {
		if s.Bare() && !l.receivers[s.Fn] && l.many(l.class, s) &&
			!l.drained(s) && !l.measured(l.class, s) && !sentOnce(s) &&
			!answering[s.Fn] {
			l.sends = append(l.sends, s)
		}
	}
}

// answering returns the functions that send, with room, only in answer to the
// consumer: each message from it allows one value, as for a token that goes back
// and forth. A value before their loop hands out the token.
func (l *lost) answering(sends []*chanflow.Op) map[*ssa.Function]bool {
	all := make(map[*ssa.Function]bool)
	if room, known := largest(l.class); known && room == 0 {
		return all
	}
	asked := make(map[*ssa.Function]bool)
	for fn := range l.receivers {
		callees(fn, maxDepth-1, asked)
	}
	for _, s := range sends {
		if l.loops(l.class, s.Fn).contains(s.Instr.Block()) {
			answer := l.answers(s, asked)
			was, seen := all[s.Fn]
			all[s.Fn] = answer && (was || !seen)
		}
	}
	return all
}

// callees adds fn and the functions that it calls.
func callees(fn *ssa.Function, depth int, all map[*ssa.Function]bool) {
	all[fn] = true
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			if c, ok := in.(*ssa.Call); ok && depth > 0 {
				if callee := chanflow.Callee(c); callee != nil {
					callees(callee, depth-1, all)
				}
			}
		}
	}
}

// answers reports whether a send is in a case of a select for messages that
// only some functions send.
func (l *lost) answers(s *chanflow.Op, only map[*ssa.Function]bool) bool {
	for _, g := range guards(s.Instr.Block(), nil, nil) {
		sel, n, ok := selectCase(g.cond)
		if !ok || g.negated || sel.States[n].Dir != types.RecvOnly {
			continue
		}
		d := l.Class(sel.States[n].Chan)
		asks := operations(d, chanflow.Send)
		for _, o := range asks {
			ok = ok && only[o.Fn]
		}
		if ok && len(asks) > 0 && !d.SendOut() {
			return true
		}
	}
	return false
}

// worst returns the exit to report: of each receiver the worst, of these the
// best, since one receiver that stays is enough.
func (l *lost) worst() (exit, int) {
	read := make(map[types.Object]bool)
	for _, s := range l.sends {
		reads(s.Fn, read)
	}
	var found exit
	least := 1000
	for _, exits := range l.exits {
		var worst exit
		most := -1000
		for _, e := range exits {
			if n := e.score(read); n > most {
				most, worst = n, e
			}
		}
		if most < least {
			least, found = most, worst
		}
	}
	return found, least
}

// Scores from which an exit is reported: by default, and in two grades with more.
// FIELD.md has how they do on code that was not used to choose them.
const (
	likely    = 60
	possible  = 40
	conceived = 0
)

func (l *lost) report(r *reporter) {
	e, score := l.worst()
	category := "a1"
	switch {
	case score < conceived || score < likely && !r.more:
		return
	case score < possible:
		category = "a3"
	case score < likely:
		category = "a2"
	}
	sends, related := l.sendSites(l.sends, l.class)
	pos := e.pos
	if !pos.IsValid() && len(l.sends) > 0 {
		pos = l.sends[0].Pos
	}
	r.report(analysis.Diagnostic{Pos: pos, Category: category, Related: related,
		Message: fmt.Sprintf("likely lost consumer: %s has no receiver after %s "+
			"returns here %s; then %s blocks forever: %s", l.describe(l.class),
			name(e.fn), because[e.cause], sends, l.remedy())})
}

func (l *lost) remedy() string {
	return "use chanx.TrySend with a count of the losses, chanx.SendContext, a " +
		"chanx.Ring with chanx.Supervise, or a done channel closed in a defer"
}

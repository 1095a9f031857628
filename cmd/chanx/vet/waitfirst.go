package vet

import (
	"fmt"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// waitFirst finds values that are received only after a WaitGroup has waited
// for their senders.
func waitFirst(r *reporter) {
	for _, c := range r.Classes() {
		if c.RecvOut() || len(c.Makes) != 1 || len(c.Fields) > 0 || len(c.Remote) > 0 {
			continue
		}
		if room, ok := capacity(c.Makes[0]); ok {
			waitFirstOn(r, c, c.Makes[0], room)
		}
	}
}

func waitFirstOn(r *reporter, c *chanflow.Class, mk *ssa.MakeChan, room int64) {
	recvs := operations(c, chanflow.Recv)
	wait := receivedAfter(mk.Parent(), recvs)
	for _, s := range operations(c, chanflow.Send) {
		if !s.Bare() {
			continue
		}
		for _, g := range r.startsIn(s.Fn, mk.Parent()) {
			switch {
			case wait != nil && waitedFor(s.Fn) && r.waits(c, s, g, wait, room):
				r.waitFinding(c, s, room, "Wait at "+r.line(wait.Pos()),
					r.waitFix(c, mk, s, g, wait))
				return
			case r.endsLoop(c, s, recvs, room):
				r.waitFinding(c, s, room, "the loop over a channel that is closed after "+
					"it", nil)
				return
			}
		}
	}
}

// waits reports whether more values than there is room for are sent before wait
// returns.
func (m *model) waits(c *chanflow.Class, s *chanflow.Op, g ssa.CallInstruction,
	wait *ssa.Call, room int64) bool {
	many := m.loops(c, wait.Parent()).contains(g.Block()) ||
		findLoops(s.Fn, nil).contains(s.Instr.Block())
	return (many || room == 0) && (before(g, wait) ||
		g.Block() != wait.Block() && reachable(g.Block(), wait.Block()))
}

func (r *reporter) waitFinding(c *chanflow.Class, s *chanflow.Op, room int64,
	after string, fix []analysis.SuggestedFix) {
	r.report(analysis.Diagnostic{Pos: s.Pos, Category: "g", SuggestedFixes: fix,
		Message: fmt.Sprintf("likely deadlock: this send on %s blocks once its buffer "+
			"of %d is full, and values are received only after %s, which waits for "+
			"this goroutine: wait and close in a separate goroutine, or make room for "+
			"every value", r.describe(c), room, after)})
}

// endsLoop reports whether the receives come after a loop over another channel,
// which the sender closes after the send, when others may have filled the
// buffer.
func (m *model) endsLoop(c *chanflow.Class, s *chanflow.Op, recvs []*chanflow.Op,
	room int64) bool {
	if room > 0 && len(operations(c, chanflow.Send)) < 2 || len(recvs) == 0 {
		return false
	}
	for _, d := range m.Classes() {
		if d == c || !closedAfter(d, s) {
			continue
		}
		for _, r := range operations(d, chanflow.Recv) {
			if r.Bare() && m.loops(d, r.Fn).contains(r.Instr.Block()) &&
				allAfter(r, recvs, m.loops(d, r.Fn)) {
				return true
			}
		}
	}
	return false
}

// closedAfter reports whether only the sender closes d, after its send.
func closedAfter(d *chanflow.Class, s *chanflow.Op) bool {
	closes := operations(d, chanflow.Close)
	for _, o := range closes {
		_, deferred := o.Instr.(*ssa.Defer)
		if o.Fn != s.Fn || !deferred && !reachable(s.Instr.Block(), o.Instr.Block()) {
			return false
		}
	}
	return len(closes) > 0
}

// allAfter reports whether all receives come after the loop of r.
func allAfter(r *chanflow.Op, recvs []*chanflow.Op, l *loops) bool {
	for _, o := range recvs {
		if o.Fn != r.Fn || l.same(o.Instr.Block(), r.Instr.Block()) ||
			!r.Instr.Block().Dominates(o.Instr.Block()) {
			return false
		}
	}
	return true
}

// startsIn returns the calls in a function that start fn as a goroutine.
func (m *model) startsIn(fn, in *ssa.Function) []ssa.CallInstruction {
	var all []ssa.CallInstruction
	for _, g := range m.goStatements(fn) {
		if g.Parent() == in {
			all = append(all, g)
		}
	}
	if c := m.started[fn]; c != nil && c.Parent() == in {
		all = append(all, c)
	}
	return all
}

// receivedAfter returns the call of Wait that all receives come after, in fn.
func receivedAfter(fn *ssa.Function, recvs []*chanflow.Op) *ssa.Call {
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			c, ok := in.(*ssa.Call)
			if !ok || !isWait(c) || len(recvs) == 0 {
				continue
			}
			all := true
			for _, r := range recvs {
				all = all && r.Fn == fn && before(c, r.Instr)
			}
			if all {
				return c
			}
		}
	}
	return nil
}

// waitedFor reports whether a WaitGroup waits for fn.
func waitedFor(fn *ssa.Function) bool {
	for _, b := range fn.Blocks {
		for _, in := range b.Instrs {
			if c, ok := in.(ssa.CallInstruction); ok && calleeName(c) == "Done" &&
				onWaitGroup(c) {
				return true
			}
		}
	}
	return false
}

func isWait(c ssa.CallInstruction) bool {
	return calleeName(c) == "Wait" && onWaitGroup(c)
}

func onWaitGroup(c ssa.CallInstruction) bool {
	args := c.Common().Args
	if c.Common().IsInvoke() || len(args) == 0 {
		return false
	}
	t := args[0].Type().String()
	return strings.HasSuffix(t, "sync.WaitGroup") ||
		strings.HasSuffix(t, "errgroup.Group")
}

// waitFix makes the channel with room for all values, if their number is known.
func (m *model) waitFix(c *chanflow.Class, mk *ssa.MakeChan, s *chanflow.Op,
	start ssa.CallInstruction, wait *ssa.Call) []analysis.SuggestedFix {
	if len(operations(c, chanflow.Send)) > 1 ||
		findLoops(s.Fn, nil).contains(s.Instr.Block()) {
		return nil
	}
	n := "1"
	if m.loops(c, mk.Parent()).contains(start.Block()) {
		n = m.lengthAround(start, mk)
	}
	if n == "" {
		return nil
	}
	return m.setCapacity(mk, n)
}

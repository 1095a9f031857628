package vet

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// cause is the reason why a receiver leaves its loop.
type cause int

const (
	unknown     cause = iota
	closed            // the channel is closed, or its sender ends the loop
	signal            // another channel, a context, a call named after stopping
	errorSignal       // an error received from another channel
	failure           // an error returned by a call
	callResult        // another result of a call
	message           // the content of the value received
	flag              // a variable
	count             // a counter
	recovered         // a recovered panic
	always            // nothing: the loop is left in any case
	stopMessage       // the arrival of any value
)

// because completes "returns": the message for a cause.
var because = map[cause]string{
	failure:     "on an error",
	recovered:   "after a panic, which is recovered",
	callResult:  "when a call says so",
	message:     "for some values",
	errorSignal: "when an error arrives",
	flag:        "on a condition",
	signal:      "on a signal",
	count:       "after a number of values",
	always:      "in any case",
	unknown:     "on a condition",
}

var errorType = types.Universe.Lookup("error").Type()

func isError(t types.Type) bool { return types.Identical(t, errorType) }

// causeOf returns the reason why a loop that receives from c is left under the
// guards of an exit.
func (m *model) causeOf(c *chanflow.Class, exit []guard) cause {
	for i, g := range exit {
		if sel, n, ok := selectCase(g.cond); ok {
			if why := m.caseCause(c, sel.States[n], i == 0); !g.negated && why != unknown {
				return why
			}
			continue
		}
		t := &traits{model: m, class: c}
		if why := t.cause(g); why != unknown {
			return why
		}
	}
	if len(exit) == 0 {
		return always
	}
	return unknown
}

// caseCause returns the reason when a loop is left in a case of a select.
// Innermost says that the case leaves without another condition.
func (m *model) caseCause(c *chanflow.Class, s *ssa.SelectState, innermost bool) cause {
	d := m.Class(s.Chan)
	switch {
	case d == c && innermost:
		return stopMessage
	case d == c || s.Dir != types.RecvOnly:
		return unknown
	case m.senderEnds(c, d):
		return closed
	case isError(chanType(s.Chan).Elem()):
		return errorSignal
	}
	return signal
}

func chanType(v ssa.Value) *types.Chan {
	return v.Type().Underlying().(*types.Chan)
}

// senderEnds reports whether all functions that send to d or close it also
// send to c: the sender itself tells the receiver to stop.
func (m *model) senderEnds(c, d *chanflow.Class) bool {
	if d.SendOut() || d.Foreign() {
		return false
	}
	senders := m.senders(c)
	n := 0
	for _, o := range d.Ops {
		if o.Kind == chanflow.Recv {
			continue
		}
		if !senders[o.Fn] {
			return false
		}
		n++
	}
	return n > 0
}

// senders returns the functions that send to c, with the functions around
// them in the same goroutine, and the closures in them.
func (m *model) senders(c *chanflow.Class) map[*ssa.Function]bool {
	all := make(map[*ssa.Function]bool)
	for _, o := range operations(c, chanflow.Send) {
		for f := o.Fn; f != nil; f = f.Parent() {
			all[f] = true
			if len(m.goStatements(f)) > 0 {
				break
			}
		}
		for _, f := range o.Fn.AnonFuncs {
			all[f] = true
		}
	}
	return all
}

// traits are the kinds of values that a condition is computed from.
type traits struct {
	*model
	class *chanflow.Class

	err                              bool // it compares an error
	call, variable, counter          bool
	message, ended, other, otherDone bool // received from the class, or another
	stop                             bool // a context, a call named after stopping
}

func (t *traits) cause(g guard) cause {
	if b, ok := g.cond.(*ssa.BinOp); ok {
		t.err = isError(b.X.Type())
	}
	origins(g.cond, t.visit)
	switch {
	case t.ended && !t.call:
		return closed
	case t.otherDone && !t.call, t.stop:
		return signal
	case t.err && !t.call && t.message:
		return message
	case t.err && !t.call && t.other:
		return errorSignal
	case t.err:
		return failure
	case t.message:
		return message
	case t.call:
		return callResult
	case t.other:
		return signal
	case t.variable:
		return flag
	case t.counter:
		return count
	}
	return unknown
}

// visit notes one value. It reports whether to go on with those that the value
// is computed from.
func (t *traits) visit(v ssa.Value) bool {
	switch x := v.(type) {
	case *ssa.Call:
		t.called(x)
		return false
	case *ssa.UnOp:
		if x.Op == token.ARROW {
			t.received(x.X)
			return false
		}
	case *ssa.Extract:
		return t.extracted(x)
	case *ssa.FieldAddr, *ssa.Global, *ssa.FreeVar:
		t.variable = true
	case *ssa.Phi:
		t.counter = true
	case *ssa.Next:
		t.counter = true
		return false
	}
	return true
}

func (t *traits) received(ch ssa.Value) {
	switch d := t.Class(ch); {
	case d == t.class:
		t.message = true
	case t.senderEnds(t.class, d):
		t.ended = true
	default:
		t.other = true
	}
}

func (t *traits) extracted(e *ssa.Extract) bool {
	switch x := e.Tuple.(type) {
	case *ssa.UnOp:
		if x.Op != token.ARROW || e.Index != 1 {
			return true
		}
		if t.Class(x.X) == t.class {
			t.ended = true
		} else {
			t.otherDone = true
		}
	case *ssa.Select:
		switch {
		case e.Index == 1:
			t.ended = true
		case e.Index > 1:
			if s := chanflow.CaseOf(e, x); s != nil {
				t.received(s.Chan)
			}
		}
	default:
		return true
	}
	return false
}

func (t *traits) called(c *ssa.Call) {
	if b, ok := c.Common().Value.(*ssa.Builtin); ok {
		t.counter = t.counter || b.Name() == "len" || b.Name() == "cap"
		return
	}
	name := calleeName(c)
	if callsPackage(c, "sync/atomic") {
		t.variable = true
		return
	}
	t.call = true
	if callsPackage(c, "errors") && (name == "Is" || name == "As") {
		t.err = true
		t.stop = t.stop || comparesEnd(c)
	}
	t.stop = t.stop || namesEnd(name)
}

// callsPackage reports whether the function called, or its receiver, is of a
// package.
func callsPackage(c ssa.CallInstruction, path string) bool {
	fn := chanflow.Callee(c)
	if fn == nil {
		return false
	}
	if o := fn.Object(); o != nil && o.Pkg() != nil {
		return o.Pkg().Path() == path
	}
	return fn.Pkg != nil && fn.Pkg.Pkg.Path() == path
}

// comparesEnd reports whether errors.Is is asked for an error that says that
// the work is over.
func comparesEnd(c *ssa.Call) bool {
	for _, arg := range c.Common().Args {
		if u, ok := arg.(*ssa.UnOp); ok {
			if g, ok := u.X.(*ssa.Global); ok {
				switch g.Name() {
				case "Canceled", "DeadlineExceeded", "ErrClosed":
					return true
				}
			}
		}
	}
	return false
}

// namesEnd reports whether a function of that name tells whether the work is
// over.
func namesEnd(name string) bool {
	return name == "Err" || containsAny(strings.ToLower(name), "closed", "stop",
		"shut", "running", "dead", "done", "exit")
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

package chanflow

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// Kind is the kind of an operation on a channel.
type Kind uint8

const (
	Send Kind = iota
	Recv
	Close
)

// Op is one operation on a channel.
type Op struct {
	Kind  Kind
	Fn    *ssa.Function
	Instr ssa.Instruction
	Pos   token.Pos
	Chan  ssa.Value

	// Select is the select statement that the operation is a case of, and Case
	// the number of its state there. Select is nil for a plain operation.
	Select *ssa.Select
	Case   int

	// Callee is the function of another package that does the operation, when
	// Instr is a call of it.
	Callee *RemoteOp
}

// Bare reports whether the operation blocks until it succeeds: it is no case
// of a select with another way out.
func (o *Op) Bare() bool {
	if o.Callee != nil {
		return o.Callee.Bare
	}
	return o.Kind != Close &&
		(o.Select == nil || o.Select.Blocking && len(o.Select.States) == 1)
}

// note adds an operation.
func (f *Flow) note(o *Op) {
	if !o.Pos.IsValid() {
		o.Pos = o.Instr.Pos()
	}
	c := f.class(o.Chan)
	c.Ops = append(c.Ops, o)
	f.ops = append(f.ops, o)
}

// operation notes the channel operations of an instruction.
func (f *Flow) operation(fn *ssa.Function, instr ssa.Instruction) {
	switch i := instr.(type) {
	case *ssa.MakeChan:
		c := f.class(i)
		c.Makes = append(c.Makes, i)
	case *ssa.Send:
		f.note(&Op{Kind: Send, Fn: fn, Instr: i, Chan: i.Chan})
		f.sent(i.Chan, i.X)
	case *ssa.UnOp:
		if i.Op == token.ARROW {
			f.note(&Op{Kind: Recv, Fn: fn, Instr: i, Chan: i.X})
			f.received(i.X, i)
		}
	case *ssa.Select:
		for n, s := range i.States {
			o := &Op{Kind: Recv, Fn: fn, Instr: i, Pos: s.Pos, Chan: s.Chan,
				Select: i, Case: n}
			if s.Dir == types.SendOnly {
				o.Kind = Send
				f.sent(s.Chan, s.Send)
			}
			f.note(o)
		}
	}
}

func (f *Flow) sent(ch, v ssa.Value) {
	if carries(v.Type()) {
		union(f.element(f.class(ch)), f.class(v))
	}
}

func (f *Flow) received(ch, v ssa.Value) {
	if carries(v.Type()) {
		union(f.element(f.class(ch)), f.class(v))
	}
}

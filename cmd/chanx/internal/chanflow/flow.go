package chanflow

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/callgraph"
	"golang.org/x/tools/go/ssa"
)

// class is a set of values that may be the same channel; the forest of a
// union-find. An address and what is stored there are in the same class: a
// variable is its content.
type class struct {
	parent  *class
	element *class // of what is sent through it, for channels of channels
	escapes bool   // to where the source is not known
}

func (c *class) find() *class {
	for c.parent != nil {
		if c.parent.parent != nil {
			c.parent = c.parent.parent
		}
		c = c.parent
	}
	return c
}

func union(a, b *class) {
	a, b = a.find(), b.find()
	if a == b {
		return
	}
	b.parent = a
	a.escapes = a.escapes || b.escapes
	if a.element == nil {
		a.element = b.element
	} else if b.element != nil {
		union(a.element, b.element)
	}
}

// result is the key of what a function returns.
type result struct {
	fn *ssa.Function
	i  int
}

// class returns the class of a key: a value, a field, a [result].
func (p *Program) class(key any) *class {
	c := p.classes[key]
	if c == nil {
		c = &class{}
		p.classes[key] = c
	}
	return c.find()
}

func (p *Program) element(ch ssa.Value) *class {
	c := p.class(ch)
	if c.element == nil {
		c.element = &class{}
	}
	return c.element.find()
}

// same puts two values into one class, if they are about channels: without
// the restriction two fields that once held the same integer would be one.
func (p *Program) same(a, b ssa.Value) {
	if carries(a.Type()) && carries(b.Type()) {
		union(p.class(a), p.class(b))
	}
}

func (p *Program) escape(v ssa.Value) {
	if carries(v.Type()) {
		p.class(v).escapes = true
	}
}

// carries reports whether a t is, points to, or holds channels.
func carries(t types.Type) bool {
	for range 8 {
		switch u := t.Underlying().(type) {
		case *types.Chan:
			return true
		case *types.Pointer:
			t = u.Elem()
		case *types.Slice:
			t = u.Elem()
		case *types.Array:
			t = u.Elem()
		case *types.Map:
			t = u.Elem()
		default:
			return false
		}
	}
	return false
}

// flow follows what fn does with channels.
func (p *Program) flow(fn *ssa.Function) {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			p.operation(fn, instr)
			p.move(fn, instr)
			if call, ok := instr.(ssa.CallInstruction); ok {
				p.builtin(fn, call)
			}
		}
	}
	p.called(fn)
}

// operation notes what is done on a channel.
func (p *Program) operation(fn *ssa.Function, instr ssa.Instruction) {
	note := func(ch ssa.Value, pos token.Pos, o op) {
		if !pos.IsValid() {
			pos = instr.Pos()
		}
		o.fn, o.ch, o.pos = fn, p.class(ch), p.ssa.Fset.Position(pos)
		p.ops = append(p.ops, o)
	}
	switch i := instr.(type) {
	case *ssa.Send:
		note(i.Chan, i.Pos(), op{send: true, wait: true, only: true})
		if carries(i.X.Type()) {
			union(p.element(i.Chan), p.class(i.X))
		}
	case *ssa.UnOp:
		if i.Op != token.ARROW {
			return
		}
		note(i.X, i.Pos(), op{wait: true, only: true})
		if carries(i.Type()) {
			union(p.element(i.X), p.class(i))
		}
	case *ssa.Select:
		for _, s := range i.States {
			note(s.Chan, s.Pos, op{send: s.Dir == types.SendOnly,
				wait: i.Blocking, only: len(i.States) == 1})
			if s.Send != nil && carries(s.Send.Type()) {
				union(p.element(s.Chan), p.class(s.Send))
			}
		}
	}
}

// move follows a channel from one value to another within fn.
func (p *Program) move(fn *ssa.Function, instr ssa.Instruction) {
	switch i := instr.(type) {
	case *ssa.Phi:
		for _, e := range i.Edges {
			p.same(i, e)
		}
	case *ssa.ChangeType:
		p.same(i, i.X)
	case *ssa.UnOp:
		if i.Op == token.MUL {
			p.same(i, i.X)
		}
	case *ssa.Store:
		p.same(i.Addr, i.Val)
	case *ssa.FieldAddr:
		p.field(i, i.X.Type(), i.Field)
	case *ssa.Field:
		p.field(i, i.X.Type(), i.Field)
	case *ssa.IndexAddr:
		p.same(i, i.X)
	case *ssa.Index:
		p.same(i, i.X)
	case *ssa.Lookup:
		p.same(i, i.X)
	case *ssa.Slice:
		p.same(i, i.X)
	case *ssa.MapUpdate:
		p.same(i.Map, i.Value)
	case *ssa.Extract:
		p.extract(i)
	case *ssa.MakeClosure:
		p.captured(i)
	case *ssa.Return:
		for n, v := range i.Results {
			if carries(v.Type()) {
				union(p.class(result{fn, n}), p.class(v))
			}
		}
	case *ssa.MakeInterface:
		p.escape(i.X) // whoever gets the interface may take it out again
	case *ssa.TypeAssert:
		p.escape(i)
	}
}

// captured follows the variables of a function into a closure.
func (p *Program) captured(c *ssa.MakeClosure) {
	for n, v := range c.Bindings {
		p.same(v, c.Fn.(*ssa.Function).FreeVars[n])
	}
}

// field puts a field's address or value into the class of the field: that of
// all values of the struct, and of all instances of a generic one.
func (p *Program) field(v ssa.Value, of types.Type, n int) {
	if !carries(v.Type()) {
		return
	}
	if ptr, ok := of.Underlying().(*types.Pointer); ok {
		of = ptr.Elem()
	}
	if s, ok := of.Underlying().(*types.Struct); ok {
		union(p.class(s.Field(n).Origin()), p.class(v))
	}
}

// extract follows one of several values.
func (p *Program) extract(e *ssa.Extract) {
	if !carries(e.Type()) {
		return
	}
	switch t := e.Tuple.(type) {
	case *ssa.Call:
		for _, callee := range p.callees(t) {
			union(p.class(e), p.class(result{callee, e.Index}))
		}
	case *ssa.Lookup:
		union(p.class(e), p.class(t.X))
	case *ssa.Next:
		if r, ok := t.Iter.(*ssa.Range); ok {
			p.same(e, r.X)
		}
	case *ssa.UnOp: // v, ok := <-ch
		union(p.class(e), p.element(t.X))
	case *ssa.Select:
		for _, s := range t.States {
			if s.Dir == types.RecvOnly {
				union(p.class(e), p.element(s.Chan))
			}
		}
	default:
		p.escape(e)
	}
}

func (p *Program) callees(site ssa.CallInstruction) []*ssa.Function {
	var fns []*ssa.Function
	if node := p.calls.Nodes[site.Parent()]; node != nil {
		for _, out := range node.Out {
			if out.Site == site {
				fns = append(fns, out.Callee.Func)
			}
		}
	}
	return fns
}

// builtin knows close, append and copy, and that a channel given to a
// function that nobody is known to be is lost.
func (p *Program) builtin(fn *ssa.Function, call ssa.CallInstruction) {
	common := call.Common()
	b, ok := common.Value.(*ssa.Builtin)
	if !ok {
		if common.StaticCallee() == nil && len(p.callees(call)) == 0 {
			for _, arg := range common.Args {
				p.escape(arg)
			}
		}
		return
	}
	switch b.Name() {
	case "close":
		p.ops = append(p.ops, op{fn: fn, send: true, ch: p.class(common.Args[0]),
			pos: p.ssa.Fset.Position(call.Pos())})
	case "append", "copy":
		p.same(common.Args[0], common.Args[1])
		if v := call.Value(); v != nil {
			p.same(v, common.Args[0])
		}
	}
}

// called connects the parameters and results of fn with all its calls. A
// function without any gets its channels from, and gives them to, others.
func (p *Program) called(fn *ssa.Function) {
	node := p.calls.Nodes[fn]
	calls := 0
	if node != nil {
		for _, in := range node.In {
			if in.Site != nil {
				calls++
				p.call(in, fn)
			}
		}
	}
	known := calls > 0 || fn.Parent() != nil
	for _, param := range fn.Params {
		if len(fn.Blocks) == 0 || !known {
			p.escape(param)
		}
	}
	results := fn.Signature.Results()
	for i := range results.Len() {
		if carries(results.At(i).Type()) && (len(fn.Blocks) == 0 || !known) {
			p.class(result{fn, i}).escapes = true
		}
	}
}

func (p *Program) call(in *callgraph.Edge, fn *ssa.Function) {
	common := in.Site.Common()
	args := common.Args
	params := fn.Params
	if common.IsInvoke() && len(params) > 0 {
		params = params[1:]
	}
	for i, arg := range args {
		switch {
		case i < len(params):
			p.same(arg, params[i])
		default: // a function without source has no parameters
			p.escape(arg)
		}
	}
	if v := in.Site.Value(); v != nil && carries(v.Type()) {
		union(p.class(v), p.class(result{fn, 0}))
	}
}

package chanflow

import (
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// Class is a set of values that may hold the same channel, a set of a
// union-find forest. An address and the value stored there share a class: a
// variable is identified with its content.
type Class struct {
	parent  *Class
	element *Class // of the values sent through it, for channels of channels

	wild reach // by code that is not read
	api  reach // by the users of the exported names of a package

	Makes  []*ssa.MakeChan
	Fields []*types.Var // and package-level variables
	Ops    []*Op

	// Remote has the operations in other packages, known from their facts, and
	// RemoteMade reports that one of them makes the channel.
	Remote     []RemoteOp
	RemoteMade bool
}

// reach is what code elsewhere can do with a channel.
type reach struct{ Recv, Send, Make bool }

func (r reach) or(s reach) reach {
	return reach{r.Recv || s.Recv, r.Send || s.Send, r.Make || s.Make}
}

var anything = reach{true, true, true}

// RecvOut reports whether code that was not read may receive from the channel.
func (c *Class) RecvOut() bool { return c.wild.Recv || c.api.Recv }

// OnlyReturned reports whether unknown receivers of the channel can only be
// callers of a function that returns it.
func (c *Class) OnlyReturned() bool {
	return c.api.Recv && !c.wild.Recv && !c.Foreign()
}

// SendOut reports whether code that was not read may send to the channel or
// close it.
func (c *Class) SendOut() bool { return c.wild.Send || c.api.Send }

// Foreign reports whether the channel may be made by code that was not read.
func (c *Class) Foreign() bool { return c.wild.Make || c.api.Make }

func (c *Class) find() *Class {
	for c.parent != nil {
		if c.parent.parent != nil {
			c.parent = c.parent.parent
		}
		c = c.parent
	}
	return c
}

func union(a, b *Class) {
	a, b = a.find(), b.find()
	if a == b {
		return
	}
	b.parent = a
	a.wild, a.api = a.wild.or(b.wild), a.api.or(b.api)
	a.Makes = append(a.Makes, b.Makes...)
	a.Fields = append(a.Fields, b.Fields...)
	a.Ops = append(a.Ops, b.Ops...)
	a.Remote = append(a.Remote, b.Remote...)
	a.RemoteMade = a.RemoteMade || b.RemoteMade
	if a.element == nil {
		a.element = b.element
	} else if b.element != nil {
		union(a.element, b.element)
	}
}

// result is the class key of a function's result.
type result struct {
	fn *ssa.Function
	i  int
}

// Class returns the class of a value.
func (f *Flow) Class(v ssa.Value) *Class { return f.class(v) }

// class returns the class of a key: a value, a field, a [result]. All channels
// of a named type with methods share one class: the methods are how they are
// used, and they pass through conversions that hide them.
func (f *Flow) class(key any) *Class {
	if v, ok := key.(ssa.Value); ok && hasMethods(v.Type()) {
		key = types.Unalias(v.Type()).(*types.Named).Obj()
	}
	c := f.classes[key]
	if c == nil {
		c = &Class{}
		f.classes[key] = c
		if v, ok := variableOf(key); ok {
			c.Fields = []*types.Var{v}
		}
	}
	return c.find()
}

func (f *Flow) element(c *Class) *Class {
	c = c.find()
	if c.element == nil {
		c.element = &Class{}
	}
	return c.element.find()
}

// same joins the classes of two values, if both carry channels: without the
// restriction two fields that once held the same integer would be one.
func (f *Flow) same(a, b ssa.Value) {
	if carries(a.Type()) && carries(b.Type()) {
		union(f.class(a), f.class(b))
	}
}

// leave notes that v is handed to code that is not read.
func (f *Flow) leave(v ssa.Value) {
	if carries(v.Type()) && !hasMethods(v.Type()) {
		c := f.class(v)
		c.wild = c.wild.or(handed(v.Type()))
	}
}

// enter notes that v comes from code that is not read, which may keep it.
func (f *Flow) enter(v ssa.Value) {
	if carries(v.Type()) && !hasMethods(v.Type()) {
		f.class(v).wild = anything
	}
}

// handed returns the operations that a value of type t allows on the channel
// in it.
func handed(t types.Type) reach {
	dir := channelIn(t).Dir()
	return reach{Recv: dir != types.SendOnly, Send: dir != types.RecvOnly}
}

// carries reports whether a value of type t is, points to, or holds channels.
func carries(t types.Type) bool { return channelIn(t) != nil }

// channelIn returns the type of the channel that a t is, points to, or holds.
func channelIn(t types.Type) *types.Chan {
	for range 8 {
		switch u := t.Underlying().(type) {
		case *types.Chan:
			return u
		case *types.Pointer:
			t = u.Elem()
		case *types.Slice:
			t = u.Elem()
		case *types.Array:
			t = u.Elem()
		case *types.Map:
			t = u.Elem()
		default:
			return nil
		}
	}
	return nil
}

func hasMethods(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return false
	}
	_, ok = n.Underlying().(*types.Chan)
	return ok && n.NumMethods() > 0
}

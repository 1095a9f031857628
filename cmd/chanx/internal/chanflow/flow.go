package chanflow

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// Flow is where the channels of a set of functions go.
type Flow struct {
	Funcs []*ssa.Function

	world
	classes map[any]*Class
	ops     []*Op
}

// world knows the calls between the functions that are read. A whole program
// and a single package answer differently.
type world interface {
	// callees returns the functions read that a call may reach, and whether
	// these are all of them.
	callees(ssa.CallInstruction) (fns []*ssa.Function, all bool)

	// called reports whether code that is not read may call fn.
	called(fn *ssa.Function) bool

	// visible reports whether code that is not read may use a field of a struct
	// type, or a global variable.
	visible(v types.Object, of types.Type) bool

	// importedCall and importedVar apply the facts about a function or variable
	// of another package. They report false if there are none.
	importedCall(*Flow, ssa.CallInstruction) bool
	importedVar(*Flow, *Class, types.Object) bool
}

// newFlow follows the channels of fns.
func newFlow(w world, fns []*ssa.Function) *Flow {
	f := &Flow{world: w, Funcs: fns, classes: make(map[any]*Class)}
	for _, fn := range fns {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				f.operation(fn, instr)
				f.move(fn, instr)
				f.globals(instr)
				if call, ok := instr.(ssa.CallInstruction); ok {
					f.call(fn, call)
				}
			}
		}
		f.boundary(fn)
	}
	f.elements()
	return f
}

// Classes returns each class that has an operation.
func (f *Flow) Classes() []*Class {
	var all []*Class
	seen := make(map[*Class]bool)
	for _, o := range f.ops {
		if c := f.class(o.Chan); !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all
}

// elements marks the channels that travel through channels that leave or
// enter.
func (f *Flow) elements() {
	for changed := true; changed; {
		changed = false
		for _, c := range f.classes {
			c = c.find()
			if c.element == nil || !c.Foreign() && !c.RecvOut() {
				continue
			}
			e := c.element.find()
			changed = changed || e.wild != anything
			e.wild = anything
		}
	}
}

// boundary marks the parameters that unknown callers pass, and the results
// that they get.
func (f *Flow) boundary(fn *ssa.Function) {
	if !f.called(fn) {
		return
	}
	for _, p := range parameters(fn) {
		if carries(p.Type()) && !hasMethods(p.Type()) {
			f.class(p).api = anything
		}
	}
	results := fn.Signature.Results()
	for i := range results.Len() {
		if t := results.At(i).Type(); carries(t) && !hasMethods(t) {
			c := f.class(result{fn, i})
			c.api = c.api.or(handed(t))
		}
	}
}

// parameters returns the parameters of fn but for its receiver.
func parameters(fn *ssa.Function) []*ssa.Parameter {
	if fn.Signature.Recv() != nil && len(fn.Params) > 0 {
		return fn.Params[1:]
	}
	return fn.Params
}

// globals marks the package-level variables that other packages can use.
func (f *Flow) globals(instr ssa.Instruction) {
	var buf [8]*ssa.Value
	for _, v := range instr.Operands(buf[:0]) {
		g, ok := (*v).(*ssa.Global)
		if ok && carries(g.Type()) && g.Object() != nil {
			f.variable(f.class(g), g.Object(), nil)
		}
	}
}

// variable notes the use of a field of a struct type, or of a package-level
// variable.
func (f *Flow) variable(c *Class, v types.Object, of types.Type) {
	if !f.importedVar(f, c, v) && f.visible(v, of) {
		c.api = anything
	}
}

// move follows a channel from one value to another within fn.
func (f *Flow) move(fn *ssa.Function, instr ssa.Instruction) {
	switch i := instr.(type) {
	case *ssa.Phi:
		for _, e := range i.Edges {
			f.same(i, e)
		}
	case *ssa.ChangeType:
		f.same(i, i.X)
	case *ssa.UnOp:
		if i.Op == token.MUL {
			f.same(i, i.X)
		}
	case *ssa.Store:
		f.same(i.Addr, i.Val)
	case *ssa.FieldAddr:
		f.field(i, i.X.Type(), i.Field)
	case *ssa.Field:
		f.field(i, i.X.Type(), i.Field)
	case *ssa.IndexAddr:
		f.same(i, i.X)
	case *ssa.Index:
		f.same(i, i.X)
	case *ssa.Lookup:
		f.same(i, i.X)
	case *ssa.Slice:
		f.same(i, i.X)
	case *ssa.MapUpdate:
		f.same(i.Map, i.Value)
		f.leave(i.Key)
	case *ssa.Extract:
		f.extract(i)
	case *ssa.MakeClosure:
		for n, v := range i.Bindings {
			f.same(v, i.Fn.(*ssa.Function).FreeVars[n])
		}
	case *ssa.Return:
		for n, v := range i.Results {
			if carries(v.Type()) {
				union(f.class(result{fn, n}), f.class(v))
			}
		}
	case *ssa.MakeInterface:
		f.leave(i.X) // a type assertion elsewhere may take it out again
	case *ssa.TypeAssert:
		f.enter(i)
	}
}

// field joins a field's address or value with the class of the field: that of
// all values of the struct, and of all instances of a generic one.
func (f *Flow) field(v ssa.Value, of types.Type, n int) {
	if !carries(v.Type()) {
		return
	}
	if ptr, ok := of.Underlying().(*types.Pointer); ok {
		of = ptr.Elem()
	}
	s, ok := of.Underlying().(*types.Struct)
	if !ok {
		return
	}
	field := s.Field(n).Origin()
	union(f.class(field), f.class(v))
	f.variable(f.class(v), field, of)
}

// extract follows one of several values.
func (f *Flow) extract(e *ssa.Extract) {
	if !carries(e.Type()) {
		return
	}
	switch t := e.Tuple.(type) {
	case *ssa.Call:
		f.returned(e, t, e.Index)
	case *ssa.Lookup:
		union(f.class(e), f.class(t.X))
	case *ssa.Next:
		if r, ok := t.Iter.(*ssa.Range); ok && e.Index == 2 {
			f.same(e, r.X)
			return
		}
		f.enter(e) // the key of a map
	case *ssa.UnOp: // v, ok := <-ch
		union(f.class(e), f.element(f.class(t.X)))
	case *ssa.Select:
		if s := CaseOf(e, t); s != nil {
			union(f.class(e), f.element(f.class(s.Chan)))
		}
	default:
		f.enter(e)
	}
}

// CaseOf returns the case of sel that received e, or nil.
func CaseOf(e *ssa.Extract, sel *ssa.Select) *ssa.SelectState {
	n := 2 // after the index and ok
	for _, s := range sel.States {
		if s.Dir != types.RecvOnly {
			continue
		}
		if n == e.Index {
			return s
		}
		n++
	}
	return nil
}

package chanflow

import (
	"fmt"
	"go/types"
	"path"

	"golang.org/x/tools/go/ssa"
)

// classKey names a class of another package.
type classKey struct {
	Pkg string
	ID  int
}

// RemoteOp is an operation in another package.
type RemoteOp struct {
	Kind       Kind
	Bare, Loop bool
	Where      string // function and position, for messages
}

// classFact describes the channels behind one name of an API.
type classFact struct {
	Key    classKey
	Shared bool // kept by the package: each call means the same class
	Wild   reach
	Made   bool
	Ops    []RemoteOp

	// Outlets has the names that hand the channels out to any package that
	// uses them.
	Outlets []string
}

// funcFact describes the parameters, without the receiver, and the results of a
// function, by number.
type funcFact struct{ Params, Results map[int]classFact }

func (*funcFact) AFact() {}

// varFact describes a package-level variable or a field.
type varFact struct{ Class classFact }

func (*varFact) AFact() {}

// exportFacts states the facts about the exported names of the package.
func (p *Package) exportFacts() {
	e := &exporter{Package: p, ids: make(map[*Class]int),
		shared: make(map[*Class]bool), outlets: make(map[*Class][]types.Object)}
	e.collect()
	for _, fn := range p.Funcs {
		e.function(fn)
	}
	for key, c := range p.classes {
		v, ok := variableOf(key)
		if ok && v.Exported() && v.Pkg() == p.pass.Pkg && carries(v.Type()) {
			p.pass.ExportObjectFact(v, &varFact{e.fact(c.find())})
		}
	}
}

// variableOf returns the field or package-level variable of a class key.
func variableOf(key any) (*types.Var, bool) {
	switch key := key.(type) {
	case *types.Var:
		return key, true
	case *ssa.Global:
		v, ok := key.Object().(*types.Var)
		return v, ok
	}
	return nil, false
}

type exporter struct {
	*Package
	ids     map[*Class]int
	shared  map[*Class]bool
	outlets map[*Class][]types.Object // that hand the channels out
}

// collect finds the classes that outlive a call, and the names through which
// other packages get at them.
func (e *exporter) collect() {
	for key, c := range e.classes {
		c = c.find()
		switch key := key.(type) {
		case result:
			e.shared[c] = true
			if o := key.fn.Object(); o != nil && o.Exported() {
				e.outlets[c] = append(e.outlets[c], o)
			}
		case *types.Var, *ssa.Global, *types.TypeName, classKey:
			e.shared[c] = true
			if v, ok := variableOf(key); ok && v.Exported() {
				e.outlets[c] = append(e.outlets[c], v)
			}
		case *ssa.FreeVar, *ssa.MakeChan:
			e.shared[c] = true // a goroutine may keep it
		}
	}
}

func (e *exporter) function(fn *ssa.Function) {
	o, ok := fn.Object().(*types.Func)
	if !ok || !o.Exported() {
		return
	}
	fact := &funcFact{make(map[int]classFact), make(map[int]classFact)}
	for i, v := range parameters(fn) {
		if carries(v.Type()) {
			fact.Params[i] = e.fact(e.class(v))
		}
	}
	results := fn.Signature.Results()
	for i := range results.Len() {
		if carries(results.At(i).Type()) {
			fact.Results[i] = e.fact(e.class(result{fn, i}))
		}
	}
	if len(fact.Params)+len(fact.Results) > 0 {
		e.pass.ExportObjectFact(o, fact)
	}
}

// maxRemote bounds the operations of one class in a fact.
const maxRemote = 50

func (e *exporter) fact(c *Class) classFact {
	id, ok := e.ids[c]
	if !ok {
		id = len(e.ids)
		e.ids[c] = id
	}
	f := classFact{Key: classKey{e.pass.Pkg.Path(), id}, Shared: e.shared[c],
		Wild: c.wild, Made: len(c.Makes) > 0 || c.RemoteMade}
	for _, o := range e.outlets[c] {
		f.Outlets = append(f.Outlets, objectKey(o))
		if !e.module.owns(o) {
			f.Wild = anything
		}
	}
	f.Ops = append(f.Ops, c.Remote...)
	for _, o := range c.Ops {
		f.Ops = append(f.Ops, e.remote(o))
	}
	if len(f.Ops) > maxRemote {
		f.Ops, f.Wild = nil, anything
	}
	return f
}

func (e *exporter) remote(o *Op) RemoteOp {
	pos := e.pass.Fset.Position(o.Pos)
	r := RemoteOp{Kind: o.Kind, Bare: o.Bare(), Loop: InLoop(o.Instr.Block()),
		Where: fmt.Sprintf("%s (%s:%d)", o.Fn.RelString(nil),
			path.Base(pos.Filename), pos.Line)}
	if o.Callee != nil {
		r.Loop = r.Loop || o.Callee.Loop
	}
	return r
}

// InLoop reports whether control can come back to b from b.
func InLoop(b *ssa.BasicBlock) bool {
	seen := make(map[*ssa.BasicBlock]bool)
	var visit func(x *ssa.BasicBlock) bool
	visit = func(x *ssa.BasicBlock) bool {
		for _, s := range x.Succs {
			if s == b {
				return true
			}
			if !seen[s] {
				seen[s] = true
				if visit(s) {
					return true
				}
			}
		}
		return false
	}
	return visit(b)
}

// importedCall applies the fact about a function of another package to a call
// of it.
func (s *single) importedCall(f *Flow, call ssa.CallInstruction) bool {
	fn := Callee(call)
	if fn == nil || s.Local(fn) {
		return false
	}
	o, ok := fn.Object().(*types.Func)
	var fact funcFact
	if !ok || o.Pkg() == s.pass.Pkg || !s.pass.ImportObjectFact(o.Origin(), &fact) {
		return false
	}
	if s.applied[call] {
		return true
	}
	s.applied[call] = true
	args := call.Common().Args
	if fn.Signature.Recv() != nil && len(args) > 0 {
		args = args[1:]
	}
	for i, arg := range args {
		c, ok := fact.Params[i]
		switch {
		case !carries(arg.Type()):
		case !ok:
			f.leave(arg)
		case c.Shared:
			s.join(f, f.class(arg), c)
		default:
			s.inline(f, call, arg, c)
		}
	}
	s.results(f, call, fact)
	return true
}

func (s *single) results(f *Flow, call ssa.CallInstruction, fact funcFact) {
	v := call.Value()
	if v == nil {
		return
	}
	bind := func(r ssa.Value, i int) {
		if c, ok := fact.Results[i]; ok && carries(r.Type()) {
			s.join(f, f.class(r), c)
		} else {
			f.enter(r)
		}
	}
	if _, tuple := v.Type().(*types.Tuple); !tuple {
		bind(v, 0)
		return
	}
	for _, r := range *v.Referrers() {
		if e, ok := r.(*ssa.Extract); ok {
			bind(e, e.Index)
		}
	}
}

func (s *single) importedVar(f *Flow, c *Class, v types.Object) bool {
	var fact varFact
	if v.Pkg() == nil || v.Pkg() == s.pass.Pkg ||
		!s.pass.ImportObjectFact(v, &fact) {
		return false
	}
	s.join(f, c, fact.Class)
	return true
}

// join makes c one class with that of a fact.
func (s *single) join(f *Flow, c *Class, fact classFact) {
	known := f.classes[fact.Key] != nil
	remote := f.class(fact.Key)
	if !known {
		remote.wild = remote.wild.or(fact.Wild)
		remote.RemoteMade = fact.Made
		remote.Remote = append(remote.Remote, fact.Ops...)
		if !s.module.within(fact.Outlets, s.pass.Pkg) {
			remote.wild = anything
		}
	}
	union(remote, c)
}

// inline treats the operations of a callee on its parameter as if they stood
// at the call: each call has its own channel.
func (s *single) inline(f *Flow, call ssa.CallInstruction, arg ssa.Value,
	fact classFact) {
	c := f.class(arg)
	c.wild = c.wild.or(fact.Wild)
	for _, o := range fact.Ops {
		f.note(&Op{Kind: o.Kind, Fn: call.Parent(), Instr: call, Chan: arg,
			Callee: &o})
	}
}

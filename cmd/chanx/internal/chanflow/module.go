package chanflow

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// Module knows how the packages of a module use each other. Without it, the
// exported names of a package may be used by packages that are not read. With
// it, the uses of the names of an internal package are known.
//
// The zero value and nil know nothing.
type Module struct {
	path    string
	users   map[string]map[*types.Package]bool
	invoked map[string]bool // methods called through interfaces
}

// NewModule returns the module with a path. Add its packages before use.
func NewModule(path string) *Module {
	return &Module{path: path, invoked: make(map[string]bool),
		users: make(map[string]map[*types.Package]bool)}
}

// Add reads which names of other packages a package uses.
func (m *Module) Add(pkg *types.Package, uses map[*ast.Ident]types.Object) {
	for _, o := range uses {
		if fn, ok := o.(*types.Func); ok && types.IsInterface(recvType(fn)) {
			m.invoked[fn.Name()] = true
		}
		if o.Pkg() == nil || o.Pkg() == pkg || !m.internal(o.Pkg()) {
			continue
		}
		key := objectKey(o)
		if m.users[key] == nil {
			m.users[key] = make(map[*types.Package]bool)
		}
		m.users[key][pkg] = true
	}
}

// recvType returns the type of the receiver of fn, or an invalid one.
func recvType(fn *types.Func) types.Type {
	if recv := fn.Signature().Recv(); recv != nil {
		return recv.Type()
	}
	return types.Typ[types.Invalid]
}

// objectKey names an object within one run of an analysis.
func objectKey(o types.Object) string {
	switch v := o.(type) {
	case *types.Var:
		o = v.Origin()
	case *types.Func:
		o = v.Origin()
	}
	return fmt.Sprintf("%s.%s@%d", o.Pkg().Path(), o.Name(), o.Pos())
}

// internal reports whether only this module can import pkg.
func (m *Module) internal(pkg *types.Package) bool {
	return m != nil && m.path != "" &&
		strings.HasPrefix(pkg.Path()+"/", m.path+"/") &&
		strings.Contains("/"+pkg.Path()+"/", "/internal/")
}

// owns reports whether all uses of o are known: only this module can import its
// package, and o is no method that an interface hides.
func (m *Module) owns(o types.Object) bool {
	if !m.internal(o.Pkg()) {
		return false
	}
	fn, ok := o.(*types.Func)
	return !ok || fn.Signature().Recv() == nil || !m.invoked[o.Name()]
}

// outside reports whether packages other than that of o may use o.
func (m *Module) outside(o types.Object) bool {
	return !m.owns(o) || len(m.users[objectKey(o)]) > 0
}

// within reports whether all packages that use the names are among pkg and
// those it depends on.
func (m *Module) within(names []string, pkg *types.Package) bool {
	if len(names) == 0 {
		return true
	}
	if m == nil {
		return false
	}
	deps := make(map[*types.Package]bool)
	dependencies(pkg, deps)
	for _, name := range names {
		for user := range m.users[name] {
			if !deps[user] {
				return false
			}
		}
	}
	return true
}

func dependencies(pkg *types.Package, seen map[*types.Package]bool) {
	if seen[pkg] {
		return
	}
	seen[pkg] = true
	for _, p := range pkg.Imports() {
		dependencies(p, seen)
	}
}

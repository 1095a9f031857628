package chanflow

import (
	"go/ast"
	"go/types"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// flows reports the receivers of each channel that a package makes: the number
// in the package, the number in others, and whether there may be more.
var flows = func() *analysis.Analyzer {
	flow := New(nil)
	return &analysis.Analyzer{Name: "flows", Doc: "channels",
		Requires: []*analysis.Analyzer{flow},
		Run: func(pass *analysis.Pass) (any, error) {
			p := pass.ResultOf[flow].(*Package)
			for _, c := range p.Classes() {
				for _, m := range c.Makes {
					if p.Class(m) != c || c.OnlyReturned() && !c.RecvOut() {
						pass.Reportf(m.Pos(), "another class")
					}
					local, other := receivers(c)
					pass.Reportf(m.Pos(), "here %d elsewhere %d more %v", local, other,
						c.RecvOut())
				}
			}
			return nil, nil
		}}
}()

func receivers(c *Class) (local, other int) {
	for _, o := range c.Ops {
		if o.Kind == Recv && o.Callee == nil {
			local++
		}
		if o.Kind == Recv && o.Callee != nil {
			other++
		}
	}
	for _, o := range c.Remote {
		if o.Kind == Recv {
			other++
		}
	}
	return local, other
}

// TestPackage: one package knows from facts the operations of its imports on
// its channels.
func TestPackage(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), flows, "user", "command")
}

// TestModule: without a module, or outside of an internal package, anybody may
// use a name.
func TestModule(t *testing.T) {
	pkg := types.NewPackage("example.com/m/internal/a", "a")
	public := types.NewPackage("example.com/m/b", "b")
	v := types.NewVar(1, pkg, "V", types.Typ[types.Int])
	var none *Module
	require.True(t, none.outside(v))
	require.True(t, none.within(nil, public))
	require.False(t, none.within([]string{objectKey(v)}, public))
	m := NewModule("example.com/m")
	require.False(t, m.outside(v))
	user := types.NewPackage("example.com/m/c", "c")
	user.SetImports([]*types.Package{pkg, public})
	sig := types.NewSignatureType(types.NewVar(1, pkg, "r", types.NewInterfaceType(nil,
		nil)), nil, nil, nil, nil, false)
	method := types.NewFunc(2, pkg, "Next", sig)
	hidden := types.NewFunc(3, pkg, "Next", types.NewSignatureType(types.NewVar(1, pkg,
		"r", types.NewNamed(types.NewTypeName(4, pkg, "T", nil), types.Typ[types.Int],
			nil)), nil, nil, nil, nil, false))
	require.True(t, m.owns(hidden))
	m.Add(user, map[*ast.Ident]types.Object{{}: v, {}: method,
		{}: types.Universe.Lookup("len"), {}: types.NewFunc(5, public, "F", sig)})
	require.True(t, m.outside(v))
	require.False(t, m.owns(hidden), "an interface may hide a call of it")
	require.True(t, m.within([]string{objectKey(v)}, user))
	require.False(t, m.within([]string{objectKey(v)}, public))
	require.True(t, m.outside(types.NewVar(1, public, "V", types.Typ[types.Int])))
}

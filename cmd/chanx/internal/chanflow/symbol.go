package chanflow

import (
	"fmt"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// packageOf returns the import path that the symbols of fn have: main for a
// command, whatever its path.
func packageOf(fn *ssa.Function) string {
	if o := fn.Origin(); o != nil {
		fn = o
	}
	for fn.Pkg == nil && fn.Parent() != nil {
		fn = fn.Parent()
	}
	switch {
	case fn.Pkg == nil:
		return ""
	case fn.Pkg.Pkg.Name() == "main":
		return "main"
	}
	return fn.Pkg.Pkg.Path()
}

// symbol returns the linker's name of fn, as a stack shows it. Dots in the last
// element of an import path are escaped there.
func symbol(fn *ssa.Function) string {
	if o := fn.Origin(); o != nil {
		fn = o
	}
	if parent := fn.Parent(); parent != nil {
		return symbol(parent) + closure(fn, parent)
	}
	pkg := packageOf(fn)
	slash := strings.LastIndexByte(pkg, '/') + 1
	pkg = pkg[:slash] + strings.ReplaceAll(pkg[slash:], ".", "%2e")
	name := fn.Name()
	recv := fn.Signature.Recv()
	if recv == nil {
		if fn.TypeParams().Len() > 0 {
			name += "[...]"
		}
		return pkg + "." + name
	}
	t := recv.Type()
	_, pointer := t.(*types.Pointer)
	if pointer {
		t = t.(*types.Pointer).Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		owner := named.Obj().Name()
		if named.TypeParams().Len() > 0 {
			owner += "[...]"
		}
		if pointer {
			owner = "(*" + owner + ")"
		}
		name = owner + "." + name
	}
	return pkg + "." + name
}

// closure numbers fn as the compiler does: F.func1, and within it
// F.func1.1; the body of a loop over a function is F-range1, numbered apart.
func closure(fn, parent *ssa.Function) string {
	n := 0
	for _, sibling := range parent.AnonFuncs {
		if sibling.Synthetic == fn.Synthetic {
			n++
		}
		if sibling == fn {
			break
		}
	}
	switch {
	case strings.Contains(fn.Synthetic, "range-over-func"):
		return fmt.Sprintf("-range%d", n)
	case parent.Parent() != nil:
		return fmt.Sprintf(".%d", n)
	}
	return fmt.Sprintf(".func%d", n)
}

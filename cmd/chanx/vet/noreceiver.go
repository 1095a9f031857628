package vet

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"

	"example.com/chanx/cmd/chanx/internal/chanflow"
)

// noReceiver finds channels that no code of the package receives from.
func noReceiver(r *reporter) {
	if !r.more {
		return
	}
	for _, c := range r.Classes() {
		if c.RecvOut() || c.Foreign() || len(operations(c, chanflow.Recv)) > 0 ||
			len(c.Makes) == 0 || remote(c, chanflow.Recv) || r.testReceives(c) {
			continue
		}
		most, known := largest(c)
		for _, s := range operations(c, chanflow.Send) {
			if s.Bare() && r.many(c, s) &&
				(known && most == 0 || !fromMessage(s.Chan)) {
				r.report(analysis.Diagnostic{Pos: s.Pos, Category: "h1",
					Message: fmt.Sprintf("likely blocked send: no code of the package "+
						"receives from %s", r.describe(c))})
				break
			}
		}
	}
}

// testReceives reports whether a test of the package names a field of c.
func (r *reporter) testReceives(c *chanflow.Class) bool {
	if len(c.Fields) == 0 {
		return false
	}
	dir := filepath.Dir(r.pass.Fset.Position(c.Makes[0].Pos()).Filename)
	tests, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, t := range tests {
		text, err := os.ReadFile(t)
		for _, f := range c.Fields {
			if err == nil && strings.Contains(string(text), f.Name()) {
				return true
			}
		}
	}
	return false
}

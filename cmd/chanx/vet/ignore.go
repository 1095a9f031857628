package vet

import (
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// ignores has the //chanx:ignore comments of a package by file and line.
type ignores map[string]map[int]string

const directive = "//chanx:ignore"

func findIgnores(pass *analysis.Pass) ignores {
	found := make(ignores)
	for _, f := range pass.Files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				reason, ok := strings.CutPrefix(c.Text, directive)
				if !ok || reason != "" && reason[0] != ' ' && reason[0] != '\t' {
					continue
				}
				reason, _, _ = strings.Cut(reason, "//") // another comment
				p := pass.Fset.Position(c.Pos())
				if found[p.Filename] == nil {
					found[p.Filename] = make(map[int]string)
				}
				found[p.Filename][p.Line] = strings.TrimSpace(reason)
			}
		}
	}
	return found
}

// at returns the reason of the comment on the line of a position, or on the
// line before. It reports false if there is no comment.
func (i ignores) at(p token.Position) (reason string, ok bool) {
	lines := i[p.Filename]
	if reason, ok = lines[p.Line]; !ok {
		reason, ok = lines[p.Line-1]
	}
	return reason, ok
}

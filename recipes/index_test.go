package recipes

import (
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write RECIPES.md anew")

// RECIPES.md is generated: go test ./recipes -update.
func TestIndex(t *testing.T) {
	file := path.Join("..", "RECIPES.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(index()), 0o644))
	}
	if text := string(read(t, file)); text != index() {
		t.Error("RECIPES.md is not what the recipes say: run with -update")
	}
	for _, r := range All() {
		if !strings.Contains(r.Link, "//") {
			assert.FileExists(t, path.Join("..", r.Link))
		}
	}
}

// index returns the text of RECIPES.md.
func index() string {
	var b strings.Builder
	b.WriteString(indexHead)
	for _, r := range byWords() {
		what := fmt.Sprintf("[%s](%s)", r.Name, r.Link)
		if r.Name == "" {
			what = fmt.Sprintf("[%s](%s)", r.Use, r.Link)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n",
			strings.Join(r.Words, ", "), what, r.Does)
	}
	return b.String()
}

// byWords sorts as a reader looks things up.
func byWords() []Recipe {
	list := slices.Clone(All())
	slices.SortStableFunc(list, func(a, b Recipe) int {
		return strings.Compare(normal(strings.Join(a.Words, ", ")),
			normal(strings.Join(b.Words, ", ")))
	})
	return list
}

const indexHead = `# Recipes

Patterns to copy, each with its tests: at most 80 lines of code, the standard
library only unless a Ring, a Broadcast or Supervise is the point. The comment
at the top of each states when to use it and when not, and lists the edge cases,
each of which has a test. What a library or a line of Go does better is listed
as well.

    go run ./cmd/chanx recipe fan-in                             search
    go run ./cmd/chanx recipe -pkg server workerpool > pool.go   copy

| search for | use | description |
|---|---|---|
`

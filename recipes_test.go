package chanx_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A recipe is an example file as its head describes it.
type recipe struct {
	title   string   // the first sentence
	useWhen string   // what follows "Use when:"
	heads   []string // the paragraphs' first words, up to the colon
	example *doc.Example
}

// exampleFiles returns the names of the recipes' files.
func exampleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("example_*_test.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

var paragraphHead = regexp.MustCompile(`^([A-Z][a-z ]+):\s`)

func readRecipe(t *testing.T, file string) recipe {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil,
		parser.ParseComments)
	require.NoError(t, err)
	examples := doc.Examples(f)
	require.Len(t, examples, 1, file)
	require.NotEmpty(t, f.Comments, file)
	r := recipe{example: examples[0]}
	paragraphs := strings.Split(f.Comments[0].Text(), "\n\n")
	r.title = strings.TrimSuffix(oneLine(paragraphs[0]), ".")
	for _, p := range paragraphs[1:] {
		head := paragraphHead.FindStringSubmatch(p)
		if head == nil {
			continue
		}
		r.heads = append(r.heads, head[1])
		if head[1] == "Use when" {
			r.useWhen = oneLine(p[len(head[0]):])
		}
	}
	return r
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestRecipeForm: each recipe is one file with one example that checks its
// output, which go doc shows as a whole, with a head that says what one must
// know before copying it. None waits by the clock.
func TestRecipeForm(t *testing.T) {
	for _, file := range exampleFiles(t) {
		r := readRecipe(t, file)
		assert.IsType(t, (*ast.File)(nil), r.example.Code,
			"%s: not shown as a whole file", file)
		assert.NotEmpty(t, r.example.Output, file)
		assert.NotEmpty(t, r.useWhen, file)
		assert.Contains(t, r.heads, "To change", file)
		assert.True(t, strings.Contains(strings.Join(r.heads, ","),
			"Edge cases") || strings.Contains(strings.Join(r.heads, ","),
			"What changes"), "%s: %q", file, r.heads)
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotContains(t, string(src), "time."+"Sleep", file)
		situation := strings.TrimSuffix(strings.TrimPrefix(file, "example_"),
			"_test.go")
		assert.Equal(t, "_"+strings.ReplaceAll(situation, "_", ""),
			strings.ToLower(r.example.Name), file)
	}
}

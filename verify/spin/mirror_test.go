package spin

import (
	"go/ast"
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

var (
	tableOf   = regexp.MustCompile(`(?s) \*   this model  mirrors\n(.*?)\n \*\n`)
	rowOf     = regexp.MustCompile(`^ \*   (\w+) +(\w+\.go): (.*)$`)
	methodIn  = regexp.MustCompile(`\(\*\w+\)\.\w+`)
	fieldIn   = regexp.MustCompile(`\b[A-Za-z]\w*\.[a-z]\w*\b`)
	commentIn = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// A model is a copy by hand, and only its table says of which code. The names in
// the table must be in the model, and in the file.
func TestModelsNameExistingCode(t *testing.T) {
	for _, model := range []string{"ring.pml", "broadcast.pml", "supervisor.pml"} {
		text, err := os.ReadFile(model)
		require.NoError(t, err)
		table := tableOf.FindStringSubmatch(string(text))
		require.NotNil(t, table, model)
		rows := strings.ReplaceAll(table[1], ",\n *               ", ", ")
		code := commentIn.ReplaceAllString(string(text), "")
		for line := range strings.Lines(rows) {
			row := rowOf.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if !assert.NotNil(t, row, "%s: %s", model, line) {
				continue
			}
			assert.Regexp(t, `\b`+row[1]+`\b`, code, model)
			declared := declaredIn(t, filepath.Join("../..", row[2]))
			named := methodIn.FindAllString(row[3], -1)
			rest := methodIn.ReplaceAllString(row[3], "")
			named = append(named, fieldIn.FindAllString(rest, -1)...)
			assert.NotEmpty(t, named, line)
			for _, name := range named {
				assert.Contains(t, declared, name, "%s: %s", model, line)
			}
		}
	}
}

// declaredIn has the methods of a file as (*T).m, and the fields as T.f.
func declaredIn(t *testing.T, path string) map[string]bool {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	declared := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil {
				declared["(*"+receiver(n)+")."+n.Name.Name] = true
			}
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						declared[n.Name.Name+"."+name.Name] = true
					}
				}
			}
		}
		return true
	})
	return declared
}

// receiver is the name of the type that a method is of.
func receiver(f *ast.FuncDecl) string {
	star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return ""
	}
	if generic, ok := star.X.(*ast.IndexExpr); ok {
		return generic.X.(*ast.Ident).Name
	}
	return star.X.(*ast.Ident).Name
}

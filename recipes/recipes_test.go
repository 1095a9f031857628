package recipes

import (
	"bytes"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

const (
	module   = "example.com/chanx"
	gate     = module + "/internal/leakgate"
	maxLines = 80 // of code
)

// names returns the recipes there are on disk.
func names(t *testing.T) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() {
			list = append(list, e.Name())
		}
	}
	require.NotEmpty(t, list)
	return list
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	return bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
}

func parsed(t *testing.T, src []byte) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ParseComments)
	require.NoError(t, err)
	return f
}

// forEach runs f for each recipe with its source and its tests.
func forEach(t *testing.T, f func(t *testing.T, name string, src, tests []byte)) {
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			f(t, name, read(t, name+"/"+name+".go"),
				read(t, name+"/"+name+"_test.go"))
		})
	}
}

// A recipe is two files: the pattern, at most 80 lines of code that need the
// standard library only, and its tests, which need nothing more than it does.
func TestForm(t *testing.T) {
	forEach(t, func(t *testing.T, name string, src, tests []byte) {
		files, err := os.ReadDir(name)
		require.NoError(t, err)
		assert.Len(t, files, 2)
		assert.Regexp(t, `^[a-z]+$`, name)
		code, test := parsed(t, src), parsed(t, tests)
		assert.Equal(t, name, code.Name.Name)
		assert.Equal(t, name, test.Name.Name)
		assert.LessOrEqual(t, codeLines(src), maxLines)
		uses := regexp.MustCompile(`chanx\.(New|\w*)(Ring|Broadcast|Supervis)`)
		for _, path := range imports(t, code) {
			if path == module {
				assert.Regexp(t, uses, string(src))
				continue
			}
			assert.NotContains(t, path, ".")
			assert.NotContains(t, path, "test")
		}
		for _, path := range imports(t, test) {
			if path != module && path != gate {
				assert.NotContains(t, path, ".")
			}
		}
		assert.Contains(t, string(tests),
			"\nfunc TestMain(m *testing.M) { leakgate.Main(m) }\n")
		undocumented(t, code)
	})
}

func imports(t *testing.T, f *ast.File) (paths []string) {
	t.Helper()
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		paths = append(paths, path)
	}
	return paths
}

// codeLines counts the lines that are neither blank nor comment only.
func codeLines(src []byte) int {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		first := file.Line(pos)
		for i := range strings.Count(lit, "\n") + 1 {
			lines[first+i] = true
		}
	}
}

func TestCodeLines(t *testing.T) {
	assert.Equal(t, 5, codeLines([]byte(`// A comment.
package p // 1

/* of two
lines */
const ( // 2
	s = `+"`3\n4`"+` // and 4

	// none
) // 5
`)))
}

func undocumented(t *testing.T, f *ast.File) {
	t.Helper()
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() {
				assert.NotEmpty(t, d.Doc.Text(), d.Name.Name)
			}
		case *ast.GenDecl:
			if d.Tok != token.IMPORT && d.Doc == nil {
				for _, spec := range d.Specs {
					assert.False(t, exported(spec), "no comment: %v", spec)
				}
			}
		}
	}
}

// exported reports whether spec needs a comment that its group does not have.
func exported(spec ast.Spec) bool {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		return s.Name.IsExported() && s.Doc == nil && s.Comment == nil
	case *ast.ValueSpec:
		return s.Names[0].IsExported() && s.Doc == nil && s.Comment == nil
	}
	return false
}

var (
	parts = []string{"When to use it:", "When not:", "Without it:",
		"Edge cases:", "Search:"}
	report = regexp.MustCompile(`\b[\w.-]+/[\w.-]+#\d+\b`)
	bullet = regexp.MustCompile(`(?m)^ +- ([^:]+):`)
	other  = regexp.MustCompile(`\brecipe\s+(\w+)`)
)

// The page says when to use the recipe and when not, what people do without
// it, with a public report of what came of that, and the edge cases, each of
// which has a test that bears its name. Recipes that it names exist.
func TestPage(t *testing.T) {
	forEach(t, func(t *testing.T, name string, src, tests []byte) {
		page := parsed(t, src).Doc.Text()
		assert.Regexp(t, "^Package "+name+" [a-z]+s ", page)
		at := 0
		for _, part := range parts {
			i := strings.Index(page[at:], "\n"+part+" ")
			if part == "Edge cases:" {
				i = strings.Index(page[at:], "\n"+part+"\n")
			}
			require.GreaterOrEqual(t, i, 0, "%q is missing or misplaced", part)
			at += i
		}
		_, without, _ := strings.Cut(page, "\nWithout it:")
		without, edges, _ := strings.Cut(without, "\nEdge cases:")
		assert.Regexp(t, report, without)
		edges, _, _ = strings.Cut(edges, "\nSearch:")
		leads := bullet.FindAllStringSubmatch(edges, -1)
		require.NotEmpty(t, leads)
		assert.Equal(t, len(leads), strings.Count(edges, "\n  - "))
		for _, named := range other.FindAllStringSubmatch(page, -1) {
			assert.Contains(t, names(t), named[1], "recipe %s", named[1])
		}
		test := parsed(t, tests)
		for _, lead := range leads {
			assert.True(t, hasTest(test, lead[1]),
				"no test is named after %q", lead[1])
		}
	})
}

var article = regexp.MustCompile(`\b(a|an|the)\b`)

// hasTest compares letters only: "a full queue" is TestAFullQueue or
// TestFullQueue.
func hasTest(f *ast.File, lead string) bool {
	return slices.ContainsFunc(f.Decls, func(d ast.Decl) bool {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(fn.Name.Name, "Test") {
			return false
		}
		name := letters(fn.Name.Name)
		return strings.Contains(name, letters(lead)) ||
			strings.Contains(name, letters(article.ReplaceAllString(lead, "")))
	})
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// The demonstration is an example whose output is checked.
func TestExample(t *testing.T) {
	forEach(t, func(t *testing.T, _ string, _, tests []byte) {
		examples := doc.Examples(parsed(t, tests))
		require.NotEmpty(t, examples)
		assert.NotEmpty(t, examples[0].Output)
	})
}

// A copy is formatted, bears the name it was given, says where it is from, and
// has no package comment, which would be that of the user's package.
func TestPrint(t *testing.T) {
	forEach(t, func(t *testing.T, name string, src, _ []byte) {
		for _, print := range []func(pkg, name string) (string, error){
			Print, PrintTest,
		} {
			text, err := print("server", name)
			require.NoError(t, err)
			f := parsed(t, []byte(text))
			assert.Equal(t, "server", f.Name.Name)
			assert.Nil(t, f.Doc)
			assert.True(t, strings.HasPrefix(text,
				"// Copied from "+parent+"/"+name+".\n"))
			assert.Equal(t, slices.Contains(imports(t, f), module),
				strings.Contains(text, "\n// It imports "+module+"; "))
			assert.NotContains(t, text, "leakgate")
			formatted, err := format.Source([]byte(text))
			require.NoError(t, err)
			assert.Equal(t, string(formatted), text)
		}
		text, err := Print("", name)
		require.NoError(t, err)
		_, code, _ := strings.Cut(string(src), "\npackage "+name+"\n")
		assert.True(t, strings.HasSuffix(text, "\n\npackage "+name+"\n"+code))
		assert.Contains(t, text, "\n//\n// Package "+name+" ")
	})
}

func TestPrintRefuses(t *testing.T) {
	for _, name := range []string{"", "nosuch", "..", "../recipes", "a/b"} {
		_, err := Print("main", name)
		assert.ErrorContains(t, err, "no recipe "+strconv.Quote(name))
	}
	for _, pkg := range []string{"a-b", "func", "_", "1", "a b", "a\n"} {
		_, err := Print(pkg, "workerpool")
		assert.ErrorContains(t, err, "cannot be the name of a package")
	}
}

// What is compiled in is what is on disk.
func TestAll(t *testing.T) {
	var found []string
	for _, r := range All() {
		if r.Name != "" {
			found = append(found, r.Name)
		} else {
			assert.NotEmpty(t, r.Use)
		}
		assert.NotEmpty(t, r.Words, r.Name)
		assert.NotEmpty(t, r.Link, r.Use)
		assert.True(t, strings.HasSuffix(r.Does, "."), r.Does)
		words := map[string]bool{}
		for _, w := range r.Words {
			assert.NotEmpty(t, normal(w), r.Name)
			assert.False(t, words[normal(w)], "%s has %q twice", r.Name, w)
			words[normal(w)] = true
		}
	}
	assert.Equal(t, names(t), found)
}

func TestFind(t *testing.T) {
	for search, want := range map[string]string{
		"workerpool":                  "workerpool",
		"Worker Pool":                 "workerpool",
		"worker-pool":                 "workerpool",
		"worker pools":                "workerpool",
		"sender":                      "senders",
		" goroutine  pool ":           "workerpool",
		"fixed goroutines":            "workerpool", // all words of its sentence
		"errgroup":                    "golang.org/x/sync/errgroup",
		"semaphore weights":           "golang.org/x/sync/semaphore",
		"no such thing in any recipe": "",
		"":                            "",
	} {
		var got string
		for _, r := range Find(search) {
			got += r.Name + r.Use
		}
		assert.Equal(t, want, got, search)
	}
}

// People look for patterns under many names. These are what 33 catalogues of
// patterns and the issues of production code call them, by how often; each
// leads to what it should.
func TestDemand(t *testing.T) {
	for _, d := range demand {
		for search := range strings.SplitSeq(d.searches, ", ") {
			found := slices.ContainsFunc(Find(search), func(r Recipe) bool {
				return strings.Contains(d.answer, r.Name+r.Use)
			})
			assert.True(t, found, "%q does not find %s", search, d.answer)
		}
	}
}

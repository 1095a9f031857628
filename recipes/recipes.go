// Package recipes holds the concurrency patterns that people copy into their
// own code, one directory each: the pattern, with a page about it as the
// package comment, and its tests. They are meant to be copied, not imported:
//
//	chanx recipe                                          list them
//	chanx recipe fan-in                                   search
//	chanx recipe -pkg server workerpool > pool.go         copy one
//	chanx recipe -pkg server -test workerpool > pool_test.go
//
// This package is the list behind the command.
package recipes

import (
	"bytes"
	"embed"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed */*.go
var sources embed.FS

// parent is the import path above those of the recipes.
const parent = "example.com/chanx/recipes"

// A Recipe is an answer to a search: a recipe, or the API that makes one needless.
type Recipe struct {
	Name  string   // of its directory and package; "" if there is no recipe
	Does  string   // one sentence
	Words []string // what people search for when they need it
	Use   string   // without a Name: what to use
	Link  string   // where that is documented, or the source of the recipe
}

// All returns the recipes by name, then what needs no recipe. The caller must
// not modify the result.
func All() []Recipe { return all() }

var all = sync.OnceValue(func() []Recipe {
	var list []Recipe
	// Names of embedded files are valid, and ReadDir sorts them.
	dirs, _ := fs.ReadDir(sources, ".")
	for _, dir := range dirs {
		list = append(list, page(dir.Name()))
	}
	return append(list, withoutRecipe...)
})

// page reads the package comment of a recipe.
func page(name string) Recipe {
	doc := strings.TrimPrefix(parse(source(name, ".go")).Doc.Text(), "Package ")
	first, _, _ := strings.Cut(oneLine(doc), ". ")
	r := Recipe{
		Name: name,
		Does: strings.TrimPrefix(first, name+" ") + ".",
		Link: "recipes/" + name + "/" + name + ".go",
	}
	if _, words, ok := strings.Cut(doc, "\nSearch: "); ok {
		words, _, _ = strings.Cut(words, "\n\n")
		words = strings.TrimSuffix(oneLine(words), ".")
		r.Words = strings.Split(words, ", ")
	}
	return r
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Find returns the recipes whose name or one of whose search words is the
// search. If there are none, it returns those that have all its words in their
// name, search words or sentence. Case, hyphens and a plural do not matter.
func Find(search string) []Recipe {
	want := normal(search)
	var exact, loose []Recipe
	for _, r := range All() {
		is := func(word string) bool { return word != "" && normal(word) == want }
		if is(r.Name) || slices.ContainsFunc(r.Words, is) {
			exact = append(exact, r)
		}
		text := normal(r.Name + " " + strings.Join(r.Words, " ") + " " +
			r.Use + " " + r.Does)
		if want != "" && containsAll(text, strings.Fields(want)) {
			loose = append(loose, r)
		}
	}
	if exact != nil {
		return exact
	}
	return loose
}

// normal makes "Worker-Pools" and "worker pool" the same.
func normal(s string) string {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(s, "-", " ")))
	for i, word := range words {
		if len(word) > 3 {
			words[i] = strings.TrimSuffix(word, "s")
		}
	}
	return strings.Join(words, " ")
}

func containsAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool {
		return !strings.Contains(text, word)
	})
}

// Print returns the source of a recipe as a file of package pkg, ready to
// build. Its page becomes a comment that is not the doc comment of pkg. An
// empty pkg leaves the recipe its own name. It returns an error if there is no
// such recipe, or pkg cannot be the name of a package.
func Print(pkg, name string) (string, error) {
	return rewritten(pkg, name, ".go")
}

// PrintTest is [Print] for the tests of the recipe, which then test the copy.
// The gate for leaked goroutines is left out, because it is internal to this
// module; tests in a bubble of testing/synctest have their own.
func PrintTest(pkg, name string) (string, error) {
	return rewritten(pkg, name, "_test.go")
}

// Both lines of a test that only make sense in this module.
var leakGate = regexp.MustCompile(
	`(?m)^\t".*/internal/leakgate"\n|^func TestMain\(.*\n\n?`)

func rewritten(pkg, name, suffix string) (string, error) {
	if pkg == "" {
		pkg = name
	}
	if !token.IsIdentifier(pkg) || pkg == "_" {
		return "", fmt.Errorf("%q cannot be the name of a package", pkg)
	}
	src := source(name, suffix)
	if src == nil {
		return "", fmt.Errorf("no recipe %q", name)
	}
	f := parse(src)
	at, end := int(f.Name.Pos())-1, int(f.Name.End())-1
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Copied from %s/%s.\n", parent, name)
	if bytes.Contains(src, []byte("\t\""+path.Dir(parent)+"\"\n")) {
		fmt.Fprintf(&b, "// It imports %s; CONTRIBUTING.md there lists the\n"+
			"// files to copy instead.\n", path.Dir(parent))
	}
	if f.Doc == nil {
		b.WriteByte('\n')
	} else {
		b.WriteString("//\n")
	}
	head := src[:at]
	if i := bytes.LastIndex(head, []byte("package")); i >= 0 && f.Doc != nil {
		head = append(slices.Clone(head[:i]), "\npackage "...)
	}
	b.Write(head)
	b.WriteString(pkg)
	b.Write(leakGate.ReplaceAll(src[end:], nil))
	out, err := format.Source(b.Bytes())
	return string(out), err
}

// source returns nil if there is no such file.
func source(name, suffix string) []byte {
	src, err := sources.ReadFile(path.Join(name, name+suffix))
	if err != nil {
		return nil
	}
	return bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
}

// parse is for sources that are compiled in: a test parses each of them.
func parse(src []byte) *ast.File {
	f, _ := parser.ParseFile(token.NewFileSet(), "", src,
		parser.ParseComments|parser.PackageClauseOnly)
	return f
}

package repo_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const syncModule = "golang.org/x/sync"

var (
	copyRow   = regexp.MustCompile("(?m)^\\| (`.*?) \\| (`.*?\\.go`) \\| (.*?) ?\\|$")
	inQuotes  = regexp.MustCompile("`([^`]+)`")
	copyTable = "| to have | copy | requires |\n"
)

// A copySet is a row of the table in CONTRIBUTING.md: files that can be copied
// into another package.
type copySet struct {
	names []string // the purpose of the set
	files []string
	sync  bool // it requires golang.org/x/sync
}

func copySets(t *testing.T) (sets []copySet) {
	t.Helper()
	_, table, found := strings.Cut(readDoc(t, "CONTRIBUTING.md"), copyTable)
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range copyRow.FindAllStringSubmatch(table, -1) {
		sets = append(sets, copySet{
			names: quoted(row[1]),
			files: quoted(row[2]),
			sync:  slices.Contains(quoted(row[3]), syncModule),
		})
	}
	require.Len(t, sets, strings.Count(table, "\n"), "unreadable row")
	return sets
}

func quoted(s string) (all []string) {
	for _, m := range inQuotes.FindAllStringSubmatch(s, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestCopySetsCoverThePackage: each source file but doc.go, which has no code,
// can be copied.
func TestCopySetsCoverThePackage(t *testing.T) {
	var listed []string
	for _, set := range copySets(t) {
		listed = append(listed, set.files...)
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if file != "doc.go" && !strings.HasSuffix(file, "_test.go") {
			assert.Contains(t, listed, file)
		}
	}
}

// TestCopy does what a reader does who copies a set: puts it into a package of
// another name, in an empty module.
func TestCopy(t *testing.T) {
	newScratchModule(t) // skips before the files are read
	root := readRootMod(t)
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	for _, set := range copySets(t) {
		t.Run(set.names[0], func(t *testing.T) {
			m := newScratchModule(t)
			mod := "module copied\n\ngo " + root.Go + "\n"
			if set.sync {
				mod += fmt.Sprintf("\nrequire %s %s\n", syncModule,
					root.version(t, syncModule))
				m.write("go.sum", string(sum))
			}
			m.write("go.mod", mod)
			for _, f := range set.files {
				m.write(f, renamedPackage(t, f, set.sync))
			}
			m.run("vet", ".")
			m.run("build", ".")
		})
	}
}

// renamedPackage returns a file as part of package copied. It fails t if the
// file has an import that is not allowed.
func renamedPackage(t *testing.T, file string, sync bool) string {
	t.Helper()
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.ImportsOnly)
	require.NoError(t, err)
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		first, _, _ := strings.Cut(path, "/")
		allowed := !strings.Contains(first, ".") ||
			sync && strings.HasPrefix(path, syncModule+"/")
		assert.True(t, allowed, "%s imports %s", file, path)
	}
	name := fset.Position(f.Name.Pos()).Offset
	return string(src[:name]) + "copied" + string(src[name+len(f.Name.Name):])
}

// TestCopyNoMoreThanNeeded keeps the table minimal: without a file that declares
// none of the names of the set, the set must not compile.
func TestCopyNoMoreThanNeeded(t *testing.T) {
	newScratchModule(t)
	fset := token.NewFileSet()
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	for _, set := range copySets(t) {
		var syntax []*ast.File
		declared := map[string]int{}
		for i, file := range set.files {
			f, err := parser.ParseFile(fset, file, nil, 0)
			require.NoError(t, err)
			syntax = append(syntax, f)
			for _, name := range declares(f) {
				declared[name] = i
			}
		}
		_, err := config.Check("copied", fset, syntax, nil)
		require.NoError(t, err, set.names)
		purpose := map[int]bool{}
		for _, name := range set.names {
			require.Contains(t, declared, name)
			purpose[declared[name]] = true
		}
		for i, file := range set.files {
			rest := slices.Delete(slices.Clone(syntax), i, i+1)
			_, err := config.Check("copied", fset, rest, nil)
			assert.True(t, purpose[i] || err != nil, "%v: %s is not needed",
				set.names, file)
		}
	}
}

// declares returns the names of the functions and types that f declares.
func declares(f *ast.File) (names []string) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok {
					names = append(names, s.Name.Name)
				}
			}
		}
	}
	return names
}

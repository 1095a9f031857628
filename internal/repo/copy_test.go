package repo_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
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

var goFile = regexp.MustCompile(`\b[a-z]+\.go\b`)

// A copySet is what the head of a source file says about copying it.
type copySet struct {
	files []string // sorted, the file itself included
	sync  bool     // it needs golang.org/x/sync
}

// copySets reads the heads of all source files but doc.go, which has no code.
func copySets(t *testing.T) map[string]copySet {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	heads := map[string]string{}
	for _, file := range files {
		if file != "doc.go" && !strings.HasSuffix(file, "_test.go") {
			heads[file] = copyHead(t, file)
		}
	}
	sets := map[string]copySet{}
	for file := range heads {
		sets[file] = parseCopyHead(t, heads, file)
	}
	return sets
}

// copyHead returns the comment that begins with "To copy this file:".
func copyHead(t *testing.T, file string) string {
	t.Helper()
	mode := parser.ParseComments | parser.ImportsOnly
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, mode)
	require.NoError(t, err)
	for _, c := range f.Comments {
		head, ok := strings.CutPrefix(c.Text(), "To copy this file:")
		if ok {
			return head
		}
	}
	t.Fatalf("%s does not say what to copy along", file)
	return ""
}

func parseCopyHead(
	t *testing.T, heads map[string]string, file string,
) copySet {
	t.Helper()
	head := heads[file]
	named := goFile.FindAllString(head, -1)
	alone := strings.Contains(head, "it stands alone")
	require.Equal(t, alone, len(named) == 0, "%s: %q", file, head)
	set := copySet{
		files: append(named, file),
		sync:  strings.Contains(head, syncModule),
	}
	if strings.Contains(head, "which names all it needs") {
		require.Len(t, named, 1, "%s: %q", file, head)
		other := parseCopyHead(t, heads, named[0])
		set.files = append(set.files, other.files...)
		set.sync = set.sync || other.sync
	}
	slices.Sort(set.files)
	set.files = slices.Compact(set.files)
	for _, f := range set.files {
		require.Contains(t, heads, f, "%s names it", file)
	}
	return set
}

// TestCopy does what a reader does who copies a file: puts it into a package
// of another name, in an empty module, with what its head names and no more.
func TestCopy(t *testing.T) {
	newScratchModule(t) // skips before the files are read
	root := readRootMod(t)
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	for file, set := range copySets(t) {
		t.Run(file, func(t *testing.T) {
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
// file imports what it must not.
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

// TestCopyNoMoreThanNeeded keeps the heads from naming files for safety. A
// file that is named must be missed by the compiler when it is not there, or
// be what others of the set are for, as supervise.go is for policy.go: then
// their heads name it.
func TestCopyNoMoreThanNeeded(t *testing.T) {
	newScratchModule(t)
	sets := copySets(t)
	compiles := newCompiler(t, sets)
	require.True(t, compiles(slices.Collect(maps.Keys(sets))))
	for file, set := range sets {
		for i, named := range set.files {
			rest := slices.Delete(slices.Clone(set.files), i, i+1)
			purpose := slices.ContainsFunc(rest, func(other string) bool {
				return other != file && slices.Contains(sets[other].files, named)
			})
			if named == file || purpose ||
				slices.Contains(sets[named].files, file) {
				continue
			}
			assert.False(t, compiles(rest), "%s does not need %s", file, named)
		}
	}
}

// newCompiler returns a function that reports whether files are a package.
func newCompiler(
	t *testing.T, sets map[string]copySet,
) func(files []string) bool {
	fset := token.NewFileSet()
	config := types.Config{
		Importer: importer.ForCompiler(fset, "source", nil),
	}
	parsed := map[string]*ast.File{}
	for file := range sets {
		f, err := parser.ParseFile(fset, file, nil, 0)
		require.NoError(t, err)
		parsed[file] = f
	}
	return func(files []string) bool {
		var syntax []*ast.File
		for _, f := range files {
			syntax = append(syntax, parsed[f])
		}
		_, err := config.Check("copied", fset, syntax, nil)
		return err == nil
	}
}

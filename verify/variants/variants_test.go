package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/verify/internal/trial"
)

const root = "../.."

// packages of the module are type-checked once; variants then have only their
// own package to be checked, which takes milliseconds and needs no go command.
var (
	fset   = token.NewFileSet()
	source = importer.ForCompiler(fset, "source", nil)
)

func TestEveryVariantAppliesAndCompiles(t *testing.T) {
	for _, v := range all() {
		path, content, err := v.apply(root)
		if !assert.NoError(t, err) {
			continue
		}
		conf := types.Config{Importer: source}
		_, err = conf.Check(v.pkg(), fset, parsePackage(t, path, content), nil)
		assert.NoError(t, err, v.name)
	}
}

// parsePackage parses the package that the file at path is in, with content in
// place of that.
func parsePackage(t *testing.T, path string, content []byte) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.go"))
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") ||
			strings.HasSuffix(name, "_other.go") {
			continue
		}
		var src any
		if name == path {
			src = content
		}
		file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}

func TestNamesAreTheirOwn(t *testing.T) {
	seen := make(map[string]bool)
	for _, v := range all() {
		assert.False(t, seen[v.name], v.name)
		seen[v.name] = true
		assert.NotEqual(t, v.old, v.new, v.name)
		assert.True(t, strings.HasSuffix(v.mistake, "."), v.name)
	}
}

func TestTextThatIsNotThereOnceIsRefused(t *testing.T) {
	for _, old := range []string{"no such text", "return"} {
		_, _, err := variant{name: "ring-x", old: old, new: "y"}.apply(root)
		require.Error(t, err)
		assert.Contains(t, err.Error(), "ring-x")
	}
}

// The table was made by running all of them; that takes too long here.
func TestTableHasTheVariantsThereAre(t *testing.T) {
	noticed, err := readTable(root)
	require.NoError(t, err)
	assert.Len(t, noticed, len(all()))
	for _, v := range all() {
		assert.NotContains(t, []string{"", "not run", "**survived**"},
			noticed[v.name], "%s: go -C verify run ./variants -run '^%s$'", v.name, v.name)
	}
}

// One of each kind, to see that the table can still be made.
func TestAHandfulIsNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs the tests of other packages")
	}
	abs, err := filepath.Abs(root)
	require.NoError(t, err)
	for _, v := range all() {
		switch v.name {
		case "ring-close-discards", "send-timer-before-room",
			"policy-window-off-by-one", "log-reserve-unused":
			outcome, by, err := v.try(abs)
			require.NoError(t, err)
			assert.Equal(t, trial.Killed, outcome, v.name)
			assert.NotEmpty(t, by)
		}
	}
}

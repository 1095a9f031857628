package main

import (
	"go/ast"
	"go/build"
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

func TestEveryVariantAppliesAndCompiles(t *testing.T) {
	for _, pkg := range []string{".", "asynclog"} {
		for _, v := range all() {
			if v.pkg() == pkg {
				checkTypes(t, v)
			}
		}
	}
}

// The importer reads the packages of the module once; a variant then has only
// its own to be checked, which takes milliseconds.
var (
	fset    = token.NewFileSet()
	imports = importer.ForCompiler(fset, "source", nil)
)

func checkTypes(t *testing.T, v variant) {
	t.Helper()
	p, err := readSources(filepath.Join(root, v.pkg()))
	require.NoError(t, err)
	changed, content, err := v.apply(p)
	if !assert.NoError(t, err) {
		return
	}
	p.original[changed] = content
	var files []*ast.File
	for name, text := range p.original {
		if ok, _ := build.Default.MatchFile(p.dir, filepath.Base(name)); !ok {
			continue
		}
		file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	conf := types.Config{Importer: imports}
	_, err = conf.Check(v.pkg(), fset, files, nil)
	assert.NoError(t, err, v.name)
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
	p, err := readSources(root)
	require.NoError(t, err)
	for _, old := range []string{"no such text", "return"} {
		_, _, err := variant{name: "ring-x", old: old, new: "y"}.apply(p)
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
	b := &bench{root: abs, trials: make(map[string]trial.Trial)}
	defer b.clean()
	for i, v := range all() {
		switch v.name {
		case "ring-full-hides-closed", "send-timer-before-room",
			"policy-window-off-by-one", "log-reserve-unused":
			binary, err := b.trial(v.pkg())
			require.NoError(t, err)
			outcome, by := binary.Run(trial.Choose(i + 1))
			assert.Equal(t, trial.Killed, outcome, v.name)
			assert.NotEmpty(t, by)
		}
	}
}

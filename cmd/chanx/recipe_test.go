package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/race"
	"example.com/chanx/recipes"
)

func TestRecipeFinds(t *testing.T) {
	all := chanx(t, "", "recipe")
	assert.Zero(t, all.code)
	for _, r := range recipes.All() {
		assert.Contains(t, all.stdout, r.Does)
		for _, w := range r.Words {
			assert.Contains(t, all.stdout, w)
		}
	}
	one := chanx(t, "", "recipe", "thread", "pool")
	assert.Zero(t, one.code)
	assert.Equal(t, 2, strings.Count(one.stdout, "\n"), one.stdout)
	assert.True(t, strings.HasPrefix(one.stdout, "workerpool ("), one.stdout)
	assert.Contains(t, chanx(t, "", "recipe", "errgroup").stdout,
		"https://pkg.go.dev/golang.org/x/sync/errgroup\n")

	none := chanx(t, "", "recipe", "no such thing")
	assert.Equal(t, outcome{1, "", "chanx: recipe: nothing found for " +
		"\"no such thing\"; chanx recipe lists all\n"}, none)
}

func TestRecipePrints(t *testing.T) {
	for _, args := range [][]string{
		{"workerpool"}, {"-pkg", "workerpool", "workerpool"},
		{"-pkg", "workerpool", "goroutine", "pool"},
		{"goroutine", "pool", "-pkg", "workerpool"},
	} {
		text, err := recipes.Print("", "workerpool")
		require.NoError(t, err)
		assert.Equal(t, outcome{stdout: text},
			chanx(t, "", append([]string{"recipe"}, args...)...))
	}
	text, err := recipes.PrintTest("main", "workerpool")
	require.NoError(t, err)
	assert.Equal(t, outcome{stdout: text},
		chanx(t, "", "recipe", "-test", "-pkg", "main", "workerpool"))
}

// Standard output is redirected to a file of the user, so it has the recipe or
// nothing.
func TestRecipeRefuses(t *testing.T) {
	for _, c := range []struct {
		code   int
		stderr string
		args   []string
	}{
		{1, "is not the name of a recipe", []string{"-pkg", "main", "errgroup"}},
		{1, "is not the name of a recipe", []string{"-pkg", "main"}},
		{1, "is not the name of a recipe", []string{"-test", "nosuch"}},
		{2, "cannot be the name of a package",
			[]string{"-pkg", "a-b", "workerpool"}},
		{2, "chanx recipe -h", []string{"-nosuch"}},
	} {
		got := chanx(t, "", append([]string{"recipe"}, c.args...)...)
		assert.Equal(t, c.code, got.code, c.args)
		assert.Contains(t, got.stderr, c.stderr)
		assert.Empty(t, got.stdout)
	}
	c := &console{stdout: brokenPipe{}, stderr: brokenPipe{}}
	assert.Equal(t, exitTrouble, runRecipe([]string{"workerpool"}, c))
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestRecipeHelp(t *testing.T) {
	for _, args := range [][]string{{"recipe", "-h"}, {"help", "recipe"}} {
		got := chanx(t, "", args...)
		assert.Zero(t, got.code)
		assert.True(t, strings.HasPrefix(got.stdout, recipeUsage))
		assert.Contains(t, got.stdout, "-pkg PACKAGE")
	}
}

// TestRecipeStranger copies each recipe as a reader does: it prints the recipe
// and its tests into a foreign module, in a package of another name, and builds,
// vets and tests that. One module for all, with two as main packages, shows the
// same as a module for each and costs less.
func TestRecipeStranger(t *testing.T) {
	if testing.Short() || race.Enabled {
		t.Skip("compiles a module, and need not do so twice")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command:", err)
	}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	m := stranger(t.TempDir())
	m.write(t, "go.mod", "module stranger\n\ngo 1.25.0\n")
	for _, r := range recipes.All() {
		if r.Name == "" {
			continue
		}
		m.print(t, "other/"+r.Name+"/copy.go", "-pkg", "other", r.Name)
		m.print(t, "other/"+r.Name+"/copy_test.go",
			"-pkg", "other", "-test", r.Name)
	}
	for _, name := range []string{"workerpool", "consumer"} {
		m.print(t, "main/"+name+"/copy.go", "-pkg", "main", name)
		m.write(t, "main/"+name+"/main.go", "package main\n\nfunc main() {}\n")
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	m.write(t, "go.sum", string(sum))
	m.run(t, "mod", "edit", "-require=example.com/chanx@v0.0.0",
		"-replace=example.com/chanx="+root)
	m.run(t, "build", "-mod=mod", "./...")
	m.run(t, "vet", "./...")
	m.run(t, "test", "./other/...")
}

// A stranger is a directory with a go.mod. Its requirements are in the module
// cache, because this test was built from there.
type stranger string

func (m stranger) write(t *testing.T, name, content string) {
	t.Helper()
	file := filepath.Join(string(m), filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o777))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o666))
}

// print writes what chanx recipe prints.
func (m stranger) print(t *testing.T, name string, args ...string) {
	t.Helper()
	got := chanx(t, "", append([]string{"recipe"}, args...)...)
	require.Zero(t, got.code, got.stderr)
	m.write(t, name, got.stdout)
}

func (m stranger) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = string(m)
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath", "GOPROXY=off",
		"GOWORK=off", "GOTOOLCHAIN=local", "PWD="+cmd.Dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %s\n%s", strings.Join(args, " "), out)
}

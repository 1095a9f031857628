package vet

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// found returns the findings in a directory of testdata by the comments
// "found: name" on their lines. A finding without one is an error.
func found(t *testing.T, dir string) map[string]int {
	t.Helper()
	t.Setenv("GOWORK", "off")
	r, err := Check(dir, []string{"./..."}, Options{})
	require.NoError(t, err)
	require.Empty(t, r.Unread)
	names := make(map[string]int)
	for _, f := range r.Findings {
		text, err := os.ReadFile(f.File)
		require.NoError(t, err)
		line := strings.Split(string(text), "\n")[f.Line-1]
		_, name, ok := strings.Cut(line, "// found: ")
		require.True(t, ok, "%s:%d: %s", f.File, f.Line, f.Message)
		names[name]++
	}
	return names
}

// TestModule: what one package does with a channel is a fact for those that
// import it, and what an internal package exports does not leave the module.
func TestModule(t *testing.T) {
	require.Equal(t, map[string]int{"Feed": 1, "First": 1, "Sink": 1, "Bus": 1,
		"Default": 1, "Own": 1}, found(t, "testdata/module"))
}

func TestFindingIsWhole(t *testing.T) {
	t.Setenv("GOWORK", "off")
	r, err := Check("testdata/module", []string{"."}, Options{})
	require.NoError(t, err)
	require.Equal(t, 1, r.Packages)
	require.Empty(t, r.Findings, "the facts are in the other packages")
	r, err = Check("testdata/module", []string{".", "./internal/bus",
		"./internal/queue"}, Options{})
	require.NoError(t, err)
	require.Equal(t, 3, r.Packages)
	f := r.Findings[0]
	require.Equal(t, "abandonedsend", f.Check)
	require.Equal(t, "c", f.Category)
	require.Equal(t, filepath.Join("testdata", "module", "facts.go"), f.File)
	require.Equal(t, 19, f.Line)
	require.Positive(t, f.Column)
	require.False(t, f.Fixable)
	require.Equal(t, []Place{{f.File, 15, "sends without another way out"}}, f.Related)
}

func TestCheckNothing(t *testing.T) {
	t.Setenv("GOWORK", "off")
	_, err := Check(t.TempDir(), []string{"./..."}, Options{})
	require.ErrorContains(t, err, "is there a go.mod?")
	_, err = Check("/no/such/directory", nil, Options{})
	require.Error(t, err)
}

// TestUnread: a package that does not compile is named, the others are read.
func TestUnread(t *testing.T) {
	t.Setenv("GOWORK", "off")
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/fix")))
	require.NoError(t, os.Mkdir(dir+"/bad", 0o755))
	require.NoError(t, os.WriteFile(dir+"/bad/bad.go",
		[]byte("package bad\n\nvar x int = \"no\"\n"), 0o644))
	r, err := Check(dir, []string{"./..."}, Options{})
	require.NoError(t, err)
	require.Len(t, r.Unread, 1)
	require.Contains(t, r.Unread[0], "example.com/fix/bad: ")
	require.Equal(t, 1, r.Packages)
}

// TestFix: every function of testdata/fix leaks senders before the fixes, and
// none after them. The test in it waits for that, and so never ends otherwise.
func TestFix(t *testing.T) {
	t.Setenv("GOWORK", "off")
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/fix")))
	leaking := []string{"One=leaks", "Two=leaks", "Each=leaks", "After=leaks", "Handed=leaks",
		"Produce=leaks"}
	testIn(t, dir, leaking...)

	r, err := Check(dir, []string{"./..."}, Options{})
	require.NoError(t, err)
	require.Len(t, r.Findings, 6)
	fixed, err := r.Apply()
	require.NoError(t, err)
	require.Equal(t, 6, fixed)
	text, err := os.ReadFile(dir + "/fix.go")
	require.NoError(t, err)
	for _, want := range []string{"make(chan error, 1)", "make(chan bool, 2)",
		"make(chan int, len(xs))", "case ch <- i:"} {
		require.Contains(t, string(text), want)
	}

	r, err = Check(dir, []string{"./..."}, Options{})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	testIn(t, dir)
}

func testIn(t *testing.T, dir string, env ...string) {
	t.Helper()
	cmd := exec.Command("go", "test", "-count=1", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestApply: fixes that overlap are not mixed, equal ones count as one edit, and
// a file that is gone or does not parse is an error.
func TestApply(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	write := func() {
		require.NoError(t, os.WriteFile(file, []byte("package a\n\nvar x = 1\n"), 0o644))
	}
	finding := func(start, end int, text string) Finding {
		return Finding{Fixable: true, edits: []edit{{file, start, end, []byte(text)}}}
	}
	write()
	r := &Report{Findings: []Finding{finding(19, 20, "2"), finding(19, 20, "2"),
		finding(15, 20, "y = 3"), finding(19, 19, "4"), {}}}
	n, err := r.Apply()
	require.NoError(t, err)
	require.Equal(t, 2, n)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "package a\n\nvar x = 2\n", string(text))

	write()
	_, err = (&Report{Findings: []Finding{finding(0, 7, "pack")}}).Apply()
	require.ErrorContains(t, err, "does not parse")
	require.NoError(t, os.Remove(file))
	_, err = (&Report{Findings: []Finding{finding(0, 7, "pack")}}).Apply()
	require.Error(t, err)
}

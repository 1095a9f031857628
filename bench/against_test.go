package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// history is a repository whose second commit says that it allocates, where
// its first says that it does not. What is measured in a moment on a loaded
// machine would not be the same twice.
func history(t *testing.T) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("skipped: git is not installed")
	}
	dir = t.TempDir()
	git(t, dir, "init", "--quiet")
	write(t, dir, "go.mod", "module example.com/history\n\ngo 1.25\n")
	for _, allocs := range []string{"0", "1"} {
		write(t, dir, "bench_test.go", `package history

import "testing"

func BenchmarkOne(b *testing.B) {
	for b.Loop() {
	}
	b.ReportMetric(`+allocs+`, "allocs/op")
}
`)
		git(t, dir, "add", ".")
		git(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.com",
			"commit", "--quiet", "-m", allocs)
	}
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

func TestAgainst(t *testing.T) {
	dir := history(t)
	s := settings{against: "HEAD~1", bench: ".", rounds: 6, each: time.Millisecond}
	var out, said strings.Builder
	require.NoError(t, against(dir, s, &out, &said), "%s", &said)
	allocs := regexp.MustCompile(`(?s)allocs/op .*`).FindString(out.String())
	assert.Regexp(t, `One\S* +0\.000 ± 0% +1\.000 ± 0% +\? \(p=0\.002 n=6\)`, allocs)
	assert.Contains(t, out.String(), "sec/op")
	trees := strings.TrimSpace(git(t, dir, "worktree", "list"))
	assert.Len(t, strings.Split(trees, "\n"), 1, "the worktree is left behind")
}

func TestAgainst_unknownCommit(t *testing.T) {
	dir := history(t)
	err := against(dir, settings{against: "nowhere"}, &strings.Builder{}, &strings.Builder{})
	assert.ErrorContains(t, err, "-against nowhere")
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/rows"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) {
	if rows.Child() {
		return
	}
	leakgate.Main(m)
}

func runBench(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func TestRun_quickWritesNothing(t *testing.T) {
	dir := t.TempDir()
	code, out, said := runBench("-quick", "-run", "^memory", "-o", dir)
	assert.Zero(t, code, said)
	assert.Contains(t, out, "## Memory\n\n### Bytes of one\n\n|  | memory |\n")
	assert.Contains(t, said, "1 of 1 in ")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}

// A result stays until its contest is measured again.
func TestRun_mergesResults(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bench", "results.jsonl")
	for range 2 {
		for _, match := range []string{"^memory", "slots of a Ring"} {
			code, out, said := runBench("-run", match, "-o", dir)
			require.Zero(t, code, said)
			assert.Empty(t, out)
		}
	}
	all, err := rows.Load(file)
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "memory", all[0].Group)
	assert.Contains(t, all[0].Machine, "processors")
	for _, name := range []string{"BENCHMARKS.md", "bench/RESULTS.md"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Contains(t, string(text), all[0].Commit)
	}
}

func TestRun_badArguments(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"-run", "("},
		{"-against", "no such commit"}} {
		code, _, said := runBench(args...)
		assert.Equal(t, 1, code, args)
		assert.NotEmpty(t, said, args)
	}
}

func TestRun_list(t *testing.T) {
	code, out, _ := runBench("-list")
	assert.Zero(t, code)
	assert.Contains(t, out, "service/the consumer hangs for 200 ms\n")
	_, out, _ = runBench("-list", "-cores")
	assert.Contains(t, out, "many cores, measured/N cores that send every 100 ns\n")
}

// The committed pages are those of the committed results, and the first one is
// short.
func TestCommittedPages(t *testing.T) {
	root, err := rows.Root()
	require.NoError(t, err)
	all, err := rows.Load(filepath.Join(root, "bench", "results.jsonl"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, rows.Save(filepath.Join(dir, "results.jsonl"), all))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bench"), 0o755))
	require.NoError(t, os.Rename(filepath.Join(dir, "results.jsonl"),
		filepath.Join(dir, "bench", "results.jsonl")))
	code, _, said := runBench("-page", "-o", dir)
	require.Zero(t, code, said)
	for _, name := range []string{"BENCHMARKS.md", "bench/RESULTS.md",
		"docs/plots/service.svg", "docs/plots/cores-dark.svg"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		assert.True(t, string(want) == string(got),
			"%s is not what go -C bench run . -page writes", name)
	}
	first, err := os.ReadFile(filepath.Join(root, "BENCHMARKS.md"))
	require.NoError(t, err)
	assert.LessOrEqual(t, len(first), 8192)
}

// history is a repository whose second commit reports an allocation, where its
// first reports none. A measured time would not be the same twice.
func history(t *testing.T) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("skipped: git is not installed")
	}
	dir = t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	git(t, dir, "init", "--quiet")
	write("go.mod", "module example.com/history\n\ngo 1.25\n")
	for _, allocs := range []string{"0", "1"} {
		write("bench_test.go", `package history

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

func TestAgainst(t *testing.T) {
	dir := history(t)
	var out, said strings.Builder
	require.NoError(t, comparison{root: dir, commit: "HEAD~1", bench: ".", rounds: 6,
		stdout: &out, stderr: &said}.run(), "%s", &said)
	assert.Regexp(t, `allocs/op.*\n.*One\S* +0\.000 ± 0% +1\.000 ± 0% +\? \(p=0\.002 n=6\)`,
		out.String())
	assert.Contains(t, out.String(), "sec/op")
	trees := strings.TrimSpace(git(t, dir, "worktree", "list"))
	assert.Len(t, strings.Split(trees, "\n"), 1, "the worktree is left behind")
}

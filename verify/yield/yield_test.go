package yield

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/verify/internal/trial"
)

var (
	times = flag.Int("times", 1, "how often the tests of each package are run")
	only  = flag.String("only", "", "run only the tests that match")

	// asynclog takes a minute a time, and is therefore run on request only.
	packages = flag.String("packages", ".", "directories, separated by commas")
)

// One test counts the outcomes of a race, which yields change.
const unrelated = "ReadyBeatsTimer"

// TestWithYields runs the tests of each package, woven with yields. They run in
// the short form: it is the order of events that is random here.
func TestWithYields(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for path := range strings.SplitSeq(*packages, ",") {
		t.Run(path, func(t *testing.T) {
			dir := filepath.Join(root, path)
			binary := filepath.Join(t.TempDir(), "yield.test")
			list, err := trial.Overlay(t.TempDir(), wovenFiles(t, dir))
			require.NoError(t, err)
			require.NoError(t, trial.Build(dir, list, binary))
			for range *times {
				cmd := exec.CommandContext(t.Context(), binary, "-test.short",
					"-test.timeout=5m", "-test.skip="+unrelated, "-test.run="+*only)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
		})
	}
}

// wovenFiles returns the sources in dir by path, and the file that yields.
func wovenFiles(t *testing.T, dir string) map[string][]byte {
	files := make(map[string][]byte)
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	locks := 0
	pkg := filepath.Base(dir)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		woven, n, err := weave(path, source)
		require.NoError(t, err)
		files[path] = woven
		locks += n
		pkg = packageOf(source)
	}
	require.NotZero(t, locks)
	t.Logf("yields around %d locks", locks)
	files[filepath.Join(dir, "yield_here.go")] = yieldFile(pkg)
	return files
}

func packageOf(source []byte) string {
	for line := range strings.Lines(string(source)) {
		if name, ok := strings.CutPrefix(line, "package "); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

func TestWeave(t *testing.T) {
	const source = `package p

func f() {
	mu.Lock()
	defer mu.Unlock()
	if ok { n.Store(1) }
	if mu.TryLock() { return }
	switch { case true: mu.Unlock() }
}
`
	woven, locks, err := weave("p.go", []byte(source))
	require.NoError(t, err)
	assert.Equal(t, 4, locks)
	assert.Equal(t, `package p

func f() {
	yieldHere(); mu.Lock(); yieldHere()
	defer yieldHere(); defer mu.Unlock(); defer yieldHere()
	if ok { yieldHere(); n.Store(1); yieldHere() }
	if mu.TryLock() { return }
	switch { case true: yieldHere(); mu.Unlock(); yieldHere() }
}
`, string(woven))
	_, _, err = weave("p.go", []byte("package"))
	assert.Error(t, err)
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
)

// withPart runs the program with one part that takes no time.
func withPart(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	defer func(old []part) { parts = old }(parts)
	parts = []part{{"tiny", 1, func(o plan.Options) (plan.Section, error) {
		o.Steps(1)
		o.Step("the only one")
		return plan.Section{Title: "Tiny " + o.For.String()}, nil
	}}}
	var out, err strings.Builder
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func TestRun_quickWritesNothing(t *testing.T) {
	before := written(t)
	code, out, said := withPart(t, "-quick")
	assert.Zero(t, code)
	assert.Contains(t, out, "## Tiny 5ms")
	assert.Contains(t, said, "tiny (1 of 1): 1 of 1, ? left: the only one")
	assert.Equal(t, before, written(t))
}

func written(t *testing.T) string {
	t.Helper()
	root, err := plan.Root()
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(root, "BENCHMARKS.md"))
	if err != nil {
		return "none"
	}
	return info.ModTime().String()
}

func TestRun_writesWhereToldTo(t *testing.T) {
	dir := t.TempDir()
	code, out, _ := withPart(t, "-only", "tiny", "-for", "7ms", "-o", dir)
	assert.Zero(t, code)
	assert.Empty(t, out)
	text, err := os.ReadFile(filepath.Join(dir, "BENCHMARKS.md"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "## Tiny 7ms")
	assert.Contains(t, string(text), "`go -C bench run . -only tiny -for 7ms -o ")
}

func TestRun_badArguments(t *testing.T) {
	code, _, said := withPart(t, "-only", "none")
	assert.Equal(t, 1, code)
	assert.Contains(t, said, `no part "none": there are tiny`)
	code, _, _ = withPart(t, "-nonsense")
	assert.Equal(t, 2, code)
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		p := progress{w: &said}
		p.start("part", 1)
		p.steps(4)
		for range 4 {
			p.step("work")
			time.Sleep(10 * time.Second)
		}
		p.done()
		assert.Equal(t, `part: 1 of 4, ? left: work
part: 2 of 4, 30s left: work
part: 3 of 4, 20s left: work
part: 4 of 4, 10s left: work
part: done in 40s
`, said.String())
	})
}

// The time left is that of all parts, however many steps each of them has.
func TestProgress_ofAllParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		p := progress{w: &said, all: 40}
		for part, steps := range []int{1, 3} {
			p.start("part", []int{10, 30}[part])
			p.steps(steps)
			for range steps {
				p.step("work")
				time.Sleep(20 * time.Second)
			}
			p.done()
		}
		assert.Equal(t, `part: 1 of 1, ? left: work
part: done in 20s
part: 1 of 3, 1m0s left: work
part: 2 of 3, 40s left: work
part: 3 of 3, 20s left: work
part: done in 1m0s
`, said.String())
	})
}

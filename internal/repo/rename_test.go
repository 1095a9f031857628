package repo_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var renameCommand = regexp.MustCompile("(?s)```sh\n(git grep .*?)\n```")

const newPath = "github.com/you/chanx"

// TestRename runs the command of CONTRIBUTING.md on a copy of what git tracks,
// and builds the result.
func TestRename(t *testing.T) {
	m := newScratchModule(t)
	for _, tool := range []string{"sh", "git", "xargs", "perl", "gofmt"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("the command of CONTRIBUTING.md needs", tool)
		}
	}
	if err := exec.Command("git", "ls-files").Run(); err != nil {
		t.Skip("not a clone that git reads:", err)
	}
	oldPath := readRootMod(t).Module.Path
	files := copyClone(t, m)
	command := renameCommand.FindStringSubmatch(readDoc(t, "CONTRIBUTING.md"))
	require.NotNil(t, command)
	unformatted := shell(t, m.dir, "gofmt -l .")
	shell(t, m.dir, command[1])
	assert.Equal(t, unformatted, shell(t, m.dir, "gofmt -l ."))

	for _, file := range files {
		content := m.read(file)
		if !strings.Contains(content, "\x00") {
			assert.NotContains(t, content, oldPath, file)
		}
		if filepath.Base(file) == "go.mod" &&
			!strings.Contains(file, "/testdata/") {
			assert.Contains(t, content, "module "+newPath, file)
			resolves(t, m, filepath.Dir(file))
		}
	}
	m.run("build", "./...")
}

// copyClone copies the files that git tracks or would add into a new repository,
// and returns their names.
func copyClone(t *testing.T, m scratchModule) []string {
	t.Helper()
	listed := shell(t, ".", "git ls-files -z -co --exclude-standard")
	files := strings.Split(strings.TrimSuffix(listed, "\x00"), "\x00")
	var there []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // deleted, but not yet in the index
		}
		require.NoError(t, err)
		m.write(file, string(content))
		there = append(there, file)
	}
	require.Contains(t, there, "go.mod")
	shell(t, m.dir, "git init -q && git add -A")
	return there
}

// resolves checks that a module still finds all it imports. One whose
// requirements are not in the module cache cannot be asked.
func resolves(t *testing.T, m scratchModule, dir string) {
	t.Helper()
	if _, err := goCommand(dir, "list", "-deps", "./..."); err != nil {
		t.Logf("not checked: module in %s: %v", dir, err)
		return
	}
	_, err := goCommand(filepath.Join(m.dir, dir), "list", "-deps", "./...")
	assert.NoError(t, err, dir)
}

func shell(t *testing.T, dir, command string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s", command, &stderr)
	return string(out)
}

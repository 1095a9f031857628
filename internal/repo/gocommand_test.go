package repo_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A scratchModule is a module in a temporary directory, like that of a user of
// this one. Its go commands find their dependencies in the module cache, where
// running these tests has put them, and never use the network.
type scratchModule struct {
	t   *testing.T
	dir string
}

// newScratchModule skips t where there is no point or no go command.
func newScratchModule(t *testing.T) scratchModule {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles modules: skipped by -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command:", err)
	}
	return scratchModule{t, t.TempDir()}
}

// write writes a file, and the directories above it.
func (m scratchModule) write(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o777))
	require.NoError(m.t, os.WriteFile(path, []byte(content), 0o666))
}

func (m scratchModule) read(name string) string {
	m.t.Helper()
	content, err := os.ReadFile(filepath.Join(m.dir, name))
	require.NoError(m.t, err)
	return string(content)
}

// run returns the standard output of a go command that must succeed.
func (m scratchModule) run(args ...string) string {
	m.t.Helper()
	out, err := goCommand(m.dir, args...)
	require.NoError(m.t, err, "go %s", strings.Join(args, " "))
	return out
}

// goCommand returns standard output, and standard error in the error.
func goCommand(dir string, args ...string) (string, error) {
	var stderr strings.Builder
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly -buildvcs=false",
		"GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local", "PWD="+dir)
	out, err := cmd.Output()
	if err != nil {
		return "", &commandError{err, stderr.String() + string(out)}
	}
	return string(out), nil
}

type commandError struct {
	error
	output string
}

func (e *commandError) Error() string {
	return e.error.Error() + "\n" + e.output
}

// rootMod is the part of the root's go.mod that the tests use.
type rootMod struct {
	Module  struct{ Path string }
	Go      string
	Require []struct{ Path, Version string }
}

func readRootMod(t *testing.T) rootMod {
	t.Helper()
	out, err := goCommand(".", "mod", "edit", "-json")
	require.NoError(t, err)
	var mod rootMod
	require.NoError(t, json.Unmarshal([]byte(out), &mod))
	return mod
}

// version returns the version of a requirement.
func (mod rootMod) version(t *testing.T, path string) string {
	t.Helper()
	for _, r := range mod.Require {
		if r.Path == path {
			return r.Version
		}
	}
	t.Fatalf("go.mod does not require %s", path)
	return ""
}

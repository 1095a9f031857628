package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const rehearsed = "v0.0.1-rehearsal"

// TestRelease makes a release in a clone, serves the tagged modules as a module
// proxy does, and uses them as a stranger would: go get, go install, and a
// program that imports each nested module.
func TestRelease(t *testing.T) {
	repo := clone(t)
	before := gitIn(t, repo, "rev-parse", "HEAD")
	var said bytes.Buffer
	require.NoError(t, run([]string{rehearsed}, filepath.Join(repo, "verify"), &said))
	require.Contains(t, said.String(), "push origin HEAD "+rehearsed)
	require.Equal(t, before, gitIn(t, repo, "rev-parse", "HEAD^"),
		"one commit on the branch")
	require.Equal(t, "CHANGELOG.md\n",
		gitIn(t, repo, "diff", "--name-only", "HEAD^", "HEAD"))
	require.Empty(t, gitIn(t, repo, "status", "--porcelain"))
	all, err := modules(repo)
	require.NoError(t, err)
	require.Equal(t, ".", all[0].dir)
	proxy := t.TempDir()
	for _, m := range all {
		serve(t, repo, proxy, m)
	}
	env := stranger(t, proxy)
	for _, m := range all {
		t.Run(m.dir, func(t *testing.T) { use(t, env, repo, m) })
	}

	// A checkout of the tag has the sums of the modules as served.
	gitIn(t, repo, "checkout", "-q", rehearsed)
	for _, m := range all[1:] {
		goIn(t, filepath.Join(repo, m.dir), env, "mod", "download", all[0].path())
		text := gitIn(t, repo, "show", "HEAD:"+m.dir+"/go.mod")
		require.NotContains(t, text, "replace")
	}
	require.Empty(t, gitIn(t, repo, "status", "--porcelain"))

	err = run([]string{rehearsed}, repo, &said)
	require.ErrorContains(t, err, "there are tags already")
}

// use builds a program that imports the package at the root of the module, or
// installs the command that is there.
func use(t *testing.T, env []string, repo string, m *nested) {
	if m.dir == "bench" {
		t.Skip("its command needs the tree around it")
	}
	name := packageAt(t, filepath.Join(repo, m.dir))
	switch name {
	case "":
		t.Skip("there is no package at its root")
	case "main":
		bin := t.TempDir()
		goIn(t, t.TempDir(), append(env, "GOBIN="+bin),
			"install", m.path()+"@"+rehearsed)
		installed, err := os.ReadDir(bin)
		require.NoError(t, err)
		require.Len(t, installed, 1)
		if m.dir != "cmd/chanx" {
			return
		}
		out, err := exec.Command(
			filepath.Join(bin, installed[0].Name()), "version").CombinedOutput()
		require.NoError(t, err)
		require.Contains(t, string(out), rehearsed)
		return
	}
	dir := t.TempDir()
	program := fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", m.path())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o666))
	goIn(t, dir, env, "mod", "init", "consumer.test")
	goIn(t, dir, env, "get", m.path()+"@"+rehearsed)
	goIn(t, dir, env, "build", "-o", os.DevNull, ".")
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	file, err := modfile.Parse("go.mod", data, nil)
	require.NoError(t, err)
	for _, r := range file.Require {
		if strings.HasPrefix(r.Mod.Path, "example.com/chanx") {
			require.Equal(t, rehearsed, r.Mod.Version, r.Mod.Path)
		}
	}
}

// packageAt returns the name of the package in dir, empty if there is none.
func packageAt(t *testing.T, dir string) string {
	t.Helper()
	c := exec.Command("go", "list", "-e", "-f", "{{.Name}}", ".")
	c.Dir, c.Env = dir, append(os.Environ(), "GOWORK=off")
	out, err := c.Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// serve adds the module that the tag names to a file proxy, in the layout that
// go help goproxy describes. It is read from git, as a proxy reads it: what a
// go.sum of the release says of it has to be true.
func serve(t *testing.T, repo, proxy string, m *nested) {
	t.Helper()
	dir := filepath.Join(proxy, filepath.FromSlash(m.path()), "@v")
	require.NoError(t, os.MkdirAll(dir, 0o777))
	write := func(name string, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o666))
	}
	write("list", []byte(rehearsed+"\n"))
	info, err := json.Marshal(map[string]any{
		"Version": rehearsed, "Time": time.Now().UTC(),
	})
	require.NoError(t, err)
	write(rehearsed+".info", info)
	tag := m.tag(rehearsed)
	text := gitIn(t, repo, "show", tag+":"+path.Join(m.dir, "go.mod"))
	write(rehearsed+".mod", []byte(text))
	var archive bytes.Buffer
	v := module.Version{Path: m.path(), Version: rehearsed}
	require.NoError(t, zip.CreateFromVCS(&archive, v, repo, tag, m.subdir()))
	write(rehearsed+".zip", archive.Bytes())
}

// stranger returns an environment without these modules in a cache; other modules
// come from the cache or the proxy of this machine. Paths are trimmed so that
// each package is compiled once.
func stranger(t *testing.T, proxy string) []string {
	t.Helper()
	cache := goEnv(t, "GOMODCACHE")
	return append(os.Environ(),
		"GOWORK=off", "GOSUMDB=off",
		"GOFLAGS=-trimpath -modcacherw -buildvcs=false",
		"GOMODCACHE="+t.TempDir(),
		"GOPROXY=file://"+filepath.ToSlash(proxy)+
			",file://"+filepath.ToSlash(filepath.Join(cache, "cache", "download"))+
			","+goEnv(t, "GOPROXY"))
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func goIn(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	c := exec.Command("go", args...)
	c.Dir, c.Env = dir, env
	out, err := c.CombinedOutput()
	require.NoError(t, err, "go %s\n%s", strings.Join(args, " "), out)
}

func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git(dir, args...)
	require.NoError(t, err)
	return out
}

// clone returns a clone of this repository as it is committed, whose release
// leaves no tag here.
func clone(t *testing.T) string {
	t.Helper()
	top, err := git(".", "rev-parse", "--show-toplevel")
	if err != nil {
		t.Skip("this is not a git repository: ", err)
	}
	dir := filepath.Join(t.TempDir(), "repo")
	gitIn(t, ".", "clone", "-q", strings.TrimSpace(top), dir)
	gitIn(t, dir, "config", "user.name", "rehearsal")
	gitIn(t, dir, "config", "user.email", "rehearsal@example.com")
	return dir
}

func TestRunRefuses(t *testing.T) {
	repo := clone(t)
	for _, c := range []struct{ version, want string }{
		{"0.1.0", "not a version like v0.1.0"},
		{"v0.1", "not a version like v0.1.0"},
		{"v0.1.0+build", "not a version like v0.1.0"},
		{"v2.0.0", "from v2 on the module path ends in /v2"},
	} {
		require.ErrorContains(t, run([]string{c.version}, repo, os.Stderr), c.want)
	}
	require.ErrorContains(t, run(nil, repo, os.Stderr), "usage")
	file := filepath.Join(repo, "new.txt")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	require.ErrorContains(t, run([]string{"v0.1.0"}, repo, os.Stderr), "new.txt")
	require.NoError(t, os.Remove(file))

	// A release that fails leaves the branch and the tags as they were.
	before := gitIn(t, repo, "rev-parse", "HEAD")
	gitIn(t, repo, "tag", "verify/v0.1.0/in-the-way")
	err := run([]string{"v0.1.0"}, repo, os.Stderr)
	require.ErrorContains(t, err, "git fetch")
	require.Equal(t, before, gitIn(t, repo, "rev-parse", "HEAD"))
	require.Equal(t, "verify/v0.1.0/in-the-way\n", gitIn(t, repo, "tag"))
	require.Empty(t, gitIn(t, repo, "status", "--porcelain"))
}

func TestModulesThatRequireEachOther(t *testing.T) {
	parse := func(text string) *nested {
		f, err := modfile.Parse("go.mod", []byte(text), nil)
		require.NoError(t, err)
		return &nested{file: f}
	}
	_, err := ordered([]*nested{
		parse("module a\nrequire b v0.0.0"), parse("module b\nrequire a v0.0.0"),
	})
	require.ErrorContains(t, err, "require each other")
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// nested is a module of the repository, the root included.
type nested struct {
	dir  string // relative to the root, with slashes; "." is the root
	file *modfile.File
}

func (m *nested) path() string { return m.file.Module.Mod.Path }

// subdir is dir as the zip package wants it.
func (m *nested) subdir() string {
	if m.dir == "." {
		return ""
	}
	return m.dir
}

// tag is the name under which the go command looks for the version.
func (m *nested) tag(version string) string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

// modules returns every module git knows of under root, each after the modules
// of the repository that it requires.
func modules(root string) ([]*nested, error) {
	out, err := git(root, "ls-files", "--", "go.mod", "*/go.mod")
	if err != nil {
		return nil, err
	}
	var found []*nested
	for _, name := range strings.Fields(out) {
		if strings.Contains(name, "testdata/") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		file, err := modfile.Parse(name, data, nil)
		if err != nil {
			return nil, err
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		found = append(found, &nested{dir: dir, file: file})
	}
	return ordered(found)
}

// ordered sorts by requirements. There are a dozen modules at most.
func ordered(found []*nested) ([]*nested, error) {
	waiting := map[string]bool{}
	for _, m := range found {
		waiting[m.path()] = true
	}
	sorted := make([]*nested, 0, len(found))
	for len(waiting) > 0 {
		before := len(waiting)
		for _, m := range found {
			if waiting[m.path()] && !m.requiresOneOf(waiting) {
				delete(waiting, m.path())
				sorted = append(sorted, m)
			}
		}
		if len(waiting) == before {
			return nil, fmt.Errorf("modules require each other: %v", waiting)
		}
	}
	return sorted, nil
}

func (m *nested) requiresOneOf(paths map[string]bool) bool {
	for _, r := range m.file.Require {
		if paths[r.Mod.Path] {
			return true
		}
	}
	return false
}

// release rewrites the module for a release: it requires the version of the
// modules in sums, which are those of the repository, and replaces none of
// them. Returned are its own lines for a go.sum.
//
// The sums are computed, not asked for: the version is published nowhere yet.
func (m *nested) release(root, version string, sums map[string]string) (string, error) {
	dir := filepath.Join(root, m.dir)
	var need []string
	for _, r := range m.file.Require {
		if lines, ours := sums[r.Mod.Path]; ours {
			need = append(need, lines)
			if err := m.file.AddRequire(r.Mod.Path, version); err != nil {
				return "", err
			}
		}
	}
	for path := range sums {
		if err := m.file.DropReplace(path, ""); err != nil {
			return "", err
		}
	}
	m.file.Cleanup()
	text, err := m.file.Format()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), text, 0o666); err != nil {
		return "", err
	}
	if err := addSums(filepath.Join(dir, "go.sum"), need); err != nil {
		return "", err
	}
	return m.sums(root, version, text)
}

// addSums adds lines to a go.sum. The go command accepts any order.
func addSums(file string, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(file, append(data, strings.Join(lines, "")...), 0o666)
}

// sums returns the two lines of the module for a go.sum. The archive is made of
// what git has, as a proxy makes it.
func (m *nested) sums(root, version string, text []byte) (string, error) {
	if _, err := git(root, "add", "-A"); err != nil {
		return "", err
	}
	tree, err := git(root, "write-tree")
	if err != nil {
		return "", err
	}
	archive, err := os.CreateTemp("", "release-*.zip")
	if err != nil {
		return "", err
	}
	defer os.Remove(archive.Name())
	defer archive.Close()
	v := module.Version{Path: m.path(), Version: version}
	err = zip.CreateFromVCS(archive, v, root, strings.TrimSpace(tree), m.subdir())
	if err != nil {
		return "", err
	}
	all, err := dirhash.HashZip(archive.Name(), dirhash.Hash1)
	if err != nil {
		return "", err
	}
	mod, err := hashMod(text)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%[1]s %[2]s %[3]s\n%[1]s %[2]s/go.mod %[4]s\n",
		m.path(), version, all, mod), nil
}

func hashMod(text []byte) (string, error) {
	open := func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	return dirhash.Hash1([]string{"go.mod"}, open)
}

func git(dir string, args ...string) (string, error) {
	c := exec.Command("git", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", args[0], err, out)
	}
	return string(out), nil
}

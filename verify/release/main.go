// Command release makes a release of every module of the repository:
//
//	.ci/release v0.1.0
//
// It commits the dated CHANGELOG.md to the current branch. On top of that, on
// no branch, stands the commit that the tags name: its nested modules require
// the released version, where those of the branch replace it with the tree
// around them, and a module that replaces another cannot be installed with go
// install. The command prints the git push that publishes it and does not run
// it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

func main() {
	if err := run(os.Args[1:], ".", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string, dir string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: .ci/release VERSION, as in v0.1.0")
	}
	version := args[0]
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return fmt.Errorf("%q is not a version like v0.1.0", version)
	}
	if major := semver.Major(version); major != "v0" && major != "v1" {
		return fmt.Errorf("%s: from v2 on the module path ends in /%s; "+
			"rename the modules first", version, major)
	}
	top, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	root := strings.TrimSpace(top)
	tags, err := check(root, version)
	if err != nil {
		return err
	}
	if err := commitChangelog(root, version); err != nil {
		return err
	}
	if err := tagRelease(root, version, tags); err != nil {
		_, undone := git(root, "reset", "-q", "--hard", "HEAD^") // it was clean
		return errors.Join(err, undone)
	}
	fmt.Fprintf(stdout, "tagged: %s\npublish with: git push origin HEAD %s\n",
		strings.Join(tags, " "), strings.Join(tags, " "))
	return nil
}

// check returns the tags to be made, or why there can be no release.
func check(root, version string) ([]string, error) {
	status, err := git(root, "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if status != "" {
		return nil, fmt.Errorf("commit this first:\n%s", status)
	}
	all, err := modules(root)
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, m := range all {
		tags = append(tags, m.tag(version))
	}
	there, err := git(root, append([]string{"tag", "--list"}, tags...)...)
	if err != nil {
		return nil, err
	}
	if there != "" {
		return nil, fmt.Errorf("there are tags already:\n%s", there)
	}
	return tags, nil
}

func commitChangelog(root, version string) error {
	file := filepath.Join(root, "CHANGELOG.md")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	dated, err := dateChangelog(string(text), version, time.Now())
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(dated), 0o666); err != nil {
		return err
	}
	_, err = git(root, "commit", "-qm", "release: date "+version, "CHANGELOG.md")
	return err
}

// tagRelease makes the commit and its tags in a clone, so that a failure leaves
// nothing behind, and fetches them together.
func tagRelease(root, version string, tags []string) (err error) {
	parent, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(parent)) }()
	tree := filepath.Join(parent, "tree")
	if err := cloneAs(root, tree); err != nil {
		return err
	}
	all, err := modules(tree)
	if err != nil {
		return err
	}
	sums := map[string]string{}
	for _, m := range all {
		if sums[m.path()], err = m.release(tree, version, sums); err != nil {
			return err
		}
	}
	message := "release: require " + version + " instead of replacing"
	if _, err := git(tree, "commit", "-qm", message); err != nil {
		return err
	}
	fetch := []string{"fetch", "-q", "--no-tags", "--atomic", tree}
	for _, tag := range tags {
		if _, err := git(tree, "tag", "-am", tag, tag); err != nil {
			return err
		}
		fetch = append(fetch, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	_, err = git(root, fetch...)
	return err
}

// cloneAs clones a repository for commits by the same committer, whose name may
// be in the configuration of that repository alone.
func cloneAs(root, tree string) error {
	if _, err := git(root, "clone", "-q", "--no-tags", root, tree); err != nil {
		return err
	}
	for _, key := range []string{"user.name", "user.email"} {
		value, err := git(root, "config", key)
		if err != nil {
			return err
		}
		_, err = git(tree, "config", key, strings.TrimSpace(value))
		if err != nil {
			return err
		}
	}
	return nil
}

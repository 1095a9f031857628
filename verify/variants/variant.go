package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A variant is one mistake. It names a package and no file, since code moves
// from file to file more often than it changes.
type variant struct {
	name     string
	old, new string
	mistake  string // a sentence
}

// pkg is the directory of the package a variant is of, told by its name.
func (v variant) pkg() string {
	if strings.HasPrefix(v.name, "log-") {
		return "asynclog"
	}
	return "."
}

func all() []variant {
	return slices.Concat(ringVariants, channelVariants, superviseVariants, logVariants)
}

// apply returns the path of the file of v in the module at root, and its
// content with the mistake in it.
func (v variant) apply(root string) (path string, content []byte, err error) {
	files, err := filepath.Glob(filepath.Join(root, v.pkg(), "*.go"))
	if err != nil {
		return "", nil, err
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return "", nil, err
		}
		if n := bytes.Count(text, []byte(v.old)); n > 0 {
			found += n
			path = file
			content = bytes.Replace(text, []byte(v.old), []byte(v.new), 1)
		}
	}
	if found != 1 {
		return "", nil, fmt.Errorf("variant %s: its text is there %d times, "+
			"want 1:\n%s", v.name, found, v.old)
	}
	return path, content, nil
}

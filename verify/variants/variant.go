package main

import (
	"bytes"
	"fmt"
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
	return slices.Concat(ringVariants, broadcastVariants, channelVariants, superviseVariants, logVariants)
}

// apply returns the file that v is of, and its content with the mistake in it.
func (v variant) apply(p *sources) (name string, content []byte, err error) {
	found := 0
	for path, text := range p.original {
		if n := bytes.Count(text, []byte(v.old)); n > 0 {
			found += n
			name = path
			content = bytes.Replace(text, []byte(v.old), []byte(v.new), 1)
		}
	}
	if found != 1 {
		return "", nil, fmt.Errorf("variant %s: its text is in %s %d times, "+
			"want 1:\n%s", v.name, filepath.Base(p.dir), found, v.old)
	}
	return name, content, nil
}

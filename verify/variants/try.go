package main

import (
	"os"
	"path/filepath"
	"time"

	"example.com/chanx/verify/internal/trial"
)

// later are tests that take long, and mostly notice what others do as well.
const later = "UnderLoad|Many|EverySequence|StallAndExitAtOnce|Conserve|" +
	"NothingStays|UnderFire|AllocatesOneTimer|LateExit|EveryStartHas|Flood"

// try runs the tests of v's package with the mistake in it.
func (v variant) try(root string) (outcome, by string, err error) {
	dir, err := os.MkdirTemp("", "variant")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(dir)
	path, content, err := v.apply(root)
	if err != nil {
		return "", "", err
	}
	list, err := trial.Overlay(dir, map[string][]byte{path: content})
	if err != nil {
		return "", "", err
	}
	t := trial.Trial{
		Binary: filepath.Join(dir, "variant.test"),
		Dir:    filepath.Dir(path),
		Later:  later,
		Limit:  2 * time.Minute,
	}
	if err := trial.Build(t.Dir, list, t.Binary); err != nil {
		return "", "", err
	}
	outcome, by = t.Run()
	return outcome, by, nil
}

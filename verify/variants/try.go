package main

import (
	"path/filepath"
	"time"

	"example.com/chanx/verify/internal/trial"
)

// later are tests that take long, and mostly notice what others do as well.
const later = "UnderLoad|Many|EverySequence|StallAndExitAtOnce|Conserve|" +
	"NothingStays|UnderFire|AllocatesOneTimer|LateExit|EveryStartHas|" +
	"Concurrent_|Fault_|Exit_"

// compile makes, in dir, the test binary of a package with all its variants,
// which are numbered as in all.
func compile(pkgDir, pkg, dir string) (t trial.Trial, err error) {
	p, err := readSources(pkgDir)
	if err != nil {
		return t, err
	}
	for i, v := range all() {
		if v.pkg() != pkg {
			continue
		}
		if err := p.weave(v, i+1); err != nil {
			return t, err
		}
	}
	files, err := p.files()
	if err != nil {
		return t, err
	}
	list, err := trial.Overlay(dir, files)
	if err != nil {
		return t, err
	}
	t = trial.Trial{
		Binary: filepath.Join(dir, "variants.test"),
		Dir:    pkgDir,
		Later:  later,
		Limit:  2 * time.Minute,
	}
	return t, trial.Build(t.Dir, list, t.Binary)
}

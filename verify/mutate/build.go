package main

import (
	"path/filepath"

	"example.com/chanx/verify/internal/trial"
)

// build makes the one test binary of all mutants in dir.
func (p *woven) build(dir string) (binary string, err error) {
	list, err := trial.Overlay(dir, p.files)
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "mutants.test")
	return binary, trial.Build(p.Dir, list, binary)
}

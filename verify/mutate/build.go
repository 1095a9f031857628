package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// build makes the one test binary of all mutants in dir. The sources in
// the repository are not touched: the go command is given an overlay.
func (p *woven) build(dir string) (binary string, err error) {
	replace := make(map[string]string)
	for path, content := range p.files {
		copied := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(copied, content, 0o666); err != nil {
			return "", err
		}
		replace[path] = copied
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o666); err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "mutants.test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", list, "-o", binary, ".")
	cmd.Dir = p.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, nil
}

package trial

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Overlay writes files, by the path each is to have, into dir, and the list
// with which the go command takes them from there. The sources in the
// repository are not touched, and nothing else has to be copied.
func Overlay(dir string, files map[string][]byte) (list string, err error) {
	replace := make(map[string]string)
	for path, content := range files {
		copied := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(copied, content, 0o666); err != nil {
			return "", err
		}
		replace[path] = copied
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list = filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, text, 0o666)
}

// Build makes the test binary of the package in pkgDir, with an overlay.
func Build(pkgDir, list, binary string) error {
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", list,
		"-o", binary, ".")
	cmd.Dir = pkgDir
	// The versions of the module itself decide, not those of a workspace.
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

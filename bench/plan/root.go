package plan

import (
	"fmt"
	"os/exec"
	"strings"
)

// Root is where the library lies, whatever directory this runs in.
func Root() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"example.com/chanx").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w (start it with go -C bench run .)", err)
	}
	return strings.TrimSpace(string(out)), nil
}

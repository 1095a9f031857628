package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const unreleased = "## Unreleased\n"

// dateChangelog moves what a changelog lists as unreleased under a heading with
// the version and the day, and keeps an empty section for the next changes.
func dateChangelog(text, version string, day time.Time) (string, error) {
	head, rest, ok := strings.Cut(text, "\n"+unreleased)
	if !ok {
		return "", errors.New("CHANGELOG.md has no section Unreleased")
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	if strings.TrimSpace(body) == "" {
		return "", errors.New("CHANGELOG.md lists nothing as unreleased")
	}
	number := strings.TrimPrefix(version, "v")
	if strings.Contains(rest, "\n## "+number+" ") {
		return "", fmt.Errorf("CHANGELOG.md has a section %s already", number)
	}
	return fmt.Sprintf("%s\n%s\n## %s - %s\n%s", head, unreleased, number,
		day.Format(time.DateOnly), rest), nil
}

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDateChangelog(t *testing.T) {
	day := time.Date(2026, 3, 4, 23, 0, 0, 0, time.UTC)
	const before = "# Changelog\n\n## Unreleased\n\n### Added\n\n- a\n\n" +
		"## 0.0.1 - 2026-01-01\n\n- b\n"
	got, err := dateChangelog(before, "v0.1.0", day)
	require.NoError(t, err)
	require.Equal(t, "# Changelog\n\n## Unreleased\n\n"+
		"## 0.1.0 - 2026-03-04\n\n### Added\n\n- a\n\n"+
		"## 0.0.1 - 2026-01-01\n\n- b\n", got)

	_, err = dateChangelog(got, "v0.2.0", day)
	require.ErrorContains(t, err, "nothing as unreleased")
	_, err = dateChangelog(before, "v0.0.1", day)
	require.ErrorContains(t, err, "a section 0.0.1 already")
	_, err = dateChangelog("# Changelog\n", "v0.0.1", day)
	require.ErrorContains(t, err, "no section Unreleased")
}

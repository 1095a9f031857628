// Package suites tests chanx as other projects test their channels, supervisors
// and loggers: their cases, ported by behavior in new code. CASES.md lists every
// case with its source and the test here.
package suites

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// The table names every test there is, and no other.
func TestCasesAreTabled(t *testing.T) {
	table, err := os.ReadFile("CASES.md")
	require.NoError(t, err)
	tabled := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bTest\w+`).FindAllString(string(table), -1) {
		tabled[name] = true
	}
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	written := map[string]bool{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t `).FindAllStringSubmatch(string(src), -1) {
			written[m[1]] = true
		}
	}
	delete(written, t.Name())
	require.Equal(t, written, tabled)
}

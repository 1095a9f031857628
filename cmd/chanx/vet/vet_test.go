package vet

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

// together is one analyzer that reports the findings of all checks: the wants
// in testdata are for all of them.
func together(more bool) *analysis.Analyzer {
	checks := newSuite(nil, more)
	return &analysis.Analyzer{Name: "together", Doc: "all checks",
		Requires: checks[0].Requires,
		Run: func(pass *analysis.Pass) (any, error) {
			for _, c := range checks {
				inner := *pass
				inner.ResultOf = pass.ResultOf
				inner.ResultOf[c.Requires[0]] = pass.ResultOf[checks[0].Requires[0]]
				if _, err := c.Run(&inner); err != nil {
					return nil, err
				}
			}
			return nil, nil
		}}
}

func expect(t *testing.T, more bool, pkgs ...string) {
	t.Helper()
	analysistest.Run(t, analysistest.TestData(), together(more), pkgs...)
}

// TestFindings: logwriters has the seven lost consumers of the log libraries of
// the outage, recall published bugs before their fixes, loud other shapes, and
// quiet such that look alike and are fine.
func TestFindings(t *testing.T) {
	expect(t, false, "logwriters", "recall", "loud", "quiet")
}

func TestMore(t *testing.T) { expect(t, true, "more") }

// TestAnalyzers: the checks as others run them are valid, and documented.
func TestAnalyzers(t *testing.T) {
	require.NoError(t, analysis.Validate(Analyzers(Options{})))
	require.Len(t, Analyzers(Options{}), 6)
	for _, a := range Analyzers(Options{More: true}) {
		require.NotNil(t, a.Flags.Lookup("more"), a.Name)
	}
}

// TestRecall: at least 20 of the 28 published bugs are found, and bugs.txt says
// which.
func TestRecall(t *testing.T) {
	text, err := os.ReadFile("testdata/src/recall/bugs.txt")
	require.NoError(t, err)
	var found, all int
	for line := range strings.Lines(string(text)) {
		if line[0] != '#' {
			all++
			found += strings.Count(strings.TrimSpace(line), " found")
		}
	}
	require.Equal(t, 28, all)
	require.GreaterOrEqual(t, found, 20)
}

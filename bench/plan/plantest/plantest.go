// Package plantest checks what every part of the comparison must do.
package plantest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
)

// Run runs a part. It must take the steps that it announced, fill every row of
// its tables as wide as the columns, and give each point of a line an X and a Y.
func Run(
	t *testing.T, part func(plan.Options) (plan.Section, error), o plan.Options,
) plan.Section {
	t.Helper()
	announced, taken := 0, 0
	o.Steps = func(n int) { announced = n }
	o.Step = func(string) { taken++ }
	s, err := part(o)
	require.NoError(t, err)
	assert.Equal(t, announced, taken)
	for _, table := range s.Tables {
		for _, row := range table.Rows {
			t.Log(row)
			assert.Len(t, row, len(table.Columns), table.Title)
		}
	}
	for _, p := range s.Plots {
		for _, l := range p.Lines {
			assert.Len(t, l.X, len(l.Y), l.Name)
		}
	}
	return s
}

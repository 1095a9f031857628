package growth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/plan/plantest"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func TestRunFitsEverySeries(t *testing.T) {
	s := plantest.Run(t, Run, plan.Options{
		For: 5 * time.Millisecond, Quick: true,
	})
	require.Len(t, s.Tables, 1)
	costs := 0
	for _, one := range all() {
		costs += len(one.costs)
	}
	require.Equal(t, 12, costs)
	require.Len(t, s.Tables[0].Rows, costs)
	for _, row := range s.Tables[0].Rows {
		assert.NotContains(t, row, "unknown")
	}
	assert.Len(t, s.Plots, 7, "one for each axis and kind of figure")
	files := map[string]bool{}
	for _, p := range s.Plots {
		assert.False(t, files[p.File], "%s twice", p.File)
		files[p.File] = true
	}
}

package growth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func TestRunFitsEverySeries(t *testing.T) {
	announced, taken := 0, 0
	s, err := Run(plan.Options{
		For: 5 * time.Millisecond, Quick: true,
		Steps: func(n int) { announced = n },
		Step:  func(string) { taken++ },
	})
	require.NoError(t, err)
	assert.Equal(t, announced, taken)
	require.Len(t, s.Tables, 1)
	require.Len(t, s.Tables[0].Rows, len(all()))
	for _, row := range s.Tables[0].Rows {
		t.Log(row)
		assert.Len(t, row, len(s.Tables[0].Columns))
		assert.NotContains(t, row, "unknown")
	}
	assert.Len(t, s.Plots, 7, "one for each axis and kind of figure")
	files := map[string]bool{}
	for _, p := range s.Plots {
		assert.False(t, files[p.File], "%s twice", p.File)
		files[p.File] = true
		for _, l := range p.Lines {
			assert.Len(t, l.X, len(l.Y))
		}
	}
}

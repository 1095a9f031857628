package asynclog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/plan/plantest"
)

func TestRunFillsEveryCell(t *testing.T) {
	s := plantest.Run(t, Run, plan.Options{
		Rounds: 1, For: 20 * time.Millisecond, Quick: true,
	})
	require.Len(t, s.Tables, 5+len(busyKinds))
	for _, table := range s.Tables {
		assert.NotEmpty(t, table.Rows, table.Title)
		for _, row := range table.Rows {
			assert.NotContains(t, row, "", table.Title)
		}
	}
	require.Len(t, s.Plots, 1)
	for _, l := range s.Plots[0].Lines {
		assert.IsNonDecreasing(t, l.Y, l.Name)
	}
}

func TestOursKeepTheLaw(t *testing.T) {
	for _, p := range []peer{ours, oursNewest, oursWait} {
		v := law(p, 20_000)
		assert.True(t, v.holds(), "%s: %+v", p.name, v)
		assert.Equal(t, "error", v.afterClose, p.name)
	}
}

// The others that promise to deliver everything must do so here too, or the
// check is wrong.
func TestOthersThatWaitKeepTheLaw(t *testing.T) {
	for _, p := range []peer{zap, guarded, plain} {
		v := law(p, 5_000)
		assert.True(t, v.holds(), "%s: %+v", p.name, v)
	}
}

func TestLedgerFindsWhatIsWrong(t *testing.T) {
	line := func(p, n int) string { return string(numbered(nil, p, n)) }
	first := line(1, 7)
	require.Len(t, first, lineLen)
	for name, c := range map[string]struct {
		stream         string
		received, torn int
		disorder       int
	}{
		"well":      {first + line(2, 7) + line(1, 8), 3, 0, 0},
		"twice":     {first + first, 2, 0, 1},
		"backwards": {line(1, 8) + first, 2, 0, 1},
		"cut":       {first[:100] + "\n" + line(1, 8), 1, 1, 0},
		"cut zeros": {line(1, 0)[:100] + "\n" + line(1, 8), 1, 1, 0},
		"halves":    {first[:100] + line(1, 8)[100:], 0, 1, 0},
		"a report":  {"log records lost: 3\n" + first, 1, 0, 0},
	} {
		for _, piece := range []int{1, 7, 10_000} {
			l := newLedger()
			for s := []byte(c.stream); len(s) > 0; {
				n := min(piece, len(s))
				_, _ = l.Write(s[:n])
				s = s[n:]
			}
			assert.Equal(t, c.received, l.received, name)
			assert.Equal(t, c.torn, l.torn, name)
			assert.Equal(t, c.disorder, l.disorder, name)
		}
	}
}

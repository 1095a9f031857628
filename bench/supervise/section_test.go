package supervise

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

func TestRunFillsEveryCell(t *testing.T) {
	s := plantest.Run(t, Run, plan.Options{
		For: 5 * time.Millisecond, Quick: true,
	})
	require.Len(t, s.Tables, 4)
	for _, table := range s.Tables {
		for _, row := range table.Rows {
			assert.NotContains(t, row[1:], "", table.Title)
		}
	}
}

func TestOursSurviveEverythingAndKeepTheCause(t *testing.T) {
	for _, p := range []peer{function, supervisor} {
		for _, exit := range []func() error{
			fails, returnsNil, panics, goexits, foreign,
		} {
			assert.Equal(t, restarted, after(p, exit, 1, nil), p.name)
		}
		assert.Equal(t, restarted, afterHang(p, patience), p.name)
		failure, panicked, stack, goexit := loses(p)
		assert.Equal(t, []string{"kept", "kept", "kept", "kept"},
			[]string{failure, panicked, stack, goexit}, p.name)
	}
	assert.Equal(t, "yes", later(supervisor))
}

// What is known of the others shows that the checks can fail.
func TestChecksTellTheDifference(t *testing.T) {
	assert.Equal(t, goesThrough, after(loop, panics, 1, nil))
	assert.Equal(t, "loop is gone", after(loop, goexits, 1, nil))
	assert.Equal(t, "counts as done", after(retry, returnsNil, 1, nil))
	assert.Equal(t, "no", later(sutures))
	_, panicked, _, goexit := loses(sutures)
	assert.Equal(t, []string{"as text", "lost"}, []string{panicked, goexit})
}

// A worker that was run again may end before anyone looks.
func TestRestartCountsThoughItIsOver(t *testing.T) {
	again := make(chan struct{})
	assert.Equal(t, "over", settle(again, "over"))
	close(again)
	assert.Equal(t, restarted, settle(again, "over"))
}

func TestRestartsAreCounted(t *testing.T) {
	for _, p := range peers {
		runs := 0
		_, _, err := restarts(p, 25, func() error { runs++; return errBoom })
		require.NoError(t, err, p.name)
		assert.Equal(t, 25, runs, p.name)
	}
}

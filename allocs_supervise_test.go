package chanx_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/chanx"
)

// A context that can be cancelled is two objects, and a Supervisor has one for
// the run that its Status shows.
func TestRestartAllocatesContextAndRun(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations differ")
	}
	assert.InDelta(t, 2, allocsOfRestart(t, superviseAtOnce), 0.1, "Supervise")
	assert.InDelta(t, 3, allocsOfRestart(t, superviseNamed), 0.1, "Supervisor")
}

type worker = func(context.Context) error

func superviseAtOnce(w worker) error {
	return chanx.Supervise(context.Background(), w, atOnce)
}

func superviseNamed(w worker) error {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	if err := s.Add("worker", w, atOnce); err != nil {
		return err
	}
	return s.Run(context.Background())
}

// allocsOfRestart has as many restarts that what comes once does not count.
func allocsOfRestart(t *testing.T, keep func(worker) error) float64 {
	const restarts = 1000
	return testing.AllocsPerRun(5, func() {
		left := restarts
		assert.NoError(t, keep(func(context.Context) error {
			if left--; left < 0 {
				return chanx.ErrStop
			}
			return errBoom
		}))
	}) / restarts
}

// Checking a policy made the text of a complaint that nobody had, and doubled
// the stack of every goroutine that called Supervise.
func TestSuperviseOfDoneContextAllocatesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	policy := chanx.RestartPolicy{MaxRestarts: 50, Within: 1 << 40}
	noAllocs(t, "Supervise", func() {
		_ = chanx.Supervise(ctx, idle, policy)
	})
}

package chanx_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// The second restart waits at most twice MinBackoff, also where MaxBackoff is
// only a nanosecond more. One in three waits would tell otherwise.
func TestBackoffBoundJustBelowTheMost(t *testing.T) {
	for range 64 {
		second := secondBackoff(t, chanx.RestartPolicy{
			MinBackoff: 1, MaxBackoff: 3, MaxRestarts: 2,
		})
		assert.LessOrEqual(t, int(second.Backoff), 2)
	}
}

func secondBackoff(t *testing.T, policy chanx.RestartPolicy) chanx.Exit {
	t.Helper()
	var exits []chanx.Exit
	policy.OnEvent = func(e chanx.Event) {
		if e.Kind == chanx.EventExit {
			exits = append(exits, e.Exit)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		fails := func(ctx context.Context) error { return errors.New("x") }
		require.Error(t, chanx.Supervise(t.Context(), fails, policy))
	})
	require.Len(t, exits, 3)
	return exits[1]
}

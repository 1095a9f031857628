package load

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// panicking panics n times and then stops for good.
func panicking(n int) func(context.Context) error {
	runs := 0
	return func(context.Context) error {
		if runs++; runs <= n {
			panic("again")
		}
		return chanx.ErrStop
	}
}

func TestAMillionPanicsUnderSupervise(t *testing.T) {
	n := size(20_000, 1_000_000)
	before := measure()
	stopwatch(t, "panics", n, func() {
		err := chanx.Supervise(t.Context(), panicking(n),
			chanx.RestartPolicy{MinBackoff: -1})
		require.NoError(t, err)
	})
	backAt(t, before)
}

// Every exit and restart is told to the hook or counted as missed.
func TestAMillionPanicsUnderASupervisor(t *testing.T) {
	n := size(20_000, 1_000_000)
	before := measure()
	var seen atomic.Int64
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	require.NoError(t, s.Add("worker", panicking(n), chanx.RestartPolicy{
		MinBackoff: -1, OnEvent: func(chanx.Event) { seen.Add(1) },
	}))
	stopwatch(t, "panics", n, func() {
		require.NoError(t, s.Run(t.Context()))
	})
	st := s.Status()[0]
	require.Equal(t, n, st.Restarts)
	require.Len(t, st.Exits, 8)
	require.Equal(t, chanx.StateStopped, st.State)
	// A start, n restarts and n+1 exits.
	require.EqualValues(t, 2*n+2, uint64(seen.Load())+st.Missed)
	t.Logf("events: %d seen, %d missed", seen.Load(), st.Missed)
	for _, e := range st.Exits[:7] {
		var p *chanx.PanicError
		require.ErrorAs(t, e.Err, &p)
		require.Contains(t, string(p.Stack), "panicking.func")
	}
	s, st = nil, chanx.WorkerStatus{}
	backAt(t, before)
}

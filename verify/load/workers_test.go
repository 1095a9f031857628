package load

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// crowd is a Supervisor with many workers, all of them running.
type crowd struct {
	*chanx.Supervisor
	names  []string
	stop   context.CancelFunc
	result chan error
}

func gather(t *testing.T, n int) *crowd {
	c := &crowd{
		Supervisor: chanx.NewSupervisor(chanx.SupervisorOptions{}),
		result:     make(chan error, 1),
	}
	var running sync.WaitGroup
	running.Add(n)
	worker := func(ctx context.Context) error {
		running.Done()
		<-ctx.Done()
		return ctx.Err()
	}
	stopwatch(t, "added", n, func() {
		for i := range n {
			c.names = append(c.names, strconv.Itoa(i))
			require.NoError(t, c.Add(c.names[i], worker, chanx.RestartPolicy{}))
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	stopwatch(t, "started", n, func() {
		go func() { c.result <- c.Run(ctx) }()
		running.Wait()
	})
	stopwatch(t, "status", n, func() { require.Len(t, c.Status(), n) })
	return c
}

func (c *crowd) end(t *testing.T) {
	c.stop()
	require.Equal(t, context.Canceled, <-c.result)
}

func TestManyWorkersAreStopped(t *testing.T) {
	n := size(2_000, 100_000)
	warm(n + 10)
	before := measure()
	c := gather(t, n)
	t.Logf("running: %v", measure())
	stopwatch(t, "stopped", n, func() { c.end(t) })
	for _, w := range c.Status() {
		require.Equal(t, chanx.StateStopped, w.State)
		require.Equal(t, 0, w.Restarts)
	}
	c = nil
	backAt(t, before)
}

// One by one, the oldest and the youngest first: if one of them took time in
// proportion to the others that there are, a tenth of the workers would take
// much less than a tenth of the time.
func TestManyWorkersAreRemoved(t *testing.T) {
	for _, order := range []string{"oldest first", "youngest first"} {
		for _, n := range []int{size(200, 10_000), size(2_000, 100_000)} {
			t.Run(order, func(t *testing.T) { removeAll(t, n, order) })
		}
	}
}

func removeAll(t *testing.T, n int, order string) {
	warm(n + 10)
	before := measure()
	c := gather(t, n)
	if order == "youngest first" {
		slices.Reverse(c.names)
	}
	stopwatch(t, "removed, "+order, n, func() {
		for _, name := range c.names {
			require.NoError(t, c.Remove(t.Context(), name))
		}
	})
	require.Empty(t, c.Status())
	c.end(t)
	c = nil
	backAt(t, before)
}

// A service that keeps adding and removing workers must not grow.
func TestWorkersComeAndGo(t *testing.T) {
	n := size(5_000, 500_000)
	c := gather(t, 10)
	before := measure()
	stopwatch(t, "added and removed", n, func() {
		for i := range n {
			name := "guest " + strconv.Itoa(i)
			require.NoError(t, c.Add(name, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}, chanx.RestartPolicy{}))
			require.NoError(t, c.Remove(t.Context(), name))
		}
	})
	require.Len(t, c.Status(), 10)
	backAt(t, before)
	c.end(t)
}

package observe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/doctor"
)

// The last error is that of the last exit with one, and not the word of a
// worker that it has done its work.
func TestLastError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exits := []error{errors.New("first"), errors.New("second\x1b[2J"), nil,
			chanx.ErrStop}
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, s.Add("w", func(context.Context) error {
			time.Sleep(time.Second)
			err := exits[0]
			exits = exits[1:]
			return err
		}, chanx.RestartPolicy{MinBackoff: -1}))
		start := time.Now()
		require.NoError(t, s.Run(t.Context()))
		o := New()
		o.Supervisor("s", s)
		w := o.Snapshot().Supervisors[0].Workers[0]
		assert.Equal(t, "second\uFFFD[2J", w.LastError)
		assert.Equal(t, 2*time.Second, w.LastErrorAt.Sub(start))
		assert.Equal(t, chanx.StateStopped, w.State)
		assert.Equal(t, 3, w.Restarts)
		assert.EqualValues(t, 1, w.Exits.Nil)
		assert.EqualValues(t, 3, w.Exits.Error)
		assert.Empty(t, w.Stack)
	})
}

func TestStackOfAPanic(t *testing.T) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	require.NoError(t, s.Add("w", func(context.Context) error {
		panic(strings.Repeat("long", 1000))
	}, chanx.RestartPolicy{Restart: chanx.RestartNever}))
	_ = s.Run(t.Context())
	o := New()
	o.Supervisor("s", s)
	w := o.Snapshot().Supervisors[0].Workers[0]
	assert.Contains(t, w.Stack, "worker_test.go:")
	assert.Contains(t, w.Stack, "\n")
	assert.Len(t, w.LastError, maxText)
	assert.True(t, strings.HasSuffix(w.LastError, "..."))
}

// Workers of a tree are named by their path, and the worst is first.
func TestTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		child := chanx.NewSupervisor(chanx.SupervisorOptions{})
		require.NoError(t, child.Add("leaf", idle, chanx.RestartPolicy{}))
		require.NoError(t, child.Add("bad", func(context.Context) error {
			return chanx.Permanent(errTest)
		}, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("first", idle, chanx.RestartPolicy{}))
		require.NoError(t, s.Add("tree", child.Run, chanx.RestartPolicy{}))
		o := New()
		o.Supervisor("s", s)
		var names []string
		look := func() {
			names = nil
			for _, w := range o.Snapshot().Supervisors[0].Workers {
				names = append(names, fmt.Sprint(w.Name, " ", w.State))
			}
		}
		look()
		assert.Equal(t, []string{"first starting", "tree starting"}, names)
		assert.Equal(t, []Problem{{doctor.Info, "supervisor", "s",
			`supervisor "s": not started`}}, o.Snapshot().Problems)
		run(t, s)
		synctest.Wait()
		look()
		assert.Equal(t, []string{"tree/bad failed", "first running",
			"tree running", "tree/leaf running"}, names)
		assert.Equal(t, `worker "tree/bad" of "s" failed for good 0s ago, `+
			`0 restarts so far; last error: no space left on device`,
			o.Snapshot().Problems[0].Sentence)
	})
}

package chanx_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/chanx"
)

// FuzzSupervisor adds, removes and ends workers of a set in any order, in
// virtual time, and holds Status and what Run returns against a model that was
// written from the documentation.
func FuzzSupervisor(f *testing.F) {
	for strategy := range uint8(3) {
		f.Add(strategy, uint8(3), []byte{0, 1, 2, 70, 71, 6, 7, 8, 100, 40, 6, 130, 101, 3, 200})
		f.Add(strategy, uint8(0), bytes.Repeat([]byte{0, 37, 74, 6, 43, 80, 5, 100, 0, 41}, 12))
		f.Add(strategy, uint8(9), []byte{4, 40, 76, 4, 5, 100, 3, 39, 75, 3, 101, 2, 1, 0})
	}
	f.Fuzz(func(t *testing.T, strategy, before uint8, program []byte) {
		program = program[:min(len(program), 200)]
		synctest.Test(t, func(t *testing.T) {
			m := newSetModel(chanx.Strategy(strategy % 3))
			for i, op := range program {
				if i == int(before%16) {
					m.run(t)
				}
				m.step(t, op)
				m.check(t)
			}
			m.end(t)
		})
	})
}

// setModel is what a Supervisor should be doing. Every restart waits a second.
type setModel struct {
	set      *chanx.Supervisor
	strategy chanx.Strategy
	stop     context.CancelFunc
	result   chan error // nil before Run
	finished bool       // Run has returned
	workers  []*modelWorker
}

type modelWorker struct {
	name     string
	mode     chanx.RestartMode
	orders   chan func() error
	state    chanx.WorkerState
	over     bool
	restarts int
	due      time.Time // while it is backing off
}

func newSetModel(s chanx.Strategy) *setModel {
	return &setModel{
		strategy: s,
		set:      chanx.NewSupervisor(chanx.SupervisorOptions{Strategy: s}),
	}
}

func (m *setModel) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m.stop, m.result = cancel, make(chan error, 1)
	go func() { m.result <- m.set.Run(ctx) }()
	for _, w := range m.workers {
		w.state = chanx.StateRunning
	}
	synctest.Wait()
}

func (m *setModel) running() bool { return m.result != nil && !m.finished }

// step does one operation on one of six names.
func (m *setModel) step(t *testing.T, op byte) {
	name, what := string(rune('a'+op%6)), int(op/6)
	i := slices.IndexFunc(m.workers, func(w *modelWorker) bool { return w.name == name })
	switch {
	case what < 9:
		m.add(t, i, name, chanx.RestartMode(what%3))
	case what < 15 && i < 0:
		require.Error(t, m.set.Remove(t.Context(), name))
	case what < 15:
		require.NoError(t, m.set.Remove(t.Context(), name))
		m.workers = slices.Delete(m.workers, i, i+1)
	case what < 35 && i >= 0 && m.workers[i].state == chanx.StateRunning:
		m.fail(i, what%5)
	default:
		time.Sleep(time.Duration(what) * 50 * time.Millisecond)
	}
	synctest.Wait()
	m.advance()
}

func (m *setModel) add(t *testing.T, taken int, name string, mode chanx.RestartMode) {
	w := &modelWorker{name: name, mode: mode, orders: make(chan func() error)}
	err := m.set.Add(name, w.work, chanx.RestartPolicy{
		Restart: mode, MinBackoff: time.Second, MaxBackoff: time.Second,
	})
	if taken >= 0 || m.finished {
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	if m.running() {
		w.state = chanx.StateRunning
	}
	m.workers = append(m.workers, w)
}

func (w *modelWorker) work(ctx context.Context) error {
	select {
	case way := <-w.orders:
		return way()
	case <-ctx.Done():
		return ctx.Err()
	}
}

var setEnds = [5]func() error{
	func() error { return nil },
	func() error { return errors.New("boom") },
	func() error { panic("boom") },
	func() error { runtime.Goexit(); return nil },
	func() error { return chanx.ErrStop },
}

// fail ends a worker that runs, and says what follows.
func (m *setModel) fail(i, way int) {
	w := m.workers[i]
	w.orders <- setEnds[way]
	clean := way == 0 || way == 4
	switch {
	case way == 4, clean && w.mode != chanx.RestartAlways:
		w.over, w.state = true, chanx.StateStopped
		return
	case w.mode == chanx.RestartNever:
		w.over, w.state = true, chanx.StateFailed
		return
	}
	w.backOff()
	switch m.strategy {
	case chanx.OneForAll:
		backOffAll(m.workers)
	case chanx.RestForOne:
		backOffAll(m.workers[i:])
	}
}

func backOffAll(group []*modelWorker) {
	for _, w := range group {
		switch {
		case w.over:
		case w.mode == chanx.RestartNever:
			w.over, w.state = true, chanx.StateStopped
		default:
			w.backOff()
		}
	}
}

func (w *modelWorker) backOff() {
	w.state, w.due = chanx.StateBackingOff, time.Now().Add(time.Second)
}

// advance starts what is due, and ends the set when it is over.
func (m *setModel) advance() {
	if !m.running() {
		return
	}
	over := len(m.workers) > 0
	for _, w := range m.workers {
		if w.state == chanx.StateBackingOff && !w.due.After(time.Now()) {
			w.state = chanx.StateRunning
			w.restarts++
		}
		over = over && w.over
	}
	m.finished = over
}

func (m *setModel) check(t *testing.T) {
	all := m.set.Status()
	require.Len(t, all, len(m.workers))
	for i, w := range m.workers {
		require.Equal(t, w.name, all[i].Name)
		require.Equal(t, w.state, all[i].State, "%s", w.name)
		require.Equal(t, w.restarts, all[i].Restarts, "%s", w.name)
	}
	if m.result != nil {
		require.Equal(t, m.finished, len(m.result) == 1)
	}
}

func (m *setModel) end(t *testing.T) {
	if m.result == nil {
		m.run(t)
	}
	m.advance()
	m.stop()
	want := context.Canceled
	if m.finished {
		want = nil
	}
	require.Equal(t, want, <-m.result)
	for _, w := range m.set.Status() {
		require.Contains(t, []chanx.WorkerState{
			chanx.StateStopped, chanx.StateFailed,
		}, w.State)
	}
}

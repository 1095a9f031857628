package suites

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/chanx"
)

// scripted is a worker that runs until it is told how to end.
type scripted struct {
	name   string
	orders chan func() error
	trace  *trace
	onRun  func() error // instead of waiting for an order, unless nil

	// At rest in a bubble is not before in the eyes of the race detector: a
	// timer starts the next run.
	starts, living, most atomic.Int64
}

// trace is the order in which workers have ended.
type trace struct {
	mu    sync.Mutex
	names []string
}

func (tr *trace) add(name string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.names = append(tr.names, name)
}

// take returns the names since it was called last.
func (tr *trace) take() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	names := tr.names
	tr.names = nil
	return names
}

func newScripted(name string) *scripted {
	return &scripted{name: name, orders: make(chan func() error), trace: new(trace)}
}

func (a *scripted) work(ctx context.Context) error {
	a.starts.Add(1)
	a.most.Store(max(a.most.Load(), a.living.Add(1)))
	defer func() {
		a.living.Add(-1)
		a.trace.add(a.name)
	}()
	if a.onRun != nil {
		if err := a.onRun(); err != nil {
			return err
		}
	}
	select {
	case way := <-a.orders:
		return way()
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errBoom = errors.New("boom")

// The ways for a worker to end.
func normally() error { return nil }
func failing() error  { return errBoom }
func stopping() error { return chanx.ErrStop }
func panicking() error {
	panic("boom")
}
func exiting() error {
	runtime.Goexit()
	return nil
}

// set is a Supervisor that runs.
type set struct {
	*chanx.Supervisor
	stop   context.CancelFunc
	result chan error
}

func run(t *testing.T, s *chanx.Supervisor) set {
	ctx, cancel := context.WithCancel(t.Context())
	r := set{Supervisor: s, stop: cancel, result: make(chan error, 1)}
	go func() { r.result <- s.Run(ctx) }()
	return r
}

func (r set) end() error {
	r.stop()
	return <-r.result
}

// states returns the state of each worker by its name.
func states(all []chanx.WorkerStatus) map[string]chanx.WorkerState {
	m := map[string]chanx.WorkerState{}
	for _, w := range all {
		m[w.Name] = w.State
	}
	return m
}

package suites

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"example.com/chanx"
)

// actor is a worker that runs until it is told how to end.
type actor struct {
	name   string
	orders chan func() error
	starts int
	living int          // goroutines in work
	most   int          // of them at once
	trace  *[]string    // what happens to all actors of a test
	onRun  func() error // instead of waiting for an order, unless nil
}

func newActor(name string, trace *[]string) *actor {
	return &actor{name: name, orders: make(chan func() error), trace: trace}
}

// work needs no lock: in a bubble the tests look only when all is at rest,
// and the runs of one actor follow one another.
func (a *actor) work(ctx context.Context) error {
	a.starts++
	a.living++
	a.most = max(a.most, a.living)
	defer func() {
		a.living--
		if a.trace != nil {
			*a.trace = append(*a.trace, a.name)
		}
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

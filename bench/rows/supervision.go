package rows

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"

	"example.com/chanx"
)

type worker = func(context.Context) error

var errDone = errors.New("done")

// A keeper runs a worker again and again.
type keeper struct {
	name string
	keep func(w worker) error // until it returns errDone, without pauses
	herd func(n int) func()   // starts n idle workers
}

func (k keeper) title() string { return k.name }

var keepers = []keeper{
	{"chanx.Supervisor", func(w worker) error {
		s := newSupervisor(stopping(w))
		return s.Run(context.Background())
	}, func(n int) func() {
		s := newSupervisor(slices.Repeat([]worker{idle}, n)...)
		return start(1, func(ctx context.Context) { _ = s.Run(ctx) })
	}},
	{"suture v4", keepSuture, func(n int) func() {
		s := newSuture()
		for range n {
			s.Add(sutured(idle))
		}
		return start(1, func(ctx context.Context) { _ = s.Serve(ctx) })
	}},
	{"chanx.Supervise", func(w worker) error {
		return chanx.Supervise(context.Background(), stopping(w),
			chanx.RestartPolicy{MinBackoff: -1})
	}, func(n int) func() {
		return start(n, func(ctx context.Context) {
			_ = chanx.Supervise(ctx, idle, chanx.RestartPolicy{})
		})
	}},
	{"for { go f(); wait }", func(w worker) error {
		for err := error(nil); err != errDone; {
			var run sync.WaitGroup
			run.Go(func() { err = w(neverDone) })
			run.Wait()
		}
		return nil
	}, func(n int) func() {
		return start(n, func(ctx context.Context) { _ = idle(ctx) })
	}},
}

func newSupervisor(workers ...worker) *chanx.Supervisor {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for i, w := range workers {
		_ = s.Add(strconv.Itoa(i), w, chanx.RestartPolicy{MinBackoff: -1})
	}
	return s
}

func idle(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func stopping(w worker) worker {
	return func(ctx context.Context) error {
		if err := w(ctx); err != errDone {
			return err
		}
		return chanx.ErrStop
	}
}

// start starts n goroutines, and returns how to end them.
func start(n int, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range n {
		all.Go(func() { f(ctx) })
	}
	return func() {
		cancel()
		all.Wait()
	}
}

type sutured worker

func (s sutured) Serve(ctx context.Context) error { return s(ctx) }

// newSuture never reaches the threshold beyond which suture waits.
func newSuture() *suture.Supervisor {
	return suture.New("bench", suture.Spec{FailureThreshold: math.MaxFloat64,
		EventHook: func(suture.Event) {}})
}

func keepSuture(w worker) error {
	s := newSuture()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.Add(sutured(func(ctx context.Context) error {
		err := w(ctx)
		if err == errDone {
			cancel()
			err = suture.ErrDoNotRestart
		}
		return err
	}))
	if err := s.Serve(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func supervision(e Effort) []Contest {
	restarts, workers := e.n(20_000), e.n(10_000)
	return []Contest{{
		Group: "supervision", Name: "a restart after an error, without backoff",
		Names: namesOf(keepers), Rounds: e.rounds(11),
		Figures: []Figure{{"time", Time}, {"allocations", Plain}},
		Measure: func(i int) ([]float64, error) {
			left := restarts
			before, begin := mallocs(), time.Now()
			err := keepers[i].keep(func(context.Context) error {
				if left--; left < 0 {
					return errDone
				}
				return errBoom
			})
			took, n := time.Since(begin), float64(restarts)
			return []float64{float64(took) / n, math.Round((mallocs() - before) / n)}, err
		},
	}, {
		Group: "supervision", Name: "10,000 idle workers",
		Names: namesOf(keepers), Rounds: e.rounds(5),
		Figures: []Figure{{"start, each", Time}, {"memory, each", Bytes},
			{"stop, each", Time}},
		Measure: func(i int) ([]float64, error) {
			return herd(keepers[i], workers), nil
		},
	}}
}

func herd(k keeper, n int) []float64 {
	before, begin := inUse(), time.Now()
	stop := k.herd(n)
	started := time.Since(begin)
	time.Sleep(50 * time.Millisecond) // until all are parked, or most of them
	held := inUse() - before
	begin = time.Now()
	stop()
	return []float64{float64(started) / float64(n), held / float64(n),
		float64(time.Since(begin)) / float64(n)}
}

package rows

import (
	"context"
	"errors"
	"math"
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
}

func (k keeper) title() string { return k.name }

var keepers = []keeper{
	{"chanx.Supervise", func(w worker) error {
		return chanx.Supervise(context.Background(), stopping(w), atOnce)
	}},
	{"chanx.Supervisor", func(w worker) error {
		s := chanx.NewSupervisor(chanx.SupervisorOptions{})
		err := s.Add("worker", stopping(w), atOnce)
		return errors.Join(err, s.Run(context.Background()))
	}},
	{"suture v4", keepSuture},
	{"for { go f(); wait }", func(w worker) error {
		for err := error(nil); err != errDone; {
			var run sync.WaitGroup
			run.Go(func() { err = w(neverDone) })
			run.Wait()
		}
		return nil
	}},
}

// atOnce restarts without backoff.
var atOnce = chanx.RestartPolicy{MinBackoff: -1}

func stopping(w worker) worker {
	return func(ctx context.Context) error {
		if err := w(ctx); err != errDone {
			return err
		}
		return chanx.ErrStop
	}
}

type sutured worker

func (s sutured) Serve(ctx context.Context) error { return s(ctx) }

// keepSuture never reaches the threshold beyond which suture waits.
func keepSuture(w worker) error {
	s := suture.New("bench", suture.Spec{FailureThreshold: math.MaxFloat64,
		EventHook: func(suture.Event) {}})
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
	n := e.n(20_000)
	return []Contest{{
		Group: "supervision", Name: "a restart after an error, without backoff",
		Names: namesOf(keepers), Rounds: e.rounds(11),
		Figures: []Figure{{"time", Time}, {"allocations", Plain}},
		Measure: func(i int) ([]float64, error) {
			left := n
			before, begin := mallocs(), time.Now()
			err := keepers[i].keep(func(context.Context) error {
				if left--; left < 0 {
					return errDone
				}
				return errBoom
			})
			took := time.Since(begin)
			allocs := math.Round((mallocs() - before) / float64(n))
			return []float64{float64(took) / float64(n), allocs}, err
		},
	}}
}

package supervise

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// restart returns the time of one restart and its allocations, measured over
// as many as fit into d.
func restart(p peer, d time.Duration, exit func() error) ([]float64, error) {
	n := 100
	for {
		took, mallocs, err := restarts(p, n, exit)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		if took >= d || n >= 1<<22 {
			return []float64{float64(took) / float64(n),
				mallocs / float64(n)}, nil
		}
		// As package testing does: aim a little beyond, and not too far.
		aim := float64(n) * 1.2 * float64(d) / float64(max(took, 1))
		n = int(min(aim+1, 100*float64(n)))
	}
}

// restarts has a worker end n times, and be restarted each time.
func restarts(p peer, n int, exit func() error) (
	took time.Duration, mallocs float64, _ error) {
	left := n
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := p.keep(context.Background(), func(context.Context) error {
		if left--; left < 0 {
			return errDone
		}
		return exit()
	}, nil)
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	if left >= 0 {
		return 0, 0, fmt.Errorf("gave up %d restarts early: %w", left, err)
	}
	return took, float64(after.Mallocs - before.Mallocs), nil
}

func fails() error { return errBoom }

func panics() error { panic(errBoom) }

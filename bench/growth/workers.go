package growth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"example.com/chanx"
	"example.com/chanx/bench/figure"
)

func byWorkers() []series {
	return []series{{
		"workers", []int{1, 10, 100, 1000, 10_000, 100_000}, 4,
		[]cost{
			{"Supervisor: start all and stop them", linear, figure.Time},
			{"Supervisor: memory of all", linear, figure.Bytes},
			{"Supervisor: Status", linear, figure.Time},
			{"Supervisor: one restart among them", flat, figure.Time},
		},
		func(workers int, _ time.Duration) ([]float64, error) {
			h, err := measureHerd(workers)
			return []float64{h.startStop, h.memory, h.status, h.restart}, err
		},
	}}
}

// herd is what a set of workers costs, of which all but one stand still.
type herd struct{ startStop, memory, status, restart float64 }

var errRestart = errors.New("restart me")

// restarts are enough for the clock and soon over.
const restarts = 200

func measureHerd(workers int) (h herd, _ error) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	var up sync.WaitGroup
	up.Add(workers)
	before := inUse()
	begin := time.Now()
	for i := range workers {
		err := s.Add(fmt.Sprint(i), func(ctx context.Context) error {
			up.Done()
			<-ctx.Done()
			return ctx.Err()
		}, chanx.RestartPolicy{})
		if err != nil {
			return h, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	up.Wait()
	h.startStop = float64(time.Since(begin))
	h.memory = max(inUse()-before, 1)
	h.status = taking(func() { s.Status() })
	var err error
	h.restart, err = restartAmong(s)
	begin = time.Now()
	cancel()
	<-ended
	h.startStop += float64(time.Since(begin))
	return h, err
}

// restartAmong adds a worker that fails a few times.
func restartAmong(s *chanx.Supervisor) (float64, error) {
	runs, over := 0, make(chan struct{})
	begin := time.Now()
	err := s.Add("restarted", func(context.Context) error {
		if runs++; runs <= restarts {
			return errRestart
		}
		close(over)
		return chanx.ErrStop
	}, chanx.RestartPolicy{MinBackoff: -1})
	if err != nil {
		return 0, err
	}
	<-over
	return float64(time.Since(begin)) / restarts, nil
}

func taking(f func()) float64 {
	begin := time.Now()
	f()
	return float64(time.Since(begin))
}

func inUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

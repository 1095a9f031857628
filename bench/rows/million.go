package rows

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"example.com/chanx"
)

// millions shows whether costs of a thousand hold for a million.
func millions(e Effort) []Contest {
	sizes := []int{1000, e.n(1_000_000)}
	var names []string
	for _, n := range sizes {
		names = append(names, fmt.Sprintf("%d", n))
	}
	return []Contest{
		{Group: "million", Name: "workers of a Supervisor", Names: names,
			Rounds: e.rounds(3),
			Figures: []Figure{{"start and stop, each", Time}, {"memory, each", Bytes},
				{"Status, each", Time}, {"a restart among them", Time}},
			Measure: func(i int) ([]float64, error) { return crowd(sizes[i]) }},
		{Group: "million", Name: "slots of a Ring", Names: names, Rounds: e.rounds(5),
			Figures: []Figure{{"Send", Time}, {"Send, full", Time}, {"TryRecv", Time},
				{"RecvBatch of half, each", Time}},
			Measure: func(i int) ([]float64, error) { return slots(sizes[i]), nil }},
	}
}

func slots(n int) []float64 {
	r, dst := chanx.NewRing[int](n), make([]int, n/2)
	per := func(k int, f func()) float64 {
		start := time.Now()
		f()
		return float64(time.Since(start)) / float64(k)
	}
	fill(r) // maps the memory
	_, _ = r.RecvBatch(context.Background(), dst)
	_, _ = r.RecvBatch(context.Background(), dst)
	return []float64{
		per(n, func() { fill(r) }), per(n, func() { fill(r) }),
		per(n/2, func() {
			for range n / 2 {
				_, _ = r.TryRecv()
			}
		}),
		per(n/2, func() { _, _ = r.RecvBatch(context.Background(), dst) }),
	}
}

func crowd(workers int) ([]float64, error) {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var up sync.WaitGroup
	up.Add(workers)
	before, start := inUse(), time.Now()
	for i := range workers {
		if err := s.Add(strconv.Itoa(i), func(ctx context.Context) error {
			up.Done()
			<-ctx.Done()
			return ctx.Err()
		}, chanx.RestartPolicy{}); err != nil {
			return nil, err
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	up.Wait()
	startStop := time.Since(start)
	memory := inUse() - before
	start = time.Now()
	s.Status()
	status := time.Since(start)
	restart, err := restartAmong(s)
	start = time.Now()
	cancel()
	<-ended
	startStop += time.Since(start)
	n := float64(workers)
	return []float64{float64(startStop) / n, memory / n, float64(status) / n, restart}, err
}

var errBoom = errors.New("boom")

// restartAmong adds a worker that fails a few times.
func restartAmong(s *chanx.Supervisor) (float64, error) {
	const restarts = 2000
	runs, over := 0, make(chan struct{})
	start := time.Now()
	err := s.Add("restarted", func(context.Context) error {
		if runs++; runs <= restarts {
			return errBoom
		}
		close(over)
		return chanx.ErrStop
	}, chanx.RestartPolicy{MinBackoff: -1})
	if err != nil {
		return 0, err
	}
	<-over
	return float64(time.Since(start)) / restarts, nil
}

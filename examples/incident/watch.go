package main

import (
	"context"
	"time"
)

// sample is what both servers looked like at one moment.
type sample struct {
	At            time.Duration // since the start
	Phase         int           // index into phases
	Before, After reading
}

// reading is what was read of one server: its goroutines now, and how its
// requests have ended so far, in all phases.
type reading struct {
	goroutines
	Answered, TimedOut int
}

// watch takes a sample every so often, shows it, and keeps it, until ctx is
// done. It returns the film.
func watch(ctx context.Context, every time.Duration, take func() (sample, error),
	show *progress) ([]sample, error) {
	var film []sample
	tick := time.NewTicker(every)
	defer tick.Stop()
	defer show.end()
	for {
		s, err := take()
		if err != nil {
			return film, err
		}
		film = append(film, s)
		show.sample(s)
		select {
		case <-ctx.Done():
			return film, nil
		case <-tick.C:
		}
	}
}

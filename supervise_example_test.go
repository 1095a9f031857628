package chanx_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/chanx"
)

// A worker that fails twice is restarted twice, and then ends for good.
func ExampleSupervise() {
	runs := 0
	err := chanx.Supervise(context.Background(), func(ctx context.Context) error {
		runs++
		_, attempt := chanx.WorkerOf(ctx)
		switch attempt {
		case 1:
			return errors.New("connection refused")
		case 2:
			panic("out of range")
		}
		return chanx.ErrStop
	}, chanx.RestartPolicy{MinBackoff: time.Millisecond})
	fmt.Println(runs, err)
	// Output: 3 <nil>
}

// One worker fails for good, another is restarted by name, and the set is then
// stopped. Its status tells how each of them ended.
func ExampleSupervisor() {
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	serve := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	migrate := func(context.Context) error {
		return chanx.Permanent(errors.New("the schema is newer than this program"))
	}
	err := errors.Join(
		s.Add("migrate", migrate, chanx.RestartPolicy{}),
		s.Add("serve", serve, chanx.RestartPolicy{}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()

	for s.Restart(ctx, "serve") != nil { // Run has not begun yet
		time.Sleep(time.Millisecond)
	}
	stop()
	fmt.Println(<-done)
	for _, w := range s.Status() {
		last := w.Exits[len(w.Exits)-1]
		fmt.Printf("%s: %v, restarts: %d, last exit: %v\n", w.Name, w.State, w.Restarts, last.Err)
	}
	// Output:
	// context canceled
	// migrate: failed, restarts: 0, last exit: the schema is newer than this program
	// serve: stopped, restarts: 1, last exit: context canceled
}

// Three restarts, and the worker is given up. OnEvent sees each step.
func ExampleRestartPolicy() {
	policy := chanx.RestartPolicy{
		MinBackoff:  time.Millisecond,
		MaxBackoff:  10 * time.Millisecond,
		MaxRestarts: 3,
		OnEvent:     func(e chanx.Event) { fmt.Println(e.Kind, e.Exit.Restarts) },
	}
	if err := policy.Validate(); err != nil { // it may have come from a file
		fmt.Println(err)
		return
	}
	err := chanx.Supervise(context.Background(), func(context.Context) error {
		return errors.New("no route to host")
	}, policy)
	fmt.Println(err)
	// Output:
	// start 0
	// exit 0
	// restart 0
	// exit 1
	// restart 1
	// exit 2
	// restart 2
	// exit 3
	// give up 3
	// chanx: gave up after 3 restarts since the last healthy run: no route to host
}

// A worker that beats from its work loop is alive as long as the loop turns.
// This one hangs in its third job.
func ExampleBeat() {
	jobs := make(chan int, 3)
	for job := range 3 {
		jobs <- job
	}
	stalled := make(chan struct{})
	worker := func(ctx context.Context) error {
		for {
			chanx.Beat(ctx)
			job, err := chanx.RecvContext(ctx, jobs)
			if err != nil {
				return err
			}
			if job == 2 {
				<-stalled // a peer that does not answer
				return chanx.ErrStop
			}
		}
	}
	err := chanx.Supervise(context.Background(), worker, chanx.RestartPolicy{
		Heartbeat: 20 * time.Millisecond,
		OnEvent: func(e chanx.Event) {
			if e.Kind == chanx.EventStall {
				fmt.Println(e.Exit.Err)
				close(stalled)
			}
		},
	})
	fmt.Println(err)
	// Output:
	// chanx: worker stalled
	// <nil>
}

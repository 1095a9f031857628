package chanx_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/chanx"
)

// A disk that is full at first.
type mendedDisk struct{ writes int }

func (d *mendedDisk) Write(p []byte) (int, error) {
	if d.writes++; d.writes == 1 {
		return 0, errors.New("no space left on device")
	}
	return os.Stdout.Write(p)
}

// Requests that log through a Ring never wait for the disk, and the writer at
// the other end survives it. The line a writer has in hand when it fails is
// lost here; recipes/consumer is one that tries it again.
func Example() {
	ctx := context.Background()
	disk := &mendedDisk{}
	done := make(chan error, 1)

	lines := chanx.NewRing[string](1024)
	writer := func(ctx context.Context) error {
		for line := range lines.All(ctx) {
			if _, err := fmt.Fprintln(disk, line); err != nil {
				return err // kept, and the writer is started again
			}
		}
		return cmp.Or(ctx.Err(), chanx.ErrStop) // told to stop, or drained
	}
	go func() { done <- chanx.Supervise(ctx, writer, chanx.RestartPolicy{}) }()

	lines.Send("served /v1/orders") // never waits, whatever the disk does

	lines.Send("served /v1/users")
	lines.Close()
	fmt.Println(<-done)
	// Output:
	// served /v1/users
	// <nil>
}

func ExampleTrySend() {
	jobs := make(chan string, 1)
	for _, job := range []string{"first", "second"} {
		if !chanx.TrySend(jobs, job) {
			fmt.Println("no room for the", job)
		}
	}
	// Output: no room for the second
}

// The two errors tell "nothing yet" from "never again".
func ExampleTryRecv() {
	ch := make(chan int, 1)
	_, err := chanx.TryRecv(ch)
	fmt.Println(err)
	close(ch)
	_, err = chanx.TryRecv(ch)
	fmt.Println(err)
	// Output:
	// chanx: empty
	// chanx: closed
}

func ExampleDrain() {
	ch := make(chan int, 4)
	ch <- 1
	ch <- 2
	for v := range chanx.Drain(ch) { // ends when ch is empty
		fmt.Println(v)
	}
	// Output:
	// 1
	// 2
}

func ExampleSendTimeout() {
	full := make(chan int) // nothing receives
	err := chanx.SendTimeout(full, 1, time.Millisecond)
	fmt.Println(err, errors.Is(err, os.ErrDeadlineExceeded))
	// Output: chanx: timed out true
}

func ExampleRecvTimeout() {
	ch := make(chan string, 1)
	ch <- "ready"
	fmt.Println(chanx.RecvTimeout(ch, time.Millisecond)) // does not wait
	_, err := chanx.RecvTimeout(ch, time.Millisecond)
	fmt.Println(err == chanx.ErrTimeout)
	// Output:
	// ready <nil>
	// true
}

// One timer serves all the waits of a loop.
func ExampleTimeouts() {
	ch := make(chan int, 1)
	var wait chanx.Timeouts[int] // belongs to this goroutine
	for i := range 2 {
		err := wait.Send(ch, i, time.Millisecond)
		fmt.Println(i, err)
	}
	v, err := wait.Recv(ch, time.Millisecond)
	fmt.Println(v, err)
	// Output:
	// 0 <nil>
	// 1 chanx: timed out
	// 0 <nil>
}

func ExampleAll() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ch := make(chan int, 3)
	ch <- 1
	ch <- 2
	ch <- 3
	for v := range chanx.All(ctx, ch) {
		fmt.Println(v)
		if v == 2 {
			cancel() // the loop ends, and 3 stays in ch
		}
	}
	fmt.Println(len(ch))
	// Output:
	// 1
	// 2
	// 1
}

func ExampleRing() {
	ring := chanx.NewRing[int](2)
	for v := range 5 {
		ring.Send(v) // never waits: a full ring drops its oldest value
	}
	ring.Close()
	for v := range ring.All(context.Background()) {
		fmt.Println(v)
	}
	fmt.Println("dropped", ring.Stats().Dropped)
	// Output:
	// 3
	// 4
	// dropped 3
}

// A ring of capacity 1 is a mailbox for the latest value: a reader slower than
// the sender skips the values in between, and never sees one twice.
func ExampleRing_latestValue() {
	percent := chanx.NewRing[int](1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for done := range 51 {
		percent.Send(done) // nothing receives yet
	}
	for done := range percent.All(ctx) {
		fmt.Println(done)
		percent.Send(99)
		percent.Send(100)
		cancel() // ends the loop: the last value stays in the ring
	}
	last, err := percent.TryRecv()
	fmt.Println(last, err)
	fmt.Println("skipped", percent.Stats().Dropped)
	// Output:
	// 50
	// 100 <nil>
	// skipped 51
}

func ExampleRing_Send() {
	ring := chanx.NewRingFunc(1, func(old string) {
		fmt.Println("evicted:", old)
	})
	fmt.Println(ring.Send("a"), ring.Send("b"))
	ring.Close()
	fmt.Println(ring.Send("c"))
	// Output:
	// evicted: a
	// true true
	// false
}

// A ring in a select, next to other channels.
func ExampleRing_Ready() {
	ring := chanx.NewRing[string](8)
	ring.Send("value")
	select {
	case <-ring.Ready():
		v, err := ring.TryRecv() // ErrEmpty: another receiver was faster
		fmt.Println(v, err)
	case <-time.After(time.Minute):
	}
	// Output: value <nil>
}

func ExampleRing_RecvBatch() {
	ring := chanx.NewRing[int](8)
	for v := range 3 {
		ring.Send(v)
	}
	batch := make([]int, 256)
	n, err := ring.RecvBatch(context.Background(), batch)
	fmt.Println(batch[:n], err)
	// Output: [0 1 2] <nil>
}

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
	for s.Status()[0].State != chanx.StateFailed {
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

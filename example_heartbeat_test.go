package chanx_test

// A heartbeat: notice a worker that hangs without ending.
//
// Use when: a worker can get stuck in a call that neither returns nor fails: a
// disk, a lock, a peer that stops answering.
//
// Edge cases:
//   - idle: the loop beats while it waits for work, or a quiet night would
//     look like a hang.
//   - one job takes longer than Heartbeat: reported as stalled, and as well
//     again at the next beat. Beat between the steps of long jobs.
//   - stuck for ever: it stays reported; Go cannot end it. ReplaceStalled
//     starts another one beside it, where two at a time do no harm.
//   - beating from a goroutine with a ticker proves that the ticker lives:
//     beat from the loop that does the work.
//   - shutdown: the jobs still queued are done after Close; with ctx done they
//     are not.
//
// To change: idle, which is half of Heartbeat or less; Heartbeat itself, which
// is longer than any healthy job; what OnEvent does: count, alert. Without
// code of your own, a Supervisor shows the state in Status and chanxhttp.

import (
	"context"
	"fmt"
	"time"

	"example.com/chanx"
)

// beatingWorker does jobs until the ring is closed and drained, or ctx is
// done. It beats before each job, and every idle while there is none.
func beatingWorker(
	jobs *chanx.Ring[string], idle time.Duration, do func(job string),
) func(context.Context) error {
	return func(ctx context.Context) error {
		quiet := time.NewTicker(idle)
		defer quiet.Stop()
		for ctx.Err() == nil {
			chanx.Beat(ctx)
			job, err := jobs.TryRecv()
			switch err {
			case nil:
				do(job)
				continue
			case chanx.ErrClosed:
				return chanx.ErrStop
			}
			select {
			case <-jobs.Ready(): // look again, and beat
			case <-quiet.C:
			case <-ctx.Done():
			}
		}
		return ctx.Err()
	}
}

func Example_heartbeat() {
	jobs := chanx.NewRing[string](16)
	answer := make(chan struct{}) // of a peer that is slow to give it
	work := beatingWorker(jobs, 5*time.Millisecond, func(job string) {
		<-answer
	})

	events := make(chan chanx.Event, 3)
	policy := chanx.RestartPolicy{
		Heartbeat: 20 * time.Millisecond,
		OnEvent:   func(e chanx.Event) { chanx.TrySend(events, e) },
	}
	ended := make(chan error, 1)
	go func() {
		ended <- chanx.Supervise(context.Background(), work, policy)
	}()

	jobs.Send("ask the peer")
	<-events // it was started
	e := <-events
	fmt.Println(e.Kind, "-", e.Exit.Err)
	close(answer)
	fmt.Println((<-events).Kind)
	jobs.Close()
	fmt.Println("ended:", <-ended)
	// Output:
	// stall - chanx: worker stalled
	// recover
	// ended: <nil>
}

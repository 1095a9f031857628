package heartbeat

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	jobs := chanx.NewRing[string](16)
	answer := make(chan struct{}) // of a peer that is slow to give it
	work := Worker(jobs, 5*time.Millisecond,
		func(_ context.Context, job string) { <-answer },
		func(job string) { fmt.Println("lost", job) })

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

func want(t *testing.T, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// A bench supervises a worker with a Heartbeat of 5 s in a bubble.
type bench struct {
	jobs              *chanx.Ring[int]
	stalls, recovers  atomic.Int64
	restarts, dropped atomic.Int64
	ended             chan error
}

func start(
	t *testing.T, do func(context.Context, int), replace bool,
) (b *bench, cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	b = &bench{jobs: chanx.NewRing[int](8), ended: make(chan error, 1)}
	policy := chanx.RestartPolicy{
		Heartbeat: 5 * time.Second, ReplaceStalled: replace,
		OnEvent: func(e chanx.Event) {
			switch e.Kind {
			case chanx.EventStall:
				b.stalls.Add(1)
			case chanx.EventRecover:
				b.recovers.Add(1)
			case chanx.EventExit:
				if !e.Exit.Final {
					b.restarts.Add(1)
				}
			}
		},
	}
	work := Worker(b.jobs, 2*time.Second, do, func(int) { b.dropped.Add(1) })
	go func() { b.ended <- chanx.Supervise(ctx, work, policy) }()
	synctest.Wait()
	return b, cancel
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, cancel := start(t, nil, false)
		time.Sleep(time.Hour)
		want(t, b.stalls.Load(), int64(0))
		cancel()
		want(t, <-b.ended, context.Canceled)
	})
}

func TestStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		b, cancel := start(t, func(ctx context.Context, n int) {
			if n == 2 {
				<-free
				return
			}
			for range 3 { // a long job that shows that it is alive
				time.Sleep(4 * time.Second)
				chanx.Beat(ctx)
			}
		}, false)
		defer cancel()
		time.Sleep(time.Second) // between two beats
		b.jobs.Send(1)
		time.Sleep(12 * time.Second)
		b.jobs.Send(2)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		want(t, b.stalls.Load(), int64(0))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want(t, b.stalls.Load(), int64(1))
		want(t, b.recovers.Load(), int64(0))
		close(free)
		synctest.Wait()
		want(t, b.recovers.Load(), int64(1))
		b.jobs.Close()
		want(t, <-b.ended, nil)
	})
}

func TestReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var did atomic.Int64
		told := make(chan struct{})
		b, cancel := start(t, func(ctx context.Context, n int) {
			if n == 1 {
				<-ctx.Done()
				close(told)
			}
			did.Add(1)
		}, true)
		defer cancel()
		for n := range 4 {
			b.jobs.Send(n)
		}
		<-told
		b.jobs.Close()
		want(t, <-b.ended, nil)
		synctest.Wait()
		want(t, did.Load(), int64(4))
		want(t, b.dropped.Load(), int64(0))
	})
}

func TestJobPanics(t *testing.T) {
	for name, die := range map[string]func(){
		"panic": func() { panic("job") }, "Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				did := 0
				b, cancel := start(t, func(_ context.Context, n int) {
					if n%2 == 0 {
						die()
					}
					did++
				}, false)
				defer cancel()
				for n := range 8 {
					b.jobs.Send(n)
				}
				b.jobs.Close()
				want(t, <-b.ended, nil)
				synctest.Wait()
				want(t, did, 4)
				want(t, b.dropped.Load(), int64(4))
				want(t, b.restarts.Load(), int64(4))
			})
		})
	}
}

func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		did := 0
		b, cancel := start(t, func(context.Context, int) {
			time.Sleep(time.Second)
			did++
		}, false)
		defer cancel()
		for n := range 8 {
			b.jobs.Send(n)
		}
		b.jobs.Close()
		want(t, <-b.ended, nil)
		want(t, did, 8)
	})
}

func TestCtxDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, cancel := start(t, nil, false)
		before := time.Now()
		cancel()
		want(t, <-b.ended, context.Canceled)
		want(t, time.Since(before), time.Duration(0)) // not at the next beat

		did := 0
		b, cancel = start(t, func(ctx context.Context, _ int) {
			did++
			<-ctx.Done()
		}, false)
		for n := range 4 {
			b.jobs.Send(n)
		}
		synctest.Wait()
		cancel()
		want(t, <-b.ended, context.Canceled)
		want(t, did, 1)
		want(t, b.jobs.Len(), 3)
		want(t, b.dropped.Load(), int64(0))
	})
}

package consumer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx"
	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	tried := map[string]int{}
	c := &Consumer[string]{
		Events:   chanx.NewRing[string](64),
		Attempts: 3,
		Pause:    time.Millisecond,
		Policy:   chanx.RestartPolicy{MinBackoff: time.Millisecond},
		Handle: func(_ context.Context, event string) error {
			switch tried[event]++; {
			case event == "b" && tried[event] == 1:
				return errors.New("connection reset")
			case event == "c" && tried[event] == 1:
				panic("index out of range")
			case event == "d":
				return errors.New("no such customer")
			}
			return nil
		},
		Outcome: func(event string, err error) {
			fmt.Println(event, tried[event], err)
		},
	}
	c.Start()
	for _, event := range []string{"a", "b", "c", "d", "e"} {
		c.Events.Send(event)
	}
	fmt.Println(c.Shutdown(context.Background()), c.Events.Send("f"))
	// Output:
	// a 1 <nil>
	// b 2 <nil>
	// c 2 <nil>
	// d 3 no such customer
	// e 1 <nil>
	// <nil> false
}

var errBad = errors.New("bad")

// newConsumer returns a consumer of numbers and the list of outcomes, which is
// complete after Shutdown.
func newConsumer(
	capacity int, handle func(context.Context, int) error,
) (c *Consumer[int], outcomes *[]string) {
	outcomes = new([]string)
	c = &Consumer[int]{
		Events: chanx.NewRing[int](capacity), Handle: handle,
		Attempts: 3, Pause: time.Second,
		Outcome: func(event int, err error) {
			*outcomes = append(*outcomes, fmt.Sprint(event, err))
		},
	}
	return c, outcomes
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestHandlerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		c, outcomes := newConsumer(8, func(_ context.Context, n int) error {
			at = append(at, time.Since(start))
			if len(at) < 3 {
				return errBad
			}
			return nil
		})
		c.Start()
		c.Events.Send(1)
		c.Events.Send(2)
		equal(t, c.Shutdown(t.Context()), nil)
		equal(t, fmt.Sprint(*outcomes), "[1 <nil> 2 <nil>]")
		equal(t, fmt.Sprint(at), "[0s 1s 3s 3s]")
	})
}

// One event in a hundred is bad, as is one in two.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, bad := range []int{2, 100} {
			const events = 60_000
			tried, good, gaveUp := 0, 0, 0
			c, _ := newConsumer(events, func(_ context.Context, n int) error {
				tried++
				if n%bad == 0 {
					return errBad
				}
				return nil
			})
			c.Outcome = func(event int, err error) {
				if err == nil {
					good++
				} else if event%bad == 0 && err == errBad {
					gaveUp++
				}
			}
			c.Start()
			for n := range events {
				c.Events.Send(n)
			}
			start := time.Now()
			equal(t, c.Shutdown(t.Context()), nil)
			equal(t, good, events-events/bad)
			equal(t, gaveUp, events/bad)
			equal(t, tried, events+2*events/bad)
			equal(t, time.Since(start), events/time.Duration(bad)*3*time.Second)
		}
	})
}

func TestHandlerPanics(t *testing.T) {
	for name, die := range map[string]func(){
		"panic": func() { panic(errBad) }, "Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tried := 0
				c, outcomes := newConsumer(8, func(_ context.Context, n int) error {
					tried++
					if n == 1 || tried == 5 {
						die()
					}
					return nil
				})
				restarts := 0
				c.Policy = chanx.RestartPolicy{OnEvent: func(e chanx.Event) {
					if e.Kind == chanx.EventExit && !e.Exit.Final {
						restarts++
					}
				}}
				c.Start()
				for n := range 4 {
					c.Events.Send(n)
				}
				equal(t, c.Shutdown(t.Context()), nil)
				synctest.Wait()
				equal(t, fmt.Sprint(*outcomes), fmt.Sprintf(
					"[0 <nil> 1 %v 2 <nil> 3 <nil>]", ErrPanicked))
				equal(t, tried, 7) // 1 three times, 2 twice
				equal(t, restarts, 4)
			})
		})
	}
}

func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, outcomes := newConsumer(2, func(_ context.Context, n int) error {
			if n == 0 {
				return errBad
			}
			return nil
		})
		c.Start()
		c.Events.Send(0)
		synctest.Wait() // it pauses with 0 in hand
		for n := range 5 {
			equal(t, c.Events.Send(n+1), true)
		}
		equal(t, c.Left(), 3)
		equal(t, c.Shutdown(t.Context()), nil)
		equal(t, fmt.Sprint(*outcomes), "[0 bad 4 <nil> 5 <nil>]")
		equal(t, c.Events.Stats().Dropped, 3)
		equal(t, c.Left(), 0)
	})
}

// A thousand goroutines send while it shuts down: what was queued is handled.
func TestShutdown(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4 * runtime.NumCPU()))
	handled := 0
	c, _ := newConsumer(4000, func(context.Context, int) error {
		handled++
		return nil
	})
	c.Outcome = func(int, error) {}
	c.Start()
	started := make(chan struct{})
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			for n := range 4 {
				if !c.Events.Send(n) {
					return
				}
				if n == 2 {
					select {
					case started <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	<-started
	equal(t, c.Shutdown(context.Background()), nil)
	equal(t, c.Events.Send(0), false)
	all.Wait()
	s := c.Events.Stats()
	equal(t, uint64(handled), s.Sent-s.Dropped)
	equal(t, c.Shutdown(context.Background()), nil)
}

func TestShutdownDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, outcomes := newConsumer(8, func(ctx context.Context, n int) error {
			<-ctx.Done()
			return ctx.Err()
		})
		c.Start()
		for n := range 4 {
			c.Events.Send(n)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.Shutdown(ctx)
		equal(t, err.Error(), "4 events left: context deadline exceeded")
		equal(t, errors.Is(err, context.DeadlineExceeded), true)
		<-c.done // the goroutine has ended, not only been told to
		equal(t, len(*outcomes), 0)
		equal(t, c.Shutdown(t.Context()).Error(), "4 events left: context canceled")
	})
}

func TestPolicyGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, outcomes := newConsumer(8, func(context.Context, int) error {
			panic("always")
		})
		c.Policy = chanx.RestartPolicy{MaxRestarts: 1}
		c.Start()
		c.Events.Send(1)
		c.Events.Send(2)
		<-c.done
		equal(t, c.Events.Send(3), false)
		err := c.Shutdown(t.Context())
		var limit *chanx.RestartLimitError
		equal(t, errors.As(err, &limit), true)
		equal(t, strings.HasPrefix(err.Error(), "2 events left: "), true)
		equal(t, len(*outcomes), 0)
	})
}

func TestStartRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Consumer[int]){
		"no ring":    func(c *Consumer[int]) { c.Events = nil },
		"no handler": func(c *Consumer[int]) { c.Handle = nil },
		"no outcome": func(c *Consumer[int]) { c.Outcome = nil },
		"no attempt": func(c *Consumer[int]) { c.Attempts = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := newConsumer(1, func(context.Context, int) error { return nil })
			spoil(c)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			c.Start()
		})
	}
}
